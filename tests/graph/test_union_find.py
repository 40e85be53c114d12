"""Union-find over batches of links: ids, forests and components, against scipy and networkx."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from graph.id_index import id_index
from graph.id_kernels import hashed, mixed
from graph.union_find import Forest
from tests.graph.random_graphs import INTEGER_IDS, LINKS, STRING_IDS, Links

Id = int | str


def type_of(ids: list[Id]) -> pa.DataType:
    return pa.int64() if isinstance(ids[0], int) else pa.string()


def forest_of(links: list[tuple[Id, Id]], id_type: pa.DataType, batch: int = 5) -> Forest:
    forest = Forest(id_type)
    for start in range(0, len(links), batch):
        left, right = zip(*links[start : start + batch], strict=True)
        forest.add(pa.array(left, id_type), pa.array(right, id_type))
    return forest


def components_of(forest: Forest) -> dict[Id, tuple[Id, int]]:
    return {
        row["account_id"]: (row["component_id"], row["size"])
        for row in forest.components().to_pylist()
    }


def by_networkx(links: list[tuple[Id, Id]]) -> dict[Id, tuple[Id, int]]:
    def in_bytes(account: Id) -> Id | bytes:
        return account.encode() if isinstance(account, str) else account

    return {
        account: (min(component, key=in_bytes), len(component))
        for component in nx.connected_components(nx.Graph(links))
        for account in component
    }


@settings(max_examples=300)
@given(LINKS, st.one_of(INTEGER_IDS, STRING_IDS))
def test_components_equal_networkx(links: Links, ids: list[Id]) -> None:
    named = [(ids[a], ids[b]) for a, b in links]
    forest = forest_of(named, type_of(ids))
    assert components_of(forest) == by_networkx(named)


@settings(max_examples=200)
@given(LINKS, st.one_of(INTEGER_IDS, STRING_IDS), st.integers(1, 6))
def test_forests_of_any_split_have_the_same_components(
    links: Links, ids: list[Id], tasks: int
) -> None:
    named = [(ids[a], ids[b]) for a, b in links]
    merged = Forest(type_of(ids))
    for task in range(tasks):
        for batch in forest_of(named[task::tasks], type_of(ids)).links():
            merged.add(batch.column(0), batch.column(1))
    assert components_of(merged) == by_networkx(named)


@given(LINKS)
def test_a_forest_has_no_more_links_than_accounts(links: Links) -> None:
    reduced = [
        (row["account_a"], row["account_b"])
        for batch in forest_of(links, pa.int64()).links()
        for row in batch.to_pylist()
    ]
    sizes = Counter(component for component, _ in by_networkx(links).values())
    assert len(reduced) == sum(max(size - 1, 1) for size in sizes.values())


def test_components_equal_scipy_on_a_large_graph() -> None:
    random = np.random.default_rng(7)
    ids = random.integers(-(2**63), 2**63 - 1, 20_000)
    left, right = random.integers(0, len(ids), (2, 15_000))
    forest = Forest(pa.int64())
    forest.add(pa.array(ids[left]), pa.array(ids[right]))
    found = forest.components()

    graph = coo_matrix((np.ones(len(left)), (left, right)), (len(ids), len(ids)))
    labels = connected_components(graph, directed=False)[1]
    smallest = np.full(labels.max() + 1, 2**63 - 1)
    np.minimum.at(smallest, labels, ids)
    expected = dict(zip(ids.tolist(), smallest[labels].tolist(), strict=True))
    assert found.num_rows == len(np.unique([left, right]))
    ids_found, components, _ = found.to_pydict().values()
    assert [expected[account] for account in ids_found] == components


def test_a_long_chain_and_a_giant_star_are_one_component_each() -> None:
    chain = np.arange(10_000)
    forest = Forest(pa.int64())
    order = np.random.default_rng(1).permutation(len(chain) - 1)
    forest.add(pa.array(chain[:-1][order]), pa.array(chain[1:][order]))
    forest.add(pa.array(np.full(50_000, -1)), pa.array(np.arange(20_000, 70_000)))
    found = components_of(forest)
    assert {found[account] for account in chain.tolist()} == {(0, 10_000)}
    assert found[-1] == found[69_999] == (-1, 50_001)


def letters_hash(text: bytes) -> int:
    return int(hashed(np.frombuffer(text, np.uint8), 0, len(text)))


def strings_that_hash_alike() -> list[tuple[str, str]]:
    """Pairs of different strings of 24 bytes with the same 64-bit hash.

    After the first word the states s and t differ; second words that differ by s ^ t bring them
    together, and text needs only that no byte of the difference has its high bit set.
    """
    words = [bytes(word) for word in np.random.default_rng(3).integers(97, 123, (64, 8), np.uint8)]
    states = [int(mixed(24 ^ int.from_bytes(word, "little"))) for word in words]
    pairs = []
    for (first, s), (other, t) in combinations(zip(words, states, strict=True), 2):
        difference = (s ^ t) & (2**64 - 1)
        if not difference & 0x8080808080808080:
            second = int.from_bytes(b"abcdefgh", "little")
            met = (second ^ difference).to_bytes(8, "little")
            pairs.append(((first + b"abcdefgh" * 2).decode(), (other + met + b"abcdefgh").decode()))
    return pairs


def integers_of_one_slot(number: int) -> list[int]:
    """Integers whose hashes differ in their high bits only, by inverting `mixed`."""
    ids = []
    for hash_value in range(0, number << 44, 1 << 44):
        folded = hash_value ^ (hash_value >> 29) ^ (hash_value >> 58)
        value = folded * pow(-7046029254386353131, -1, 1 << 64) % (1 << 64)
        value ^= value >> 32
        ids.append(value - (1 << 64) if value >> 63 else value)
    return ids


def test_strings_that_hash_alike_stay_apart() -> None:
    pairs = strings_that_hash_alike()
    assert len(pairs) >= 3
    for one, other in pairs:
        assert one != other
        assert letters_hash(one.encode()) == letters_hash(other.encode())
    links = [(one, f"friend of {one}") for pair in pairs for one in pair]
    for batch in (1, 2, 100):
        assert components_of(forest_of(links, pa.string(), batch)) == by_networkx(links)


def test_integers_that_hash_to_one_slot_stay_apart() -> None:
    ids = integers_of_one_slot(500)
    assert {int(mixed(np.int64(one))) % (1 << 40) for one in ids} == {0}
    links = list(zip(ids[::2], ids[1::2], strict=True))
    assert components_of(forest_of(links, pa.int64())) == by_networkx(links)


@given(st.lists(st.text(max_size=20)), st.integers(0, 5))
def test_positions_follow_first_appearance(ids: list[str], skipped: int) -> None:
    array = pa.array(ids, pa.string())[skipped:]
    order = list(dict.fromkeys(array.to_pylist()))
    index = id_index(pa.string())
    assert index.positions(array).tolist() == [order.index(one) for one in array.to_pylist()]
    assert index.positions(array[1:]).tolist() == [
        order.index(one) for one in array[1:].to_pylist()
    ]
    assert index.ids().to_pylist() == order
    assert [order[place] for place in index.order()] == sorted(order, key=str.encode)


def test_no_links_are_no_components() -> None:
    forest = forest_of([], pa.string())
    assert forest.components().num_rows == 0
    assert sum(batch.num_rows for batch in forest.links()) == 0


def test_null_ids_and_other_types_are_refused() -> None:
    with pytest.raises(ValueError, match=r"null \(row 1 of its batch\)"):
        Forest(pa.string()).add(pa.array(["a", None]), pa.array(["b", "c"]))
    with pytest.raises(TypeError, match="int64 or string, not double"):
        Forest(pa.float64())
