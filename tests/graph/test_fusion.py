"""Links of several traces become one: each scaled by its trace's median, then added up."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from statistics import median
from typing import Any

import pyarrow as pa

from graph.config import Trace
from graph.engines.base import Engine
from graph.fixed_point import MICRO
from graph.fusion import ACCOUNT_LINKS, fuse, in_fixed_point, published_account_links
from graph.tables import columns

SCHEMA = columns(
    account_a="string",
    account_b="string",
    weight="int64",
    co_actions="int64",
    entities="int64",
    kept="bool",
)
TRACES = {
    "zz_first": Trace(entity="content", family="timing", fusion_weight=0.3),
    "co_post": Trace(entity="content", family="content"),
    "co_like": Trace(entity="target", family="content", fusion_weight=2.0),
    "silent": Trace(entity="device", family="device"),
    "worthless": Trace(entity="device", family="device"),
}
Link = tuple[str, str, int, int, int, bool]


def random_links(seed: int) -> dict[str, list[Link]]:
    random = Random(seed)
    pairs = [(f"a{i}", f"a{j}") for i in range(9) for j in range(i + 1, 9)]
    links: dict[str, list[Link]] = {
        name: [
            (
                *pair,
                random.choice([1, 2, random.randrange(10**8)]),
                random.randrange(1, 9),
                random.randrange(1, 5),
                random.random() < 0.7,
            )
            for pair in random.sample(pairs, 20)
        ]
        for name in list(TRACES)[:3]
    }
    # A trace that keeps nothing, and one whose weights are all 0.
    links["silent"] = [("a0", "a1", 5, 1, 1, False)]
    links["worthless"] = [("a0", "a1", 0, 1, 1, True), ("x", "y", 0, 4, 2, True)]
    return links


def brute_force(links: dict[str, list[Link]]) -> dict[tuple[str, str], dict[str, Any]]:
    fused: dict[tuple[str, str], dict[str, Any]] = defaultdict(
        lambda: {"weight": 0, "traces": set(), "families": set(), "co_actions": 0, "entities": 0}
    )
    for name, rows in links.items():
        weights = [weight for _, _, weight, *_, kept in rows if kept]
        for a, b, weight, co_actions, entities, kept in rows:
            if not kept:
                continue
            scaled = weight / (weight + median(weights)) if weight else 0
            link = fused[a, b]
            link["weight"] += int(scaled * TRACES[name].fusion_weight * MICRO + 0.5)
            link["traces"].add(name)
            link["families"].add(TRACES[name].family)
            link["co_actions"] += co_actions
            link["entities"] += entities
    return {
        ends: {**link, "traces": sorted(link["traces"]), "families": sorted(link["families"])}
        for ends, link in fused.items()
    }


def test_equal_to_a_sum_by_hand(engine: Engine) -> None:
    links = random_links(1)
    expected = brute_force(links)
    frames = {name: engine.from_arrow(table(rows)) for name, rows in links.items()}
    fused = engine.materialize(fuse(engine, frames, TRACES), "fusion")
    found = by_ends(engine, fused)
    assert found == expected
    assert any(len(link["traces"]) > 2 for link in found.values())
    assert found["x", "y"]["weight"] == 0

    published = published_account_links(fused)
    assert published.columns == ACCOUNT_LINKS.columns
    assert {ends: link["weight"] for ends, link in by_ends(engine, published).items()} == {
        ends: link["weight"] / MICRO for ends, link in expected.items()
    }
    assert by_ends(engine, in_fixed_point(published)) == expected


def table(rows: list[Link]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA)


def by_ends(engine: Engine, frame: Any) -> dict[tuple[str, str], dict[str, Any]]:
    rows = engine.to_arrow(frame).to_pylist()
    found = {(row.pop("account_a"), row.pop("account_b")): row for row in rows}
    assert len(found) == len(rows)
    return found
