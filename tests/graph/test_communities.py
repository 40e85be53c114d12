"""Communities: the kernel over whole tables, and both ways through the engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.communities import Mode, communities_of, find_communities
from graph.components import Algorithm, find_components
from graph.engines.base import Engine
from graph.frames import DataFrame
from graph.label_propagation import Rule
from tests.graph.random_graphs import INTEGER_IDS, LINKS, STRING_IDS, Links
from tests.graph.test_label_propagation import (
    CDLP,
    WCC,
    WEIGHTS,
    brute_force,
    by_smallest,
    read_answer,
    read_links,
)

Id = int | str


def links_of(links: list[tuple[Id, Id]], weights: list[int], id_type: pa.DataType) -> pa.Table:
    left, right = zip(*links, strict=True) if links else ((), ())
    return pa.table(
        {
            "account_a": pa.array(left, id_type),
            "account_b": pa.array(right, id_type),
            "weight": pa.array(weights[: len(links)], pa.int64()),
        }
    )


def communities_by_definition(
    links: list[tuple[Id, Id]], weights: list[int], rule: Rule
) -> dict[Id, Id]:
    """Brute force on ranks, then each label cut into its connected parts by networkx."""

    def in_bytes(account: Id) -> Id | bytes:
        return account.encode() if isinstance(account, str) else account

    accounts = sorted({account for link in links for account in link}, key=in_bytes)
    rank = {account: place for place, account in enumerate(accounts)}
    ranked = [(rank[a], rank[b]) for a, b in links]
    labels = brute_force(ranked, weights, len(accounts), rule)
    inside = nx.Graph((a, b) for a, b in ranked if labels[a] == labels[b])
    inside.add_nodes_from(range(len(accounts)))
    return {
        accounts[a]: accounts[min(part)] for part in nx.connected_components(inside) for a in part
    }


@settings(max_examples=300)
@given(LINKS, WEIGHTS, st.one_of(INTEGER_IDS, STRING_IDS), st.integers(1, 6))
def test_whole_components_of_a_task_equal_the_definition(
    links: Links, weights: list[int], ids: list[Id], rounds: int
) -> None:
    named = [(ids[a], ids[b]) for a, b in links]
    id_type = pa.int64() if isinstance(ids[0], int) else pa.string()
    schema = pa.schema([("account_id", id_type), ("community_id", id_type)])
    rule = Rule(rounds, settles=True)
    found = communities_of(rule, True, schema)(links_of(named, weights, id_type))
    assert dict(zip(*found.to_pydict().values(), strict=True)) == communities_by_definition(
        named, weights, rule
    )


def communities(
    engine: Engine,
    links: DataFrame,
    mode: Mode,
    rounds: int,
    vertices: Sequence[Id] | None = None,
    **limit: int,
) -> dict[Id, Id]:
    isolated = vertices and engine.from_arrow(pa.table({"account_id": vertices}))
    components = find_components(engine, links, vertices=isolated)
    found = engine.to_arrow(find_communities(engine, links, components, mode, rounds, **limit))
    assert found.column_names == ["account_id", "community_id"]
    assert len(set(found["account_id"].to_pylist())) == found.num_rows
    return dict(zip(*found.to_pydict().values(), strict=True))


def planted(id_type: pa.DataType, seed: int = 5) -> tuple[list[tuple[Id, Id]], list[int]]:
    """Groups of accounts with heavy links inside, light ones between, and a lone account."""
    random = np.random.default_rng(seed)
    graph = nx.random_partition_graph([6, 7, 8, 5, 4, 3], 0.7, 0.02, seed=seed)
    links = [(int(a), int(b)) for a, b in graph.edges] + [(60, 60), (0, 1), (70, 71)]
    weights = random.integers(1, 1_000_000, len(links)).tolist()
    if pa.types.is_string(id_type):
        return [
            (f"ÿ{a}" if a % 3 else f"z{a}", f"ÿ{b}" if b % 3 else f"z{b}") for a, b in links
        ], weights
    return links, weights


@pytest.mark.parametrize("id_type", [pa.int64(), pa.string()], ids=str)
def test_tasks_and_aggregations_agree_with_the_definition(
    engine: Engine, id_type: pa.DataType
) -> None:
    links, weights = planted(id_type)
    frame = engine.materialize(engine.from_arrow(links_of(links, weights, id_type)), "planted")
    expected = communities_by_definition(links, weights, Rule(4, settles=True))
    assert len(set(expected.values())) > 5
    assert communities(engine, frame, "weighted", 4) == expected
    assert communities(engine, frame, "weighted", 4, task_limit=10) == expected


def test_partitions_and_the_order_of_rows_do_not_matter(engine: Engine) -> None:
    links, weights = planted(pa.string(), seed=6)
    expected = communities_by_definition(links, weights, Rule(20, settles=True))
    for partitions in (1, 2, 17):
        order = np.random.default_rng(partitions).permutation(len(links))
        table = links_of(links, weights, pa.string()).take(order)
        frame = engine.from_arrow(table).repartition(partitions)
        assert communities(engine, frame, "weighted", 20) == expected


def test_many_buckets_give_the_same_communities(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.buckets.ROWS_A_BUCKET", 5)
    for id_type in (pa.int64(), pa.string()):
        links, weights = planted(id_type, seed=8)
        frame = engine.from_arrow(links_of(links, weights, id_type))
        expected = communities_by_definition(links, weights, Rule(20, settles=True))
        assert communities(engine, frame, "weighted", 20) == expected


@pytest.mark.parametrize(("algorithm", "limit"), [("forest", 3), ("auto", 7)])
def test_parts_of_large_components_are_found_as_the_settings_say(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, algorithm: Algorithm, limit: int
) -> None:
    asked: list[tuple[object, ...]] = []

    def find(*given: DataFrame, **settings: object) -> DataFrame:
        asked.append((settings["algorithm"], settings["driver_forest_limit"]))
        return find_components(*given, vertices=settings["vertices"])

    monkeypatch.setattr("graph.communities.find_components", find)
    links, weights = planted(pa.int64())
    frame = engine.materialize(engine.from_arrow(links_of(links, weights, pa.int64())), "planted")
    components = find_components(engine, frame)
    found = find_communities(
        engine, frame, components, "weighted", 4, 10, algorithm, driver_forest_limit=limit
    )
    assert found.count() == components.count()
    assert asked == [(algorithm, limit)]


@pytest.mark.reference
@pytest.mark.parametrize(
    ("graph", "answer", "rounds", "limit"),
    [*((*case, {}) for case in CDLP), (*CDLP[0], {"task_limit": 1})],
)
def test_cdlp_of_graphalytics(
    engine: Engine,
    reference_data: Path,
    graph: str,
    answer: str,
    rounds: int,
    limit: dict[str, int],
) -> None:
    folder = reference_data / "graphalytics"
    vertices, links = read_links(folder / graph)
    frame = engine.from_arrow(links_of(links, list(range(len(links))), pa.int64()))
    found = communities(engine, frame, "cdlp", rounds, vertices, **limit)
    assert found == read_answer(folder / answer)


@pytest.mark.reference
@pytest.mark.parametrize(("graph", "answer"), WCC)
def test_components_of_graphalytics(
    engine: Engine, reference_data: Path, graph: str, answer: str
) -> None:
    folder = reference_data / "graphalytics"
    vertices, links = read_links(folder / graph)
    frame = engine.from_arrow(links_of(links, [1] * len(links), pa.int64()))
    isolated = engine.from_arrow(pa.table({"account_id": vertices}))
    found = engine.to_arrow(find_components(engine, frame, vertices=isolated)).to_pylist()
    assert {row["account_id"]: row["component_id"] for row in found} == by_smallest(
        read_answer(folder / answer)
    )


def test_isolated_accounts_are_communities_of_one(engine: Engine) -> None:
    links = engine.from_arrow(links_of([("b", "c")], [1], pa.string()))
    vertices = engine.from_arrow(pa.table({"account_id": ["a", "b"]}))
    components = find_components(engine, links, vertices=vertices)
    found = engine.to_arrow(find_communities(engine, links, components)).to_pydict()
    assert dict(zip(*found.values(), strict=True)) == {"a": "a", "b": "b", "c": "b"}
