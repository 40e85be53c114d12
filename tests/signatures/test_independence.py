"""One login seen by two traces is one observation; two kinds of evidence are two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from graph.engines.base import Engine
from graph.tables import TIMESTAMP, columns
from signatures.independence import core_evidence, independent_accounts

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVIDENCE = columns(account_id="string", family="string", first_at=TIMESTAMP, last_at=TIMESTAMP)


def independent(engine: Engine, *rows: tuple[str, int, int]) -> bool:
    """Whether account `a` has two observations; rows are family, first and last minute."""
    evidence = [
        {
            "account_id": "a",
            "family": family,
            "first_at": NOON + timedelta(minutes=first),
            "last_at": NOON + timedelta(minutes=last),
        }
        for family, first, last in rows
    ]
    frame = engine.from_arrow(pa.Table.from_pylist(evidence, schema=EVIDENCE))
    return engine.to_arrow(independent_accounts(frame)).column("account_id").to_pylist() == ["a"]


def test_a_device_and_likes_are_two(engine: Engine) -> None:
    assert independent(engine, ("device", 0, 90), ("target", 30, 31))


def test_device_address_and_sign_up_are_one(engine: Engine) -> None:
    assert not independent(engine, ("device", 0, 90), ("network", 5, 80), ("signup", 0, 1))


def test_comments_that_carry_content_and_target_are_one(engine: Engine) -> None:
    assert not independent(engine, ("content", 0, 1), ("target", 0, 1))
    assert not independent(engine, ("content", 0, 1), ("target", 0, 1), ("target", 5, 6))


def test_each_needs_evidence_of_its_own(engine: Engine) -> None:
    assert independent(
        engine, ("content", 0, 1), ("content", 9, 9), ("target", 0, 1), ("target", 5, 6)
    )


def test_only_kept_links_to_core_members_of_the_network_count(engine: Engine) -> None:
    span = {
        "entity_type": "device",
        "co_actions": 1,
        "rarity": 1.0,
        "first_at": NOON,
        "last_at": NOON,
    }
    evidence = [
        {
            "account_a": "a",
            "account_b": other,
            "trace": trace,
            "entity_id": f"{trace} {other}",
            **span,
        }
        for other, trace in [
            ("b", "co_like"),
            ("b", "co_post"),
            ("edge", "co_like"),
            ("far", "co_like"),
        ]
    ]
    links = [
        {"account_a": "a", "account_b": other, "traces": ["co_like"]}
        for other in ("b", "edge", "far")
    ]
    members = [
        {"network_id": network, "account_id": account, "is_core": core}
        for account, network, core in [
            ("a", "n", True), ("b", "n", True), ("edge", "n", False), ("far", "m", True)
        ]
    ]  # fmt: skip
    families = [{"trace": "co_like", "family": "target"}, {"trace": "co_post", "family": "content"}]
    found = core_evidence(
        *(
            engine.from_arrow(pa.Table.from_pylist(rows))
            for rows in (evidence, links, members, families)
        )
    )
    told = {
        (row["account_id"], row["other_id"], row["trace"])
        for row in engine.to_arrow(found).to_pylist()
    }
    assert told == {("a", "b", "co_like"), ("b", "a", "co_like"), ("edge", "a", "co_like")}
