"""Whose place in the core hangs on one entity or one neighbour."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.config import Trace
from graph.drops import find_drops
from graph.engines.base import Engine
from graph.fixed_point import MICRO
from graph.frames import engine_api

TRACES = {
    "shared_device": Trace(entity="device", family="device"),
    "co_like": Trace.model_validate(
        {"entity": "target", "family": "target", "window": "10m", "min_entities": 2}
    ),
}
LEAST = {"shared_device": 1, "co_like": 2}
TYPE = {"shared_device": "device", "co_like": "target"}
CUT = 0.25

Evidence = tuple[str, str, str, str]
"""account_a, account_b, trace, entity_id"""


def weights(evidence: Iterable[Evidence]) -> dict[tuple[str, str], int]:
    """Links weigh one for each of their traces."""
    traces: dict[tuple[str, str], set[str]] = {}
    for a, b, trace, _ in evidence:
        traces.setdefault((a, b), set()).add(trace)
    return {pair: MICRO * len(names) for pair, names in traces.items()}


def find(
    engine: Engine, evidence: list[Evidence], alone: str = "", cut: float = CUT
) -> dict[str, tuple[int, list[str]]]:
    """What drops whom; `alone` are members whom nothing links."""
    links = [
        {
            "network_id": "n",
            "account_a": a,
            "account_b": b,
            "weight": weight,
            "traces": sorted({each[2] for each in evidence if each[:2] == (a, b)}),
        }
        for (a, b), weight in weights(evidence).items()
    ]
    rows = [
        dict(account_a=a, account_b=b, trace=trace, entity_type=TYPE[trace], entity_id=entity)
        for a, b, trace, entity in evidence
    ]
    names = sorted({name for each in evidence for name in each[:2]} | set(alone))
    found = find_drops(
        engine,
        engine.from_arrow(pa.table({"network_id": ["n"] * len(names), "account_id": names})),
        engine.from_arrow(pa.Table.from_pylist(links)),
        engine.from_arrow(pa.Table.from_pylist(rows)),
        TRACES,
        cut,
    )
    return {
        row["account_id"]: (row["drops"], row["dropped_by"])
        for row in engine.to_arrow(found).to_pylist()
    }


def clique(members: str, trace: str, *entities: str) -> list[Evidence]:
    return [(a, b, trace, entity) for a in members for b in members if a < b for entity in entities]


def test_a_group_that_one_device_holds_together_falls_with_it(engine: Engine) -> None:
    found = find(engine, clique("abcd", "shared_device", "phone"))
    assert found == dict.fromkeys("abcd", (1, ["device:phone"]))


def test_members_without_a_link_count_in_what_the_core_needs(engine: Engine) -> None:
    """Two whom nothing links any more lower the median, so that `d` is core, by one tablet."""
    ring = [row for a in ("ab", "ac", "bc") for row in clique(a, "shared_device", f"phone of {a}")]
    ring += clique("abc", "co_like", "post", "reel")
    weak = [(name, "d", "shared_device", "tablet") for name in "abc"]
    assert "d" not in find(engine, ring + weak, cut=0.7)
    assert find(engine, ring + weak, alone="xy", cut=0.7)["d"][1][-1] == "device:tablet"


def test_a_second_device_for_all_keeps_everybody(engine: Engine) -> None:
    assert find(engine, clique("abcd", "shared_device", "phone", "tablet")) == {}


def test_three_accounts_hang_on_each_other(engine: Engine) -> None:
    found = find(engine, clique("abc", "shared_device", "phone", "tablet"))
    assert found["a"] == (2, ["account:b", "account:c"])


def test_a_trace_falls_when_too_few_of_its_entities_are_left(engine: Engine) -> None:
    """co_like needs two targets: with exactly two, each of them holds the links."""
    found = find(engine, clique("abcd", "co_like", "page", "film"))
    assert found["d"] == (2, ["target:film", "target:page"])
    assert find(engine, clique("abcd", "co_like", "page", "film", "song")) == {}


def brute_core(evidence: list[Evidence], full: dict[str, int], least: float) -> set[str]:
    """The core from its definition, with links as the evidence that is left makes them."""
    held: dict[tuple[str, str], set[str]] = {}
    for a, b, trace, _ in evidence:
        entities = {each[3] for each in evidence if each[:3] == (a, b, trace)}
        if len(entities) >= LEAST[trace]:
            held.setdefault((a, b), set()).add(trace)
    strength = dict.fromkeys(full, 0)
    for (a, b), traces in held.items():
        for account in (a, b):
            strength[account] += MICRO * len(traces)
    inside = {account for account in full if strength[account] >= least}
    while True:
        stay = {
            account
            for account in inside
            if len({x for pair in held if account in pair for x in pair if x in inside}) > 2
        }
        if stay == inside:
            return inside
        inside = stay


@st.composite
def evidences(draw: st.DrawFn) -> list[Evidence]:
    """Networks of up to seven accounts whose traces all hold while nothing is taken away."""
    pairs = [(a, b) for a in "abcdefg" for b in "abcdefg" if a < b]
    rows: list[Evidence] = []
    for a, b in draw(st.lists(st.sampled_from(pairs), unique=True, min_size=1, max_size=14)):
        for trace in draw(st.sets(st.sampled_from(sorted(TRACES)), min_size=1)):
            entities = st.sets(st.sampled_from("xyz"), min_size=LEAST[trace])
            rows += [(a, b, trace, f"{trace}-{each}") for each in sorted(draw(entities))]
    return rows


@settings(max_examples=60)
@given(evidences())
def test_drops_are_those_of_the_definition(duckdb_engine: Engine, evidence: list[Evidence]) -> None:
    full = dict.fromkeys(sorted({x for row in evidence for x in row[:2]}), 0)
    for (a, b), weight in weights(evidence).items():
        full[a] += weight
        full[b] += weight
    ordered = sorted(full.values())
    median = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    whole = brute_core(evidence, full, CUT * median)
    expected: dict[str, list[str]] = {}
    for trace, entity in sorted({row[2:] for row in evidence}):
        rest = [row for row in evidence if row[3] != entity]
        for account in whole - brute_core(rest, full, CUT * median):
            expected.setdefault(account, []).append(f"{TYPE[trace]}:{entity}")
    for neighbour in full:
        rest = [row for row in evidence if neighbour not in row[:2]]
        for account in whole - brute_core(rest, full, CUT * median) - {neighbour}:
            expected.setdefault(account, []).append(f"account:{neighbour}")
    with engine_api(duckdb_engine.api_root):
        found = find(duckdb_engine, evidence)
    assert found == {
        account: (len(names), sorted(names)[:5]) for account, names in expected.items()
    }
