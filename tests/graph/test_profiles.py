"""A profile that grows by a look-back a day knows what the whole history knows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pyarrow as pa

from graph.engines.base import Engine
from graph.frames import DataFrame
from graph.profiles import ACCOUNT_PROFILE, account_profile, activity_of_accounts
from graph.tables import TIMESTAMP, columns

START = date(2026, 1, 1)
LOOKBACK = 3
Moments = dict[str, list[datetime]]


def at(day: int, hour: int = 12) -> datetime:
    return datetime(START.year, START.month, START.day, hour, tzinfo=UTC) + timedelta(days=day)


def seen_on(engine: Engine, history: Moments, day: int) -> DataFrame:
    """What the look-back that ends with a day shows."""
    first = day - LOOKBACK + 1
    rows = [
        {"account_id": account, "event_at": moment}
        for account, moments in history.items()
        for moment in moments
        if at(first, 0) <= moment < at(day + 1, 0)
    ]
    schema = columns(account_id="string", event_at=TIMESTAMP)
    events = engine.from_arrow(pa.Table.from_pylist(rows, schema))
    return activity_of_accounts(events, str(START + timedelta(days=first)), LOOKBACK)


def profile_on(engine: Engine, history: Moments, day: int, previous: DataFrame | None) -> DataFrame:
    profile = account_profile(engine, seen_on(engine, history, day), previous)
    assert sorted(profile.columns) == sorted(ACCOUNT_PROFILE.columns)
    return engine.materialize(profile, f"profile-{day}-{previous is None}")


def rows_of(engine: Engine, profile: DataFrame) -> dict[str, dict[str, Any]]:
    rows = engine.to_arrow(profile).to_pylist()
    by_account = {row["account_id"]: row for row in rows}
    assert len(by_account) == len(rows)
    return by_account


def expected(history: Moments, day: int) -> dict[str, tuple[datetime, datetime, int]]:
    """First and last moment, and the longest silence in whole days, up to and with a day."""
    known = {}
    for account, moments in history.items():
        past = sorted(moment for moment in moments if moment < at(day + 1, 0))
        days = sorted({moment.date() for moment in past})
        gaps = [(later - earlier).days - 1 for earlier, later in pairwise(days)]
        if past:
            known[account] = (past[0], past[-1], max(gaps, default=0))
    return known


def test_days_in_a_row_know_the_whole_history(engine: Engine) -> None:
    random = Random(6)
    history = {
        f"a{number}": [
            at(random.randrange(-2, 12), random.choice([0, 12, 23]))
            for _ in range(random.randrange(1, 6))
        ]
        for number in range(60)
    }
    # A sleeper: two days, a silence longer than the look-back, and one more event.
    history["sleeper"] = [at(0), at(1), at(11)]
    profile = None
    for day in range(12):
        profile = profile_on(engine, history, day, profile)
        if day in (3, 11):
            found = {
                account: tuple(
                    row[name]
                    for name in ("first_seen_ever_at", "last_active_at", "longest_gap_days")
                )
                for account, row in rows_of(engine, profile).items()
            }
            assert found == expected(history, day)
    assert expected(history, 11)["sleeper"][2] == 9


def test_a_rerun_of_a_day_changes_nothing(engine: Engine) -> None:
    history = {"a": [at(0), at(4)], "b": [at(1)], "c": [at(4, 0), at(4, 23)]}
    before = profile_on(engine, history, 2, None)
    once = rows_of(engine, profile_on(engine, history, 4, before))
    again = rows_of(engine, account_profile(engine, seen_on(engine, history, 4), before))
    on_itself = account_profile(
        engine, seen_on(engine, history, 4), profile_on(engine, history, 4, before)
    )
    assert once == again == rows_of(engine, on_itself)
    assert once["a"]["longest_gap_days"] == 3


def test_what_people_decided_is_carried_on(engine: Engine) -> None:
    """Of accounts that were seen again and of those that were not."""
    kinds = {"prior_decisions": "int64", "cleared_until": TIMESTAMP, "longest_gap_days": "int64"}
    schema = columns(
        account_id="string", first_seen_ever_at=TIMESTAMP, last_active_at=TIMESTAMP, **kinds
    )
    decided = {
        "first_seen_ever_at": at(-50),
        "last_active_at": at(0),
        "prior_decisions": 2,
        "cleared_until": at(30),
        "longest_gap_days": 7,
    }
    rows = [{"account_id": name, **decided} for name in ("seen", "unseen")]
    previous = engine.from_arrow(pa.Table.from_pylist(rows, schema))
    history = {"seen": [at(4)], "new": [at(3), at(4)]}
    found = rows_of(engine, account_profile(engine, seen_on(engine, history, 4), previous))
    assert found["unseen"] == {"account_id": "unseen", **decided}
    assert found["seen"] == {"account_id": "seen", **decided, "last_active_at": at(4)}
    assert found["new"] == {
        "account_id": "new",
        "first_seen_ever_at": at(3),
        "last_active_at": at(4),
        "longest_gap_days": 0,
        "prior_decisions": 0,
        "cleared_until": None,
    }
