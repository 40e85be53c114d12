"""Hubs: listed or above the hard limit; those of nobody's list that look planted go to review."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from graph.config import HubLimits, SuspiciousHubs
from graph.engines.base import Engine
from graph.hubs import SUSPICIOUS_HUBS, account_ages, mark_hubs, suspicious_hubs
from graph.tables import TIMESTAMP, columns

DS = date(2026, 3, 20)
LIMITS = {"ip": HubLimits(soft=2, hard=4), "device": HubLimits(soft=3, hard=3), "content": None}


def test_a_hub_is_listed_or_above_the_hard_limit(engine: Engine) -> None:
    """The soft limit makes no hub, `none` switches a type off, a type without limits has none."""
    degrees = {
        ("ip", "at-hard"): 4,
        ("ip", "above-hard"): 5,
        ("ip", "listed"): 1,
        ("ip", "listed-above-hard"): 9,
        ("device", "at-hard"): 3,
        ("device", "above-hard"): 4,
        ("device", "listed"): 7,
        ("content", "viral"): 1_000_000,
        ("target", "viral"): 1_000_000,
    }
    entities = pa.Table.from_pylist(
        [
            {"entity_type": kind, "entity_id": name, "degree": degree}
            for (kind, name), degree in degrees.items()
        ]
    )
    shared = pa.table(
        {
            "entity_type": ["ip", "ip", "target"],
            "entity_id": ["listed", "listed-above-hard", "listed"],
            "reason": ["library", "carrier", "never seen"],
        }
    )
    marked = mark_hubs(engine.from_arrow(entities), LIMITS, engine.from_arrow(shared))
    rows = engine.to_arrow(marked).to_pylist()
    hubs = {(r["entity_type"], r["entity_id"]): r["hub_reason"] for r in rows if r["is_hub"]}
    assert len(rows) == len(degrees)
    assert hubs == {
        ("ip", "above-hard"): "degree",
        ("ip", "listed"): "shared: library",
        ("ip", "listed-above-hard"): "shared: carrier",
        ("device", "above-hard"): "degree",
        ("device", "listed"): "degree",
    }
    assert all(row["hub_reason"] is None for row in rows if not row["is_hub"])

    unlisted = engine.to_arrow(mark_hubs(engine.from_arrow(entities), LIMITS, None)).to_pylist()
    assert {(r["entity_type"], r["entity_id"]) for r in unlisted if r["is_hub"]} == {
        ("ip", "above-hard"),
        ("ip", "listed-above-hard"),
        ("device", "above-hard"),
        ("device", "listed"),
    }


def day(ago: int, hour: int = 12) -> datetime:
    return datetime(DS.year, DS.month, DS.day, hour, tzinfo=UTC) - timedelta(days=ago)


class Hubs:
    """Hubs and their accounts, as they are written down here."""

    def __init__(self) -> None:
        self.hubs: list[dict[str, Any]] = []
        self.edges: list[dict[str, Any]] = []
        self.ages: dict[str, datetime | None] = {}
        self.began: dict[str, date | None] = {}  # where it is another day than that of the age

    def add(
        self,
        name: str,
        accounts: list[tuple[int, datetime | None]],
        reason: str | None = "degree",
        kind: str = "ip",
    ) -> None:
        """`accounts`: days before ds on which each was first seen with the hub, and its birth."""
        for number, (ago, created_at) in enumerate(accounts):
            account = f"{name}.{number}"
            self.ages[account] = created_at
            self.edges.append(
                {
                    "account_id": account,
                    "entity_type": kind,
                    "entity_id": name,
                    "first_seen_at": day(ago),
                }
            )
        self.hubs.append(
            {
                "entity_type": kind,
                "entity_id": name,
                "degree": len(accounts),
                "first_seen_at": day(max(ago for ago, _ in accounts)),
                "hub_reason": reason,
            }
        )

    def found(
        self, engine: Engine, settings: SuspiciousHubs, days_of_log: int = 28
    ) -> dict[str, dict[str, Any]]:
        entities = columns(
            entity_type="string",
            entity_id="string",
            degree="int64",
            first_seen_at=TIMESTAMP,
            hub_reason="string",
        )
        edges = columns(
            account_id="string", entity_type="string", entity_id="string", first_seen_at=TIMESTAMP
        )
        ages = [
            {"account_id": a, "created_at": at, "began_on": self.began.get(a, at and at.date())}
            for a, at in self.ages.items()
        ]
        known = columns(account_id="string", created_at=TIMESTAMP, began_on=pa.date32())
        frame = suspicious_hubs(
            engine.from_arrow(pa.Table.from_pylist(self.hubs, entities)),
            engine.from_arrow(pa.Table.from_pylist(self.edges, edges)),
            engine.from_arrow(pa.Table.from_pylist(ages, known)),
            settings,
            str(DS),
            days_of_log,
        )
        assert frame.columns == SUSPICIOUS_HUBS.columns
        return {row["entity_id"]: row for row in engine.to_arrow(frame).to_pylist()}


def old(number: int) -> datetime:
    """Births on days of their own, long ago."""
    return day(200 + number)


def test_what_looks_planted_is_reported_with_its_reasons(engine: Engine) -> None:
    hubs = Hubs()
    hubs.add("calm", [(20, old(n)) for n in range(30)])
    hubs.add("lasting", [(20, old(n)) for n in range(30)], kind="content")
    hubs.add("listed", [(0, old(1)) for _ in range(6)], reason="shared: library")
    hubs.add("no-hub", [(0, old(1)) for _ in range(6)], reason=None)
    # A week old, the day of ds included; one day more is old enough.
    hubs.add("young", [(6, old(n)) for n in range(6)])
    hubs.add("not-young", [(7, old(n)) for n in range(6)])
    # Half of the accounts came on ds.
    hubs.add("growing", [(20, old(n)) for n in range(3)] + [(0, old(n)) for n in range(4, 7)])
    hubs.add("steady", [(20, old(n)) for n in range(4)] + [(0, old(n)) for n in range(4, 7)])
    # Half were born within a week before ds, on days of their own.
    newborn = [(20, day(7)), (20, day(5)), (20, day(3))]
    hubs.add("new", [(20, old(n)) for n in range(3)] + newborn)
    hubs.add("not-new", [(20, old(n)) for n in range(3)] + [(20, day(8)), *newborn[:2]])
    # Half were born on one day; births that nobody knows are not alike.
    hubs.add("alike", [(20, old(n)) for n in range(2)] + [(20, day(90, n)) for n in range(2)])
    hubs.add("unknown", [(20, None) for _ in range(4)] + [(20, old(1))])
    hubs.add("all", [(0, day(1)) for _ in range(5)], kind="content")
    found = hubs.found(engine, SuspiciousHubs())
    assert {name: row["reason"] for name, row in found.items()} == {
        "young": "young",
        "growing": "growing",
        "new": "new accounts",
        "alike": "alike",
        "all": "young, growing, new accounts, alike",
    }
    assert found["all"] == {
        "entity_type": "content",
        "entity_id": "all",
        "degree": 5,
        "age_days": 1,
        "growth_ratio": 1.0,
        "new_account_ratio": 1.0,
        "likeness_ratio": 1.0,
        "reason": "young, growing, new accounts, alike",
    }


def test_new_accounts_are_no_news_where_all_are_new(engine: Engine) -> None:
    hubs = Hubs()
    hubs.add("first-days", [(20, day(n)) for n in range(6)])
    assert hubs.found(engine, SuspiciousHubs()) == {}


@pytest.mark.parametrize("days_of_log", [1, 2, 3, 7, 10, 14])
def test_an_ordinary_carrier_is_no_news_on_the_first_days_of_a_log(
    engine: Engine, days_of_log: int
) -> None:
    """Most of its users came on the first day, the others since; nobody's registration is known."""
    random = Random(days_of_log)
    last = days_of_log - 1
    days = [last, last, *range(days_of_log)]
    users = [random.choice(days) for _ in range(40)]
    first_seen = {f"carrier.{n}": day(ago) for n, ago in enumerate([last, *users])}
    others = [random.choice(days) for _ in range(100)]
    first_seen |= {f"elsewhere.{n}": day(ago) for n, ago in enumerate(others)}
    profiles = pa.table(
        {
            "account_id": list(first_seen),
            "first_seen_ever_at": pa.array(list(first_seen.values()), TIMESTAMP),
        }
    )
    ages = engine.to_arrow(account_ages(engine.from_arrow(profiles), None)).to_pylist()
    hubs = Hubs()
    hubs.add("carrier", [(last, None), *((ago, None) for ago in users)])
    hubs.add("elsewhere", [(ago, None) for ago in others], reason=None)
    hubs.ages = {row["account_id"]: row["created_at"] for row in ages}
    hubs.began = {row["account_id"]: row["began_on"] for row in ages}
    assert hubs.found(engine, SuspiciousHubs(), days_of_log) == {}


