"""Surprise is the Chernoff bound of a Poisson tail: never more than the tail itself says."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from graph.config import Trace
from graph.engines.base import Engine
from graph.surprise import expected_by_degree, expected_in_windows, surprise, with_surprise
from tests.graph.link_rules import digits_of
from tests.graph.link_rules import surprise as formula

MICRO = 1_000_000
counts = st.integers(0, 10_000)
expectations = st.integers(0, 20_000 * MICRO)


@given(st.lists(st.tuples(counts, expectations), min_size=1))
def test_equal_to_the_formula(pairs: list[tuple[int, int]]) -> None:
    found, expected = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    for units, k, rate in zip(surprise(found, expected), found, expected, strict=True):
        exact = formula(int(k), int(rate) / MICRO)
        assert exact * MICRO - 2 <= units <= exact * MICRO + 1e-3


@given(counts, expectations)
def test_never_more_than_the_tail(k: int, expected: int) -> None:
    (units,) = surprise(np.array([k]), np.array([expected]))
    assert units / MICRO <= digits_of(poisson.sf(k - 1, max(expected, 1) / MICRO)) + 1e-9


def test_what_is_expected_is_no_surprise() -> None:
    expected = np.array([3 * MICRO, 4 * MICRO, 3 * MICRO - 1, 0, 0])
    found = np.array([3, 3, 3, 0, 1])
    assert (surprise(found, expected) > 0).tolist() == [False, False, False, False, True]
    # One co-action where none was expected is taken as one in a million, not as impossible.
    assert surprise(np.array([1]), np.array([0]))[0] / MICRO == pytest.approx(5.5657, abs=1e-4)


def table(**columns: Any) -> pa.Table:
    return pa.table(columns)


def test_chance_in_windows_is_counted_bin_by_bin(engine: Engine) -> None:
    """Other types, widths and event types in the same table must not count."""
    random = Random(3)
    width = 2 * 900 * MICRO + 1
    trace = Trace(entity="content", family="content", events=("post", "share"), window="15m")
    keys = {
        (f"a{random.randrange(12)}", entity, event_type, bin_width, random.randrange(-3, 3))
        for entity in ("content", "device")
        for event_type in ("post", "share", "like")
        for bin_width in (0, width, width - 1)
        for _ in range(60)
    }
    activity = {key: random.randrange(1, 50) for key in sorted(keys)}
    bins = {("t", t): (random.randrange(60, 90), random.randrange(500, 900)) for t in range(-3, 3)}
    bins |= {("other", t): (1, 1) for t in range(-3, 3)}
    links = [(f"a{i}", f"a{j}") for i in range(12) for j in range(12) if f"a{i}" < f"a{j}"]
    names = ("account_id", "entity_type", "event_type", "bin_width_us", "bin")
    found = expected_in_windows(
        engine,
        engine.from_arrow(table(account_a=[a for a, _ in links], account_b=[b for _, b in links])),
        "t",
        trace,
        engine.from_arrow(
            table(
                **{name: [key[place] for key in activity] for place, name in enumerate(names)},
                events=list(activity.values()),
            )
        ),
        engine.from_arrow(
            table(
                trace=[name for name, _ in bins],
                bin=[t for _, t in bins],
                events=[events for events, _ in bins.values()],
                squares=[squares for _, squares in bins.values()],
            )
        ),
    )
    own: Counter[tuple[str, int]] = Counter()
    for (account, entity, event_type, bin_width, t), events in activity.items():
        if (entity, bin_width) == ("content", width) and event_type in ("post", "share"):
            own[account, t] += events
    rows = {(row["account_a"], row["account_b"]): row["expected"] for row in rows_of(engine, found)}
    assert len(rows) > 50
    for (a, b), units in rows.items():
        shared = {t: bins["t", t][1] / bins["t", t][0] ** 2 for t in range(-3, 3)}
        chances = [own[a, t] * own[b, t] * chance for t, chance in shared.items()]
        if not any(chances):
            chances = [
                own[a, t] * own[b, t + step] * max(chance, shared.get(t + step, 0))
                for t, chance in shared.items()
                for step in (-1, 1)
            ]
        assert sum(chances) * MICRO <= units + 1e-6
        assert units <= sum(chances) * MICRO + len(chances)


def test_chance_without_a_window_grows_with_both_degrees(engine: Engine) -> None:
    random = Random(4)
    edges = sorted({(f"a{random.randrange(20)}", f"e{random.randrange(15)}") for _ in range(140)})
    linking = [f"e{number}" for number in range(9)]
    links = [("a0", "a1"), ("a2", "a3"), ("a10", "a4")]
    found = expected_by_degree(
        engine,
        engine.from_arrow(table(account_a=[a for a, _ in links], account_b=[b for _, b in links])),
        engine.from_arrow(table(account_id=[a for a, _ in edges], entity_id=[e for _, e in edges])),
        engine.from_arrow(table(entity_id=linking)),
    )
    of_account, of_entity = Counter(a for a, _ in edges), Counter(e for _, e in edges)
    chance = sum(of_entity[e] * (of_entity[e] - 1) for e in linking) / len(edges) ** 2
    rows = {(row["account_a"], row["account_b"]): row["expected"] for row in rows_of(engine, found)}
    assert rows.keys() == set(links)
    for (a, b), units in rows.items():
        assert 0 <= units - of_account[a] * of_account[b] * chance * MICRO <= 1 + 1e-6


def test_links_get_their_surprise(engine: Engine) -> None:
    """No chance at all is one in a million; of an unknown chance nothing is claimed."""
    schema = pa.schema([("account_a", pa.string())])
    links = table(
        account_a=["x", "y", "z", "unknown"],
        found=[4, 1, 2, 4],
        expected=pa.array([500_000, 0, 2 * MICRO, None], pa.int64()),
    )
    rows = rows_of(engine, with_surprise(engine, engine.from_arrow(links), schema))
    digits = {row["account_a"]: row["surprise"] / MICRO for row in rows}
    told = {"x": formula(4, 0.5), "y": formula(1, 1e-6), "z": 0, "unknown": 0}
    assert digits == pytest.approx(told, abs=1e-6)


def rows_of(engine: Engine, frame: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = engine.to_arrow(frame).to_pylist()
    return rows
