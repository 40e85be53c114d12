"""The days on which a network acted: no pause is told that was none."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa

from exporters.neo4j_days import days_of_networks
from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE

FIRST = date(2026, 11, 16)
AT = datetime(2026, 11, 16, tzinfo=UTC)


def bits(*days: int) -> list[int]:
    return [sum(1 << (day - 16) for day in days)]


def test_every_day_counts_on_which_two_members_had_what_links_them(engine: Engine) -> None:
    """The link of ann and ben tells the 16th and the 22nd; both were there on the 19th, too."""
    members = {"account_id": ["ann", "ben", "cleo", "dan"], "network_id": ["n1", "n1", "n1", "n2"]}
    link = {"trace": "shared_device", "entity_type": "device", "co_actions": 9, "rarity": 1.0}
    pairs = [("ann", "ben", "d1"), ("ben", "cleo", "d1"), ("cleo", "dan", "d2")]
    evidence = [
        {**link, "account_a": a, "account_b": b, "entity_id": device, "first_at": AT, "last_at": AT}
        for a, b, device in pairs
    ]
    seen = [
        ("ann", "d1", bits(16, 19)),
        ("ann", "d1", bits(22)),  # another event type
        ("ben", "d1", bits(16, 18, 19, 22)),  # alone on the 18th
        ("cleo", "d1", bits(22)),
        ("cleo", "d2", bits(20)),  # links two networks, so neither acted
        ("dan", "d2", bits(20)),
        ("ann", "d3", bits(21)),  # links nobody
        ("ben", "d3", bits(21)),
    ]
    activity = [
        {"account_id": a, "entity_type": "device", "entity_id": d, "day_bits": b}
        for a, d, b in seen
    ]
    found = days_of_networks(
        engine,
        engine.from_arrow(pa.table(members)),
        engine.from_arrow(
            pa.Table.from_pylist(evidence).select(
                [name for name in LINK_EVIDENCE.columns if name != "ds"]
            )
        ),
        engine.from_arrow(pa.Table.from_pylist(activity)),
        FIRST,
    )
    assert engine.to_arrow(found).to_pylist() == [
        {
            "network_id": "n1",
            "days": ["2026-11-16: 2 members", "2026-11-19: 2 members", "2026-11-22: 3 members"],
        }
    ]
