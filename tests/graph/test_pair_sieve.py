"""The sieve of pairs loses nothing that a trace keeps, and drops nearly all else."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import pair_sieve
from graph.pair_kernels import Pairs
from graph.pair_sieve import Sieve

ENTRY = st.tuples(
    st.integers(0, 30),
    st.integers(31, 60),
    st.integers(0, 3),
    st.sampled_from([1, 2, 254, 1 << 40]),
)


def entries(rows: list[tuple[int, int, int, int]]) -> Pairs:
    """Added-up pairs: smaller account, larger account, entity, co-actions."""
    account_a, account_b, entity, co_actions = np.array(rows, np.int64).reshape(-1, 4).T
    zeros = np.zeros(len(account_a), np.int64)
    return Pairs(
        account_a.astype(np.int32),
        account_b.astype(np.int32),
        entity.astype(np.int32),
        co_actions,
        zeros,
        zeros,
        zeros,
    )


@given(
    st.lists(ENTRY, max_size=80, unique_by=lambda entry: entry[:3]),
    st.integers(1, 300),
    st.integers(1, 3),
    st.sampled_from([1, 8, 1 << 16]),
)
def test_pairs_that_are_enough_pass_however_few_counters(
    rows: list[tuple[int, int, int, int]], min_co_actions: int, min_entities: int, counters: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pair_sieve, "LEAST_COUNTERS", counters)
        patched.setattr(pair_sieve, "MOST_COUNTERS", counters)
        sieve = Sieve(len(rows), min_co_actions, min_entities)
    pairs = entries(rows)
    sieve.count(pairs)
    passed = sieve.let_through(pairs)
    totals: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for account_a, account_b, _, co_actions in rows:
        totals[account_a, account_b][0] += co_actions
        totals[account_a, account_b][1] += 1
    enough = {
        pair
        for pair, (co_actions, entities) in totals.items()
        if co_actions >= min_co_actions and entities >= min_entities
    }
    left = list(zip(passed.account_a.tolist(), passed.account_b.tolist(), strict=True))
    assert enough <= set(left)
    assert all(left.count(pair) == totals[pair][1] for pair in set(left)), "all entries of a pair"


def test_threads_count_together_and_few_pass_without_need() -> None:
    accounts = np.arange(200_000, dtype=np.int32)
    once = [(int(each), 1 << 30, 0, 1) for each in accounts]
    thrice = [(int(each), 1 << 29, entity, 1) for each in accounts[:100] for entity in range(3)]
    sieve = Sieve(len(accounts), min_co_actions=3, min_entities=3)
    parts = [entries([*once[part::8], *thrice[part::8]]) for part in range(8)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(sieve.count, parts))
    passed = sum(len(sieve.let_through(part)) for part in parts)
    assert 300 <= passed < 1_000, "a bucket of three different pairs is rare"


def test_no_count_is_lost_where_threads_meet() -> None:
    """Each of two threads counts the same pairs a hundred times, in the same order."""
    accounts = np.tile(np.arange(10_000, dtype=np.int32), 100)
    zeros = np.zeros(len(accounts), np.int64)
    ones = np.ones(len(accounts), np.int64)
    others = np.full(len(accounts), 1 << 20, np.int32)
    entities = np.repeat(np.arange(100, dtype=np.int32), 10_000)
    pairs = Pairs(accounts, others, entities, ones, zeros, zeros, zeros)
    for _ in range(5):
        sieve = Sieve(len(accounts), min_co_actions=200, min_entities=1)
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(sieve.count, [pairs, pairs]))
        assert len(sieve.let_through(pairs)) == len(pairs)
