"""Tables are the same in value whatever the order of the rows and the number of partitions.

The embedded engine says what they are.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import fields
from datetime import date, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from graph.communities import find_communities
from graph.components import find_components
from graph.config import Config
from graph.core_members import find_core
from graph.engines.base import Engine
from graph.evidence import link_evidence
from graph.frames import DataFrame, F, engine_api
from graph.fusion import fuse
from graph.identity import DORMANT_NETWORKS, Published, continue_identities, joined_on
from graph.networks import groups, links_inside, memberships, networks
from graph.tables import columns
from graph.traces import GraphTables, trace_links
from graph.union import union_all
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
TODAY = date(2026, 1, 28)
Values = dict[str, list[Any]]


def shuffles_into(number: int) -> dict[str, str]:
    """Shuffle into so many partitions, and leave them as they are."""
    return {
        "spark.sql.shuffle.partitions": str(number),
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
    }


def all_tables(engine: Engine, log: list[Row], partitions: int | None) -> Values:
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
            "networks": {"small": 4},
            "traces": TRACES,
        }
    )
    shuffled = Random(partitions).sample(log, len(log))
    divided = properties(engine, shuffles_into(partitions)) if partitions else nullcontext()
    with engine_api(engine.api_root), divided:
        tables = graph_tables(
            engine,
            arrow(shuffled),
            config,
            FIRST_DAY,
            NETWORKS,
            "partitions",
            partitions=partitions,
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
        fused = engine.materialize(fuse(engine, kept, config.active_traces), "partitions.fused")
        values["fused"] = rows_of(engine, fused)
        values |= network_tables(engine, fused, kept, config)
        accounts = tables.nodes.filter((F.col("node_type") == "account") & (F.col("degree") > 3))
        members = accounts.select(
            F.col("node_id").alias("account_id"), F.substring("node_id", 1, 2).alias("network_id")
        )
        evidence = link_evidence(found, config.active_traces, members)
        values["evidence"] = rows_of(engine, evidence)
    return values


def network_tables(
    engine: Engine, fused: DataFrame, kept: dict[str, DataFrame], config: Config
) -> Values:
    """From fused links to the networks of a day, and what became of those of the day before."""
    components = engine.materialize(find_components(engine, fused), "partitions.components")
    communities = find_communities(engine, fused, components)
    grouped = engine.materialize(
        groups(components, communities, fused, config.networks), "partitions.groups"
    )
    before = day_before(engine)
    today = continue_identities(
        engine, grouped.select("account_id", "group_id"), before, str(TODAY)
    )
    members = engine.materialize(
        grouped.join(today.identities.drop("lineage"), on="group_id"), "partitions.members"
    )
    inside = links_inside(fused, members, "network_id")
    core = find_core(engine, inside, config.networks.core_cut)
    placed = joined_on(memberships(members, core), before.memberships, str(TODAY))
    placed = engine.materialize(placed, "partitions.memberships")
    by_trace = [
        links.filter("kept").select(
            "account_a",
            "account_b",
            F.lit(name).alias("trace"),
            F.lit("any").alias("family"),
            "first_at",
            "last_at",
        )
        for name, links in kept.items()
    ]
    of_members = links_inside(union_all(by_trace), members, "network_id")
    lineages = today.identities.select("network_id", "lineage")
    return {
        "components": rows_of(engine, components),
        "memberships": rows_of(engine, placed),
        "networks": rows_of(engine, networks(placed, inside, of_members, lineages)),
        "history": rows_of(engine, today.history),
        "dormant networks": rows_of(engine, today.dormant_networks),
    }


def day_before(engine: Engine) -> Published:
    """Yesterday's networks: some of today's accounts, grouped otherwise, and some that are gone."""
    parts = [([0], range(3)), ([0], range(3, 6)), ([1, 2], range(6)), ([3], range(3)), ([99], [1])]
    members = {
        f"old-{number}": [f"w{world}.a{account}" for world in worlds for account in accounts]
        for number, (worlds, accounts) in enumerate(parts)
    }
    rows = [
        {"network_id": network, "account_id": account, "joined_on": TODAY - timedelta(days=9)}
        for network, accounts in members.items()
        for account in accounts
    ]
    known = columns(network_id="string", account_id="string", joined_on=pa.date32())
    lineages = columns(network_id="string", lineage=pa.list_(pa.string()))
    older = [{"network_id": network, "lineage": []} for network in members]
    return Published(
        str(TODAY - timedelta(days=1)),
        engine.from_arrow(pa.Table.from_pylist(rows, known)),
        engine.from_arrow(pa.Table.from_pylist(older, lineages)),
        engine.from_arrow(DORMANT_NETWORKS.schema.empty_table()),
    )


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


@pytest.fixture(scope="module")
def expected(duckdb_engine: Engine) -> Values:
    """The tables as the embedded engine makes them."""
    tables = all_tables(duckdb_engine, mixed_log(), None)
    assert [name for name, rows in tables.items() if not rows] == []
    return tables


@pytest.mark.parametrize("partitions", [1, 17])
def test_partitions_of_shuffled_rows(
    partitions: int, expected: Values, spark_engine: Engine
) -> None:
    found = all_tables(spark_engine, mixed_log(), partitions)
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert found[name] == rows, name
