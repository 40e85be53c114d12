"""Components of accounts and entities together equal networkx's, without hubs and targets."""

from __future__ import annotations

from random import Random

import networkx as nx
import pyarrow as pa
import pytest

from graph.engines.base import Engine
from graph.heterogeneous import ENTITIES, HETEROGENEOUS_COMPONENTS, heterogeneous_components


@pytest.mark.spark
@pytest.mark.graphframes
def test_equal_to_networkx(engine: Engine, graphframes: None) -> None:
    """Ids with colons, and one id that an account and entities of all types have."""
    random = Random(12)
    kinds = (*ENTITIES, "target", "ip_network")
    edges = {
        (f"a:{random.randrange(60)}", random.choice(kinds), f"x:{random.randrange(80)}")
        for _ in range(110)
    } | {("same", kind, "same") for kind in kinds}
    hubs = {(kind, f"x:{number}") for kind in kinds for number in range(8)}
    entities = sorted({(kind, name) for _, kind, name in edges})
    accounts = sorted({account for account, _, _ in edges})
    found = heterogeneous_components(
        engine,
        engine.from_arrow(
            pa.table(
                {
                    name: [edge[place] for edge in sorted(edges)]
                    for place, name in enumerate(("account_id", "entity_type", "entity_id"))
                }
            )
        ),
        engine.from_arrow(
            pa.table(
                {
                    "node_type": ["account"] * len(accounts) + [kind for kind, _ in entities],
                    "node_id": accounts + [name for _, name in entities],
                    "is_hub": [False] * len(accounts) + [each in hubs for each in entities],
                }
            )
        ),
    )
    assert sorted(found.columns) == sorted(HETEROGENEOUS_COMPONENTS.columns)
    graph = nx.Graph(
        (("account", account), (kind, name))
        for account, kind, name in edges
        if kind in ENTITIES and (kind, name) not in hubs
    )
    expected = {
        node: (min(":".join(member) for member in members), len(members))
        for members in nx.connected_components(graph)
        for node in members
    }
    rows = engine.to_arrow(found).to_pylist()
    assert len(rows) == len(expected)
    assert {
        (row["node_type"], row["node_id"]): (row["component_id"], row["size"]) for row in rows
    } == expected
