"""Label propagation on arrays: LDBC Graphalytics' answers, and a brute-force oracle on dicts."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.label_propagation import Rule, propagate, split
from graph.union_find import Forest
from tests.graph.random_graphs import LINKS, Links

WEIGHTS = st.lists(st.integers(0, 5), min_size=80, max_size=80)


def winners(links: Links, weights: list[int], labels: dict[int, int]) -> dict[int, int]:
    """For each account with neighbours, the heaviest label among them, the smallest of several."""
    votes: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for (a, b), weight in zip(links, weights, strict=False):
        if a != b:
            votes[a][labels[b]] += weight
            votes[b][labels[a]] += weight
    return {
        account: min(sums, key=lambda label: (-sums[label], label))
        for account, sums in votes.items()
    }


def brute_force(links: Links, weights: list[int], accounts: int, rule: Rule) -> list[int]:
    """The definition, round by round, over all accounts each time."""
    labels = {account: account for account in range(accounts)}
    number = 0
    while True:
        number += 1
        free = not rule.settles or (number <= rule.max_rounds and number % 2 == 1)
        moves = {
            account: winner
            for account, winner in winners(links, weights, labels).items()
            if winner < labels[account] or (free and winner > labels[account])
        }
        labels |= moves
        if number >= rule.max_rounds and (
            not rule.settles or (number > rule.max_rounds and not moves)
        ):
            return list(labels.values())


def propagated(links: Links, weights: list[int], accounts: int, rule: Rule) -> list[int]:
    left, right = np.array(links, np.int32).reshape(-1, 2).T.copy()
    votes = np.array(weights[: len(links)], np.int64)
    return propagate(left, right, votes, accounts, rule).tolist()


@settings(max_examples=500)
@given(LINKS, WEIGHTS, st.integers(1, 8), st.booleans())
def test_equals_brute_force(links: Links, weights: list[int], rounds: int, settles: bool) -> None:
    rule = Rule(rounds, settles)
    assert propagated(links, weights, 22, rule) == brute_force(links, weights, 22, rule)


@settings(max_examples=200)
@given(LINKS, WEIGHTS, st.integers(1, 8), st.randoms(use_true_random=False))
def test_order_direction_and_repetition_of_links_do_not_matter(
    links: Links, weights: list[int], rounds: int, random: np.random.Generator
) -> None:
    rule = Rule(rounds, settles=True)
    rows = [(a, b, 2 * w) for (a, b), w in zip(links, weights, strict=False)]
    halves = [(b, a, w // 2) for a, b, w in rows for _ in range(2)]
    random.shuffle(halves)
    assert propagated([r[:2] for r in halves], [r[2] for r in halves], 22, rule) == propagated(
        links, [r[2] for r in rows], 22, rule
    )


@given(LINKS, st.lists(st.integers(0, 3), min_size=22, max_size=22))
def test_split_cuts_labels_into_what_their_own_links_connect(
    links: Links, labels: list[int]
) -> None:
    left, right = np.array(links, np.int32).reshape(-1, 2).T.copy()
    inside = nx.Graph((a, b) for a, b in links if labels[a] == labels[b])
    inside.add_nodes_from(range(22))
    expected = {a: min(part) for part in nx.connected_components(inside) for a in part}
    assert split(left, right, np.array(labels)).tolist() == [expected[a] for a in range(22)]


def test_cliques_joined_by_single_links_are_kept_apart() -> None:
    ring = nx.ring_of_cliques(100, 15)
    labels = propagated(list(ring.edges), [1] * ring.size(), len(ring), Rule(20, settles=True))
    cliques = np.reshape(labels, (100, 15))
    assert (cliques == cliques[:, :1]).all()
    assert len(np.unique(cliques[:, 0])) == 100


def test_a_bipartite_graph_settles_on_one_label_each_part() -> None:
    complete = nx.complete_bipartite_graph(5, 8)
    links, weights = list(complete.edges), [1] * complete.size()
    assert propagated(links, weights, 13, Rule(20, settles=True)) == [0] * 13
    swinging = [propagated(links, weights, 13, Rule(n, settles=False)) for n in (20, 21)]
    assert swinging[0] != swinging[1]


def test_a_giant_star_and_a_long_chain_settle() -> None:
    star = [(0, leaf) for leaf in range(1, 50_000)]
    assert set(propagated(star, [1] * len(star), 50_000, Rule(20, settles=True))) == {0}
    chain = [(i, i + 1) for i in range(9_999)]
    labels = propagated(chain, [1] * len(chain), 10_000, Rule(20, settles=True))
    assert labels == sorted(labels)
    assert labels[:2] == [0, 0]


def test_the_heaviest_neighbours_win() -> None:
    links, weights = [(0, 2), (1, 2), (1, 3), (2, 3)], [5, 2, 9, 2]
    labels = propagated(links, weights, 4, Rule(20, settles=True))
    assert labels == [0, 1, 0, 1]


# The answers of LDBC Graphalytics: folder, graph, answer, rounds of label propagation.


def read_links(path: Path) -> tuple[list[int], Links]:
    """Vertices and links of an edge file with its vertex file, or of an adjacency file."""
    if path.suffix == ".e":
        vertices = [int(line) for line in path.with_suffix(".v").read_text().split()]
        edges = [line.split()[:2] for line in path.read_text().splitlines()]
        return vertices, [(int(a), int(b)) for a, b in edges]
    rows = [[int(field) for field in line.split()] for line in path.read_text().splitlines()]
    return [row[0] for row in rows], [(row[0], other) for row in rows for other in row[1:]]


def read_answer(path: Path) -> dict[int, int]:
    rows = (line.split() for line in path.read_text().splitlines())
    return {int(vertex): int(value) for vertex, value in rows}


def by_smallest(answer: dict[int, int]) -> dict[int, int]:
    """An answer whose values name groups, each named by its smallest vertex instead."""
    first_of: dict[int, int] = {}
    for vertex, value in sorted(answer.items()):
        first_of.setdefault(value, vertex)
    return {vertex: first_of[value] for vertex, value in answer.items()}


CDLP = [
    ("ldbc-test-files/test-cdlp-directed.e", "ldbc-test-files/test-cdlp-directed-CDLP", 5),
    ("ldbc-test-files/test-cdlp-undirected.e", "ldbc-test-files/test-cdlp-undirected-CDLP", 5),
    ("ldbc-validation/cdlp/dir-input", "ldbc-validation/cdlp/dir-output", 5),
    ("ldbc-validation/cdlp/undir-input", "ldbc-validation/cdlp/undir-output", 5),
    (
        "ldbc-validation/example/example-directed.e",
        "ldbc-validation/example/example-directed-CDLP",
        2,
    ),
    (
        "ldbc-validation/example/example-undirected.e",
        "ldbc-validation/example/example-undirected-CDLP",
        2,
    ),
]
WCC = [
    ("ldbc-test-files/test-wcc-directed.e", "ldbc-test-files/test-wcc-directed-WCC"),
    ("ldbc-test-files/test-wcc-undirected.e", "ldbc-test-files/test-wcc-undirected-WCC"),
    ("ldbc-validation/wcc/dir-input", "ldbc-validation/wcc/dir-output"),
    ("ldbc-validation/wcc/undir-input", "ldbc-validation/wcc/undir-output"),
    ("ldbc-validation/example/example-directed.e", "ldbc-validation/example/example-directed-WCC"),
    (
        "ldbc-validation/example/example-undirected.e",
        "ldbc-validation/example/example-undirected-WCC",
    ),
]


@pytest.mark.reference
@pytest.mark.parametrize(("graph", "answer", "rounds"), CDLP)
def test_cdlp_of_graphalytics(reference_data: Path, graph: str, answer: str, rounds: int) -> None:
    vertices, links = read_links(reference_data / "graphalytics" / graph)
    place = {vertex: place for place, vertex in enumerate(sorted(vertices))}
    labels = propagated(
        [(place[a], place[b]) for a, b in links], [1] * len(links), len(place), Rule(rounds, False)
    )
    found = {vertex: sorted(vertices)[labels[place[vertex]]] for vertex in vertices}
    assert found == read_answer(reference_data / "graphalytics" / answer)


@pytest.mark.reference
@pytest.mark.parametrize(("graph", "answer"), WCC)
def test_wcc_of_graphalytics(reference_data: Path, graph: str, answer: str) -> None:
    vertices, links = read_links(reference_data / "graphalytics" / graph)
    forest = Forest(pa.int64())
    left, right = zip(*links, *((vertex, vertex) for vertex in vertices), strict=True)
    forest.add(pa.array(left), pa.array(right))
    found = {row["account_id"]: row["component_id"] for row in forest.components().to_pylist()}
    assert found == by_smallest(read_answer(reference_data / "graphalytics" / answer))
