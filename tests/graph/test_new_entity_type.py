"""A new entity type is one declaration and its place in the list: here, phone numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from graph.config import Config
from graph.engines.base import Engine
from graph.entities import ENTITY_TYPES
from graph.entity import EntityType, clean_text
from graph.traces import trace_links
from tests.graph.tables import graph_tables

PHONE = EntityType(
    name="phone",
    label="Phone",
    relationship="USED_PHONE",
    column="phone",
    clean=clean_text,
)
LOG = pa.table(
    {
        "who": ["ana", "ben", "cleo", "dan", "ana"],
        "when": [10, 20, 900, 30, 40],
        "number": [" +491 ", "+491", "+491", "unknown", "+492"],
    }
)


@pytest.fixture
def phones() -> Iterator[None]:
    ENTITY_TYPES.append(PHONE)
    yield
    ENTITY_TYPES.remove(PHONE)


@pytest.mark.usefixtures("phones")
def test_its_column_becomes_nodes_edges_sightings_and_links(engine: Engine) -> None:
    config = Config.model_validate(
        {
            "events": {
                "path": "-",
                "columns": {"account_id": "who", "event_time": "when", "phone": "number"},
            },
            "hubs": {"phone": {"soft": 3, "hard": 3}},
            "traces": {"same_phone": {"entity": "phone", "family": "signup", "window": "60s"}},
        }
    )
    tables = graph_tables(engine, LOG, config, "1970-01-01", name="phones")
    nodes = engine.to_arrow(tables.nodes).to_pylist()
    assert {(n["node_type"], n["node_id"]): n["degree"] for n in nodes} == {
        ("account", "ana"): 2,
        ("account", "ben"): 1,
        ("account", "cleo"): 1,
        ("account", "dan"): 0,
        ("phone", "+491"): 3,
        ("phone", "+492"): 1,
    }
    edges = engine.to_arrow(tables.edges).to_pylist()
    assert {(e["account_id"], e["entity_type"], e["entity_id"]) for e in edges} == {
        ("ana", "phone", "+491"),
        ("ben", "phone", "+491"),
        ("cleo", "phone", "+491"),
        ("ana", "phone", "+492"),
    }
    sightings = engine.to_arrow(tables.sightings).to_pylist()
    assert sorted((s["account_id"], s["entity_id"]) for s in sightings) == [
        ("ana", "+491"),
        ("ben", "+491"),
        ("cleo", "+491"),
    ]
    links = trace_links(engine, "same_phone", config.traces["same_phone"], tables, config).links
    assert [
        (link["account_a"], link["account_b"]) for link in engine.to_arrow(links).to_pylist()
    ] == [("ana", "ben")]


def test_without_its_declaration_it_is_unknown() -> None:
    with pytest.raises(ValueError, match="'phone' is not an entity type; known: content, device"):
        Config.model_validate(
            {
                "events": {
                    "path": "-",
                    "columns": {"account_id": "a", "event_time": "t", "ip": "ip"},
                },
                "traces": {"same_phone": {"entity": "phone", "family": "signup"}},
            }
        )
