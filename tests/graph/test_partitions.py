"""Tables are the same in value whatever the order of the rows and the number of partitions."""

from __future__ import annotations

from dataclasses import fields
from random import Random
from typing import Any

import pytest

from graph.config import Config
from graph.engines.base import Engine
from graph.evidence import link_evidence
from graph.frames import DataFrame
from graph.fusion import fuse
from graph.traces import GraphTables, trace_links
from tests.graph.random_logs import COLUMNS, FIRST_DAY, Row, arrow, log_with_repeats, random_log
from tests.graph.tables import graph_tables
from tests.spark_properties import properties

pytestmark = pytest.mark.spark

CONTENT = {"entity": "content", "family": "content"}
TRACES = {
    "co_post": {
        **CONTENT,
        "window": "10s",
        "min_participation": 2,
        "weight": "cosine",
        "filter": {"alpha": 0.5},
    },
    "reshare": {
        **CONTENT,
        "window": "20s",
        "exclude_originator": True,
        "filter": {"quantile": 0.5},
    },
    "devices": {
        "entity": "device",
        "family": "device",
        "weight": "idf",
        "min_participation": 3,
        "filter": {"surprise": 1},
    },
}
NETWORKS: list[dict[str, object]] = [
    {"cidr": "8.1.0.0/24", "asn": 1, "kind": "mobile"},
    {"cidr": "8.1.1.0/24", "asn": 1, "kind": "hosting"},
]
ENTITIES = ("device_id", "ip", "content_hash")
Values = dict[str, list[Any]]


def shuffles_into(number: int) -> dict[str, str]:
    """Shuffle into so many partitions, and leave them as they are."""
    return {
        "spark.sql.shuffle.partitions": str(number),
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
    }


def all_tables(engine: Engine, log: list[Row], number: int) -> Values:
    """Every table of a day, its links, their fusion and their evidence, as sorted rows."""
    config = Config.model_validate(
        {
            "events": {
                "path": "-",
                "time_unit": "us",
                "columns": COLUMNS,
            },
            "hubs": {"content": {"soft": 4, "hard": 6}},
            "max_burst": 2,
            "traces": TRACES,
        }
    )
    shuffled = Random(number).sample(log, len(log))
    with properties(engine, shuffles_into(number)):
        tables = graph_tables(
            engine, arrow(shuffled), config, FIRST_DAY, NETWORKS, "partitions", partitions=number
        )
        values = {
            field.name: rows_of(engine, getattr(tables, field.name))
            for field in fields(GraphTables)
            if isinstance(getattr(tables, field.name), type(tables.edges))
        }
        found = {
            name: trace_links(engine, name, trace, tables, config)
            for name, trace in config.active_traces.items()
        }
        kept = {
            name: engine.materialize(links.links, f"partitions.{name}")
            for name, links in found.items()
        }
        for name, links in found.items():
            values[f"{name} links"] = rows_of(engine, kept[name])
            if links.bursts is not None:
                values[f"{name} bursts"] = rows_of(engine, links.bursts)
        values["fused"] = rows_of(engine, fuse(engine, kept, config.active_traces))
        members = tables.nodes.filter("node_type = 'account' AND degree > 3").selectExpr(
            "node_id AS account_id", "left(node_id, 2) AS network_id"
        )
        evidence = link_evidence(found, config.active_traces, members)
        values["evidence"] = rows_of(engine, evidence)
    return values


def rows_of(engine: Engine, frame: DataFrame) -> list[str]:
    return sorted(map(str, engine.to_arrow(frame).to_pylist()))


def mixed_log() -> list[Row]:
    """Rows with and without ids, equal ones, and lists: every one as lists."""
    rows = [
        {**row, **{name: [] if row[name] is None else [row[name]] for name in ENTITIES}}
        for row in random_log(31, worlds=8)
    ]
    repeating = log_with_repeats(32, worlds=14)[8 * 24 :]
    return rows + repeating + repeating[::5]


def test_one_two_and_seven_partitions_of_shuffled_rows(engine: Engine) -> None:
    log = mixed_log()
    one, two, seven = (all_tables(engine, log, number) for number in (1, 2, 7))
    assert [name for name, rows in one.items() if not rows] == []
    for name, rows in one.items():
        assert two[name] == rows, name
        assert seven[name] == rows, name
