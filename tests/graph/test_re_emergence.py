"""A network comes back on rare things of an enforced one; not on a single second-hand phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE
from graph.history import HISTORY
from graph.re_emergence import re_emerged
from graph.tables import TIMESTAMP

USED = datetime(2026, 11, 1, tzinfo=UTC)
FAMILIES = pa.table({"trace": ["co_device", "co_post"], "family": ["device", "content"]})
MEMBERS = pa.table({"account_id": ["a", "b", "x", "y"], "network_id": ["n1", "n1", "n2", "n2"]})


def link(entity: str, rarity: float, a: str = "a", b: str = "b", **of: Any) -> dict[str, Any]:
    kind = "device" if entity.startswith("d") else "content"
    trace = "co_device" if kind == "device" else "co_post"
    return {"account_a": a, "account_b": b, "trace": trace, "entity_type": kind,
            "entity_id": entity, "co_actions": 1, "rarity": rarity,
            "first_at": USED + timedelta(days=6), **of}  # fmt: skip


def kept(entity: str, weight: int = 1_000_000, network: str = "old") -> dict[str, Any]:
    kind = "device" if entity.startswith("d") else "content"
    return {"network_id": network, "entity_type": kind, "entity_id": entity, "weight": weight,
            "last_used_at": USED}  # fmt: skip


LATER = {"first_at": USED + timedelta(days=7)}


def found(
    engine: Engine, links: list[dict[str, Any]], archive: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    schema = pa.schema(
        [
            ("network_id", "string"),
            ("entity_type", "string"),
            ("entity_id", "string"),
            ("weight", "int64"),
            ("last_used_at", TIMESTAMP),
        ]
    )
    rows = re_emerged(
        engine.from_arrow(pa.Table.from_pylist(links, schema=LINK_EVIDENCE.schema)),
        engine.from_arrow(MEMBERS),
        engine.from_arrow(pa.Table.from_pylist(archive, schema=schema)),
        engine.from_arrow(FAMILIES),
        least_rarity=8.0,
        device_gap_s=7 * 86_400,
    )
    table = engine.to_arrow(rows)
    assert table.column_names == HISTORY.columns
    return table.to_pylist()


def test_rare_things_of_two_families_are_a_return(engine: Engine) -> None:
    (row,) = found(engine, [link("d1", 5.0), link("c1", 3.0)], [kept("d1"), kept("c1")])
    assert (row["network_id"], row["event"]) == ("n1", "re-emerged")
    assert (row["ids_before"], row["ids_after"]) == (["old"], ["n1"])


@pytest.mark.parametrize(
    ("links", "archive"),
    [
        ([link("d1", 5.0), link("d2", 5.0)], [kept("d1"), kept("d2")]),
        ([link("d1", 5.0), link("c1", 2.9)], [kept("d1"), kept("c1")]),
        ([link("d1", 5.0), link("c1", 3.0)], [kept("d1", 900_000), kept("c1")]),
        ([link("d1", 9.0), link("c1", 9.0)], [kept("d1"), kept("c1", network="other")]),
        ([link("d1", 9.0, "a", "x"), link("c1", 9.0, "b", "y")], [kept("d1"), kept("c1")]),
        ([link("d1", 9.0), link("c1", 9.0)], [kept("d1", network="n1"), kept("c1", network="n1")]),
        ([link("d1", 9.0, **LATER), link("c1", 9.0)], [kept("d1"), kept("c1")]),
    ],
    ids=[
        "one family",
        "too common",
        "faded",
        "two networks",
        "between networks",
        "itself",
        "another owner",
    ],
)
def test_less_is_none(
    engine: Engine, links: list[dict[str, Any]], archive: list[dict[str, Any]]
) -> None:
    assert found(engine, links, archive) == []


def test_only_a_device_changes_its_owner(engine: Engine) -> None:
    links = [link("d1", 5.0), link("c1", 3.0, **LATER)]
    assert found(engine, links, [kept("d1"), kept("c1")])


def test_the_strongest_network_is_named(engine: Engine) -> None:
    links = [link("d1", 5.0), link("c1", 4.0)]
    archive = [kept("d1"), kept("c1"), kept("d1", 990_000, "older"), kept("c1", network="older")]
    (row,) = found(engine, links, archive)
    assert row["ids_before"] == ["old"]
