"""Agreement of partitions against igraph and against counting all pairs."""

from __future__ import annotations

from itertools import combinations

import igraph
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.partition_agreement import adjusted_rand, bcubed

ACCOUNTS = [f"a{number}" for number in range(12)]


def partitions() -> st.SearchStrategy[dict[str, str]]:
    """Some accounts in clusters; those with label 0 are left out and stand alone."""

    def clusters(labels: list[int]) -> dict[str, str]:
        named = zip(ACCOUNTS, labels, strict=True)
        return {account: f"c{label}" for account, label in named if label}

    return st.lists(st.integers(0, 4), min_size=12, max_size=12).map(clusters)


def sets(partition: dict[str, str]) -> dict[str, set[str]]:
    return {
        a: {b for b in ACCOUNTS if a == b or (a in partition and partition[a] == partition.get(b))}
        for a in ACCOUNTS
    }


@given(partitions(), partitions(), st.sets(st.sampled_from(ACCOUNTS), min_size=1))
def test_bcubed_is_the_mean_over_each_account(
    found: dict[str, str], truth: dict[str, str], accounts: set[str]
) -> None:
    clusters, true = sets(found), sets(truth)
    precision = sum(len(clusters[a] & true[a]) / len(clusters[a]) for a in accounts)
    recall = sum(len(clusters[a] & true[a]) / len(true[a]) for a in accounts)
    expected = precision / len(accounts), recall / len(accounts)
    assert bcubed(accounts, found, truth) == pytest.approx(expected)


@given(partitions(), partitions())
def test_adjusted_rand_equals_igraph(found: dict[str, str], truth: dict[str, str]) -> None:
    def numbers(partition: dict[str, str]) -> list[int]:
        names = [partition.get(account, account) for account in ACCOUNTS]
        return [sorted(set(names)).index(name) for name in names]

    together = [
        {pair for pair in combinations(ACCOUNTS, 2) if pair[1] in sets(partition)[pair[0]]}
        for partition in (found, truth)
    ]
    trivial = together[0] == together[1] and len(together[0]) in (0, 66)
    expected = (
        1.0
        if trivial
        else igraph.compare_communities(numbers(found), numbers(truth), method="adjusted_rand")
    )
    assert adjusted_rand(ACCOUNTS, found, truth) == pytest.approx(expected)


def test_what_cannot_be_compared_has_no_figure() -> None:
    assert bcubed([], {}, {}) is None
    assert adjusted_rand(["a"], {"a": "c1"}, {}) is None
