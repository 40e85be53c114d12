"""The core of a network: strength against the median, then peeling."""

from __future__ import annotations

from fractions import Fraction
from statistics import median

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.core_members import MICRO, core, core_of, find_core, least_strengths
from graph.engines.base import Engine

SCHEMA = pa.schema(
    [
        ("network_id", pa.string()),
        ("account_id", pa.string()),
        ("strength", pa.int64()),
        ("is_core", pa.bool_()),
    ]
)
Link = tuple[str, str, str, int]


def table_of(links: list[Link]) -> pa.Table:
    networks, left, right, weights = zip(*links, strict=True) if links else ([], [], [], [])
    return pa.table(
        {
            "network_id": pa.array(networks, pa.string()),
            "account_a": pa.array(left, pa.string()),
            "account_b": pa.array(right, pa.string()),
            "weight": pa.array(weights, pa.int64()),
        }
    )


def cores(links: list[Link], core_cut: float = 0.25) -> dict[tuple[str, str], tuple[int, bool]]:
    found = core_of(core_cut, SCHEMA)(table_of(links)).to_pylist()
    return {(r["network_id"], r["account_id"]): (r["strength"], r["is_core"]) for r in found}


def brute_force(links: list[Link], cut: Fraction) -> dict[tuple[str, str], tuple[int, bool]]:
    """The definition, network by network, with exact fractions."""
    expected = {}
    for network in {link[0] for link in links}:
        own = [link for link in links if link[0] == network]
        members = {a for _, a, _, _ in own} | {b for _, _, b, _ in own}
        strength = {m: sum(w for _, a, b, w in own if a != b and m in (a, b)) for m in members}
        least = cut * Fraction(median(map(Fraction, strength.values())))
        core_members = {m for m in members if strength[m] >= least}
        while weak := {
            m
            for m in core_members
            if len(
                {a if b == m else b for _, a, b, _ in own if a != b and m in (a, b)} & core_members
            )
            < 2
        }:
            core_members -= weak
        expected |= {(network, m): (strength[m], m in core_members) for m in members}
    return expected


def test_a_triangle_is_core_and_its_tail_is_not() -> None:
    found = cores([("n", "a", "b", 5), ("n", "b", "c", 5), ("n", "a", "c", 5), ("n", "c", "d", 5)])
    assert found == {
        ("n", "a"): (10, True),
        ("n", "b"): (10, True),
        ("n", "c"): (15, True),
        ("n", "d"): (5, False),
    }


def test_peeling_goes_on_until_nobody_leaves() -> None:
    chain = [("n", f"m{i}", f"m{i + 1}", 1) for i in range(50)]
    assert not any(is_core for _, is_core in cores(chain).values())
    ring = [*chain, ("n", "m50", "m0", 1)]
    assert all(is_core for _, is_core in cores(ring).values())


def test_two_rows_between_the_same_members_are_one_link() -> None:
    assert not any(
        is_core for _, is_core in cores([("n", "a", "b", 1), ("n", "b", "a", 1)]).values()
    )


def test_a_weak_member_of_a_clique_is_not_core() -> None:
    strong = [("n", a, b, 100) for a, b in ("ab", "ac", "ad", "bc", "bd", "cd")]
    found = cores([*strong, ("n", "e", "a", 30), ("n", "e", "b", 30)])
    assert found["n", "e"] == (60, False)
    assert sum(is_core for _, is_core in found.values()) == 4


def test_the_cut_is_exact_at_the_border() -> None:
    # Strengths 4, 4, 6, 6: the median is 5, and 0.8 of it is exactly 4.
    network_of = np.zeros(4, np.int32)
    assert least_strengths(np.array([4, 4, 6, 6]), network_of, 800_000).tolist() == [4]
    assert least_strengths(np.array([4, 4, 6, 6]), network_of, 800_001).tolist() == [5]


@given(
    st.lists(st.integers(0, 2**60), min_size=1, max_size=9),
    st.integers(0, 4 * MICRO),
)
def test_the_least_strength_is_exact_for_large_sums(strengths: list[int], cut: int) -> None:
    found = least_strengths(np.array(strengths), np.zeros(len(strengths), np.int32), cut)
    exact = Fraction(cut, MICRO) * Fraction(median(map(Fraction, strengths)))
    assert found.tolist() == [-(-exact.numerator // exact.denominator)]


NAMES = st.sampled_from("abcdefgh")
LINKS = st.lists(st.tuples(st.sampled_from(["n", "ñ", "o"]), NAMES, NAMES, st.integers(0, 9)))


@settings(max_examples=300)
@given(LINKS, st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5]))
def test_equals_the_definition(links: list[Link], core_cut: float) -> None:
    assert cores(links, core_cut) == brute_force(links, Fraction(core_cut))


def test_integer_members_without_names() -> None:
    left, right = np.array([0, 1, 2], np.int32), np.array([1, 2, 0], np.int32)
    strength, is_core = core(left, right, np.array([3, 4, 5]), np.zeros(3, np.int32), MICRO)
    assert strength.tolist() == [8, 7, 9]
    assert is_core.tolist() == [False, False, False]


def test_through_the_engine_with_members_without_links(engine: Engine) -> None:
    links = [("n", "a", "b", 5), ("n", "b", "c", 5), ("n", "a", "c", 5), ("o", "a", "x", 7)]
    members = pa.table({"network_id": ["n", "p", "o"], "account_id": ["a", "lone", "x"]})
    found = find_core(engine, engine.from_arrow(table_of(links)), 0.25, engine.from_arrow(members))
    assert sorted(map(tuple, (row.values() for row in engine.to_arrow(found).to_pylist()))) == [
        ("n", "a", 10, True),
        ("n", "b", 10, True),
        ("n", "c", 10, True),
        ("o", "a", 7, False),
        ("o", "x", 7, False),
        ("p", "lone", 0, False),
    ]
