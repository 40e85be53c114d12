"""Which groups are networks, what is inside them, and what the network table says of them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import combinations, pairwise
from random import Random
from typing import Any

import networkx as nx
import pyarrow as pa
import pytest

from graph.config import Networks
from graph.engines.base import Engine
from graph.frames import F
from graph.networks import NETWORKS, groups, links_inside, memberships, networks
from graph.tables import TIMESTAMP, columns

Links = list[tuple[str, str]]


def random_links(seed: int, graphs: int = 60) -> Links:
    """Graphs of up to eight accounts, from trees to cliques, that share no account."""
    random = Random(seed)
    links: Links = []
    for graph in range(graphs):
        accounts = [f"g{graph:02}.{n}" for n in range(random.randrange(2, 9))]
        share = random.random()
        links += pairwise(accounts)
        links += [pair for pair in combinations(accounts, 2) if random.random() < share]
    return sorted(set(links))


def frames_of(engine: Engine, links: Links) -> tuple[Any, Any, Any, nx.Graph, dict[str, str]]:
    """Components, communities (cut at random), links; and the graph and communities themselves."""
    random = Random(1)
    graph = nx.Graph(links)
    component = {a: (min(c), len(c)) for c in nx.connected_components(graph) for a in c}
    community = {}
    for members in nx.connected_components(graph):
        ordered = sorted(members)
        cut = random.randrange(1, len(ordered) + 1)
        for part in (ordered[:cut], ordered[cut:]):
            community |= {account: part[0] for account in part}
    accounts = sorted(graph)
    components = pa.table(
        {
            "account_id": accounts,
            "component_id": [component[a][0] for a in accounts],
            "size": [component[a][1] for a in accounts],
        }
    )
    communities = pa.table(
        {"account_id": accounts, "community_id": [community[a] for a in accounts]}
    )
    frames = [engine.from_arrow(t) for t in (components, communities, links_table(links))]
    return *frames, graph, community


def links_table(links: Links) -> pa.Table:
    return pa.table({"account_a": [a for a, _ in links], "account_b": [b for _, b in links]})


@pytest.mark.parametrize("dense", [0.2, 0.5, 1.0])
def test_small_dense_components_are_groups_as_they_are(engine: Engine, dense: float) -> None:
    """Others give their communities; what is under min_size is no group."""
    settings = Networks(min_size=3, small=6, dense=dense)
    components, communities, links, graph, community = frames_of(engine, random_links(2))
    found = engine.to_arrow(groups(components, communities, links, settings)).to_pylist()
    expected = {}
    for members in nx.connected_components(graph):
        inside = graph.subgraph(members)
        whole = len(members) <= 6 and nx.density(inside) >= dense
        for account in members:
            expected[account] = min(members) if whole else community[account]
    sizes = Counter(expected.values())
    expected = {a: group for a, group in expected.items() if sizes[group] >= 3}
    assert {row["account_id"]: row["group_id"] for row in found} == expected
    assert len(found) == len(expected)
    for row in found:
        assert row["community_id"] == community[row["account_id"]]
        assert row["component_id"] == min(nx.node_connected_component(graph, row["account_id"]))


def test_the_density_may_just_be_reached(engine: Engine) -> None:
    """A path of ten accounts has 9 of 45 links: exactly a fifth."""
    links = [(f"p{n}", f"p{n + 1}") for n in range(9)]
    components, _, frame, *_ = frames_of(engine, links)
    alone = components.select("account_id", F.col("account_id").alias("community_id"))
    settings = Networks(min_size=3, small=50, dense=0.2)
    assert groups(components, alone, frame, settings).count() == 10
    assert groups(components, alone, frame, Networks(dense=0.200001)).count() == 0


def test_links_inside_are_those_of_two_members(engine: Engine) -> None:
    links = [("a", "b"), ("a", "c"), ("c", "d"), ("d", "x"), ("x", "y")]
    members = pa.table({"account_id": ["a", "b", "c", "d"], "network_id": ["n1", "n1", "n2", "n2"]})
    found = links_inside(
        engine.from_arrow(links_table(links)), engine.from_arrow(members), "network_id"
    )
    rows = engine.to_arrow(found.select("account_a", "account_b", "network_id")).to_pylist()
    assert {tuple(row.values()) for row in rows} == {
        ("a", "b", "n1"),
        ("c", "d", "n2"),
    }


def at(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def test_what_a_network_counts(engine: Engine) -> None:
    members = {"a": "n1", "b": "n1", "c": "n1", "d": "n1", "x": "n2", "y": "n2", "z": "n2"}
    inside = [("a", "b", "n1"), ("b", "c", "n1"), ("c", "d", "n1"), ("a", "d", "n1")]
    inside += [("x", "y", "n2"), ("x", "z", "n2"), ("y", "z", "n2")]
    by_trace = [
        ("n1", "co_post", "content", 5, 9),
        ("n1", "co_like", "target", 3, 4),
        ("n1", "co_follow", "target", 4, 30),
        ("n2", "co_post", "content", 7, 8),
        ("n2", "co_post", "content", 6, 7),
    ]
    trace_schema = columns(
        network_id="string", trace="string", family="string", first_at=TIMESTAMP, last_at=TIMESTAMP
    )
    rows = networks(
        engine.from_arrow(
            pa.table(
                {
                    "account_id": list(members),
                    "network_id": list(members.values()),
                    "is_core": [True, True, False, False, True, True, True],
                }
            )
        ),
        engine.from_arrow(
            pa.table(
                {
                    name: [row[place] for row in inside]
                    for place, name in enumerate(("account_a", "account_b", "network_id"))
                }
            )
        ),
        engine.from_arrow(
            pa.Table.from_pylist(
                [
                    dict(zip(trace_schema.names, (*row[:3], at(row[3]), at(row[4])), strict=True))
                    for row in by_trace
                ],
                trace_schema,
            )
        ),
        engine.from_arrow(pa.table({"network_id": ["n1", "n2"], "lineage": [["n0"], []]})),
    )
    assert rows.columns == NETWORKS.columns
    found = {row["network_id"]: row for row in engine.to_arrow(rows).to_pylist()}
    assert found["n1"] == {
        "network_id": "n1",
        "accounts": 4,
        "core_accounts": 2,
        "links": 4,
        "density": pytest.approx(4 / 6),
        "traces": ["co_follow", "co_like", "co_post"],
        "families": ["content", "target"],
        "first_at": at(3),
        "last_at": at(30),
        "lineage": ["n0"],
    }
    assert found["n2"] == {
        "network_id": "n2",
        "accounts": 3,
        "core_accounts": 3,
        "links": 3,
        "density": 1.0,
        "traces": ["co_post"],
        "families": ["content"],
        "first_at": at(6),
        "last_at": at(8),
        "lineage": [],
    }


def test_members_get_their_strength(engine: Engine) -> None:
    """One that the core table does not name has no link to a member and is not core."""
    names = ("network_id", "account_id", "component_id", "community_id")
    members = pa.table(
        {name: ["n1", "n1"] if name != "account_id" else ["a", "b"] for name in names}
    )
    core = pa.table(
        {
            "network_id": ["n1", "n2"],
            "account_id": ["a", "b"],
            "strength": [1_500_000, 9],
            "is_core": [True, True],
        }
    )
    rows = engine.to_arrow(memberships(engine.from_arrow(members), engine.from_arrow(core)))
    assert {r["account_id"]: (r["strength"], r["is_core"]) for r in rows.to_pylist()} == {
        "a": (1.5, True),
        "b": (0.0, False),
    }