def test_a_hub_is_young_where_the_log_shows_that_it_was_not_there_before(engine: Engine) -> None:
    hubs = Hubs()
    hubs.add("new", [(2, old(n)) for n in range(6)])
    for days_of_log, reasons in {3: [], 9: [], 10: ["young"], 28: ["young"]}.items():
        found = hubs.found(engine, SuspiciousHubs(), days_of_log)
        assert [row["reason"] for row in found.values()] == reasons, days_of_log


def test_when_an_account_began_is_unknown_if_it_was_there_when_the_log_began(
    engine: Engine,
) -> None:
    seen = {"first": day(20, 1), "same day": day(20, 23), "later": day(19), "registered": day(20)}
    profiles = pa.table(
        {"account_id": list(seen), "first_seen_ever_at": pa.array(list(seen.values()), TIMESTAMP)}
    )
    registered = pa.table(
        {"account_id": ["registered"], "created_at": pa.array([day(300)], TIMESTAMP)}
    )
    frames = engine.from_arrow(profiles), engine.from_arrow(registered)
    rows = engine.to_arrow(account_ages(*frames)).to_pylist()
    assert {row["account_id"]: (row["created_at"], row["began_on"]) for row in rows} == {
        "first": (day(20, 1), None),
        "same day": (day(20, 23), None),
        "later": (day(19), day(19).date()),
        "registered": (day(300), day(300).date()),
    }


def test_shares_equal_a_count_by_hand(engine: Engine) -> None:
    random = Random(5)
    hubs, accounts = Hubs(), {}
    for number in range(25):
        accounts[f"h{number}"] = [
            (random.randrange(9), day(random.choice([0, 1, 7, 8, 30, 40, 50])))
            for _ in range(random.randrange(1, 12))
        ]
        hubs.add(f"h{number}", accounts[f"h{number}"])
    lenient = SuspiciousHubs.model_validate(
        {"young": "30d", "growth": 0.0, "new_accounts": 0.0, "likeness": 0.0}
    )
    found = hubs.found(engine, lenient, days_of_log=60)
    assert found.keys() == accounts.keys()
    for name, own in accounts.items():
        births = Counter(created_at for _, created_at in own)
        row, degree = found[name], len(own)
        assert row["degree"] == degree
        assert row["age_days"] == max(ago for ago, _ in own) + 1
        assert row["growth_ratio"] == sum(ago == 0 for ago, _ in own) / degree
        assert (
            row["new_account_ratio"]
            == sum(at is not None and at >= day(30) for _, at in own) / degree
        )
        assert row["likeness_ratio"] == max(births.values()) / degree
