"""Days as bits: the same days, counts and silences as in sets of dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.active_days import DAYS_PER_WORD, count_days, day_bits, longest_gaps, united, words_of
from graph.engines.base import Engine
from graph.tables import TIMESTAMP

FIRST = date(2026, 2, 1)


def words(days: set[int], count: int) -> list[int]:
    own = [[day - DAYS_PER_WORD * word for day in days] for word in range(count)]
    return [sum(1 << bit for bit in bits if 0 <= bit < DAYS_PER_WORD) for bits in own]


@given(st.lists(st.sets(st.integers(0, 3 * DAYS_PER_WORD - 1)), min_size=1))
def test_the_longest_silence_is_between_two_active_days(accounts: list[set[int]]) -> None:
    found = longest_gaps(np.array([words(days, 3) for days in accounts], np.int64))
    for gap, days in zip(found, accounts, strict=True):
        ordered = sorted(days)
        gaps = [later - earlier - 1 for earlier, later in pairwise(ordered)]
        assert gap == max(gaps, default=0)


@pytest.mark.parametrize(("days", "count"), [(1, 1), (28, 1), (62, 1), (63, 2), (226, 4)])
def test_how_many_words_hold_days(days: int, count: int) -> None:
    assert words_of(days) == count


@pytest.mark.parametrize("days", [3, 62, 130])
def test_bits_are_the_days_of_the_events(engine: Engine, days: int) -> None:
    """First and last microseconds of days, days before and after all bits, and 1970."""
    random = Random(days)
    width = words_of(days) * DAYS_PER_WORD
    active: dict[str, set[int]] = {}
    rows = []
    for number in range(400):
        account = f"a{random.randrange(40)}"
        day = random.choice([0, days - 1, width - 1, width, -1, -20_000, random.randrange(width)])
        start = datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(days=day)
        at = start + random.choice([timedelta(0), timedelta(days=1) - timedelta.resolution])
        rows.append({"account_id": account, "part": number % 3, "event_at": at})
        active.setdefault(account, set()).update({day} & set(range(width)))
    schema = pa.schema([("account_id", pa.string()), ("part", pa.int64()), ("event_at", TIMESTAMP)])
    frame = engine.from_arrow(pa.Table.from_pylist(rows, schema))
    parts = frame.groupBy("account_id", "part").agg(day_bits(FIRST.isoformat(), days).alias("bits"))
    whole = parts.groupBy("account_id").agg(*united("bits", days))
    whole = whole.withColumn("active_days", count_days("bits", days))
    found = {row["account_id"]: row for row in engine.to_arrow(whole).to_pylist()}
    assert found.keys() == active.keys()
    for account, row in found.items():
        bits = [row[f"bits_{word}"] for word in range(words_of(days))]
        assert bits == words(active[account], words_of(days))
        assert row["active_days"] == len(active[account])
