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


def test_two_texts_from_one_tablet_and_nothing_else_are_one(engine: Engine) -> None:
    texts = [("content", 0, 1), ("content", 5, 6)]
    assert not independent(engine, ("device", 0, 6), *texts)
    assert independent(engine, ("device", 0, 9), *texts)  # something else was done there, too


def test_one_text_under_two_posts_is_one(engine: Engine) -> None:
    assert not independent(engine, ("content", 0, 6), ("target", 0, 1), ("target", 5, 6))


def test_each_needs_evidence_of_its_own(engine: Engine) -> None:
    assert independent(
        engine, ("content", 0, 1), ("content", 9, 9), ("target", 0, 1), ("target", 5, 6)
    )


def test_only_links_to_core_members_count(engine: Engine) -> None:
    span = {"entity_type": "device", "entity_id": "phone", "co_actions": 1, "rarity": 1.0}
    times = {"first_at": NOON, "last_at": NOON}
    evidence = [
        {"network_id": "n", "account_a": "a", "account_b": b, "trace": "co_like", **span, **times}
        for b in ("b", "edge")
    ]
    members = [{"account_id": name, "is_core": name != "edge"} for name in ("a", "b", "edge")]
    families = [{"trace": "co_like", "family": "target"}]
    found = core_evidence(
        *(engine.from_arrow(pa.Table.from_pylist(rows)) for rows in (evidence, members, families))
    )
    told = {(row["account_id"], row["other_id"]) for row in engine.to_arrow(found).to_pylist()}
    assert told == {("a", "b"), ("b", "a"), ("edge", "a")}
