"""Edges, degrees and nodes equal DuckDB's over the same rows; networks have the kind of most."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from graph.build import EDGE_ACTIVITY, EDGES, NODES, with_networks
from graph.engines.base import Engine
from graph.ip_networks import index_ip_networks
from graph.traces import GraphTables
from tests.graph.counted import FIRST_DAY, config
from tests.graph.in_sql import expected_rows, found_rows, in_sql
from tests.graph.random_logs import arrow, log_with_repeats
from tests.graph.tables import graph_tables

LISTS = log_with_repeats(seed=22, worlds=4)


def test_edge_activity(
    engine: Engine, counted_tables: GraphTables, sql: duckdb.DuckDBPyConnection
) -> None:
    expected = expected_rows(
        sql,
        f"""
        SELECT account_id, entity_type, entity_id, event_type, count(*), min(moment), max(moment),
               [bit_or(if(moment < DATE '{FIRST_DAY}', 0,
                          1::BIGINT << greatest(0, date_diff('day', DATE '{FIRST_DAY}', moment))))]
        FROM seen GROUP BY ALL
    """,
    )
    assert found_rows(engine, counted_tables.edge_activity, EDGE_ACTIVITY.columns) == expected


def test_edges(engine: Engine, counted_tables: GraphTables, sql: duckdb.DuckDBPyConnection) -> None:
    expected = expected_rows(
        sql,
        f"""
        SELECT account_id, entity_type, entity_id, min(moment), max(moment), count(*),
               count(DISTINCT moment::DATE) FILTER (moment >= DATE '{FIRST_DAY}')
        FROM seen GROUP BY ALL
    """,
    )
    assert found_rows(engine, counted_tables.edges, EDGES.columns) == expected


def test_nodes(engine: Engine, counted_tables: GraphTables, sql: duckdb.DuckDBPyConnection) -> None:
    """Accounts with no entity at all are nodes too; hubs stay, with their reason."""
    expected = expected_rows(
        sql,
        """
        SELECT 'account', account_id, min(make_timestamp(event_time)),
               max(make_timestamp(event_time)), count(*),
               coalesce(any_value(degree), 0), false, NULL, NULL, NULL,
               any_value(main)
        FROM log LEFT JOIN (
            SELECT account_id, count(DISTINCT (entity_type, entity_id)) AS degree
            FROM seen GROUP BY account_id
        ) USING (account_id) LEFT JOIN (
            SELECT account_id, first(market ORDER BY times DESC, market) AS main
            FROM (SELECT account_id, market, count(*) AS times FROM log
                  WHERE market IS NOT NULL GROUP BY ALL)
            GROUP BY account_id
        ) USING (account_id)
        GROUP BY account_id
        UNION ALL
        SELECT entity_type, entity_id, min(moment), max(moment), count(*),
               count(DISTINCT account_id),
               entity_type = 'content' AND count(DISTINCT account_id) > 5,
               if(entity_type = 'content' AND count(DISTINCT account_id) > 5, 'degree', NULL),
               if(entity_type = 'ip', regexp_replace(entity_id, '[0-9]+$', '0/24'), NULL), NULL,
               NULL
        FROM seen GROUP BY entity_type, entity_id
    """,
    )
    found = found_rows(engine, counted_tables.nodes, NODES.columns)
    assert found == expected
    assert any(row[6] for row in found)
    assert {row[10] for row in found} >= {None, "de", "fr"}


def test_lists_name_several_entities(engine: Engine) -> None:
    """Each value is a sighting of its own, one that is twice in a list twice."""
    tables = graph_tables(
        engine, arrow(LISTS), config(deduplicate=False), FIRST_DAY, name="build-lists"
    )
    expected = expected_rows(
        in_sql(LISTS),
        """
        SELECT account_id, entity_type, entity_id, count(*) FROM (
            SELECT account_id, 'content' AS entity_type, unnest(content_hash) AS entity_id FROM log
            UNION ALL SELECT account_id, 'device', unnest(device_id) FROM log
        ) GROUP BY ALL
    """,
    )
    columns = ["account_id", "entity_type", "entity_id", "events"]
    assert found_rows(engine, tables.edges, columns) == expected


def test_a_network_has_the_kind_of_most_of_its_addresses(engine: Engine) -> None:
    networks = index_ip_networks(
        [
            {"cidr": "8.0.0.0/24", "asn": 1, "kind": "mobile"},
            {"cidr": "8.0.1.0/24", "asn": 1, "kind": "business"},
            {"cidr": "8.0.2.0/24", "asn": 2, "kind": "vpn"},
            {"cidr": "8.0.3.0/24", "asn": 2, "kind": "hosting"},
            {"cidr": "8.0.4.0/24", "asn": 3, "kind": None},
        ],
        pa.scalar(0, pa.date32()).as_py(),
    )
    addresses = ["8.0.0.1", "8.0.1.1", "8.0.1.2", "8.0.2.1", "8.0.3.1", "8.0.4.1", "9.0.0.1"]
    names = ["AS1", "AS2", "AS3", "9.0.0.0/24"]
    entities = engine.from_arrow(
        pa.table(
            {
                "entity_type": ["ip"] * 7 + ["ip_network"] * 4 + ["device"],
                "entity_id": [*addresses, *names, "8.0.0.1"],
            }
        )
    )
    rows = engine.to_arrow(with_networks(engine, entities, networks)).to_pylist()
    found = {
        (row["entity_type"], row["entity_id"]): (row["ip_network"], row["ip_kind"]) for row in rows
    }
    assert found == {
        ("ip", "8.0.0.1"): ("AS1", "mobile"),
        ("ip", "8.0.1.1"): ("AS1", "business"),
        ("ip", "8.0.1.2"): ("AS1", "business"),
        ("ip", "8.0.2.1"): ("AS2", "vpn"),
        ("ip", "8.0.3.1"): ("AS2", "hosting"),
        ("ip", "8.0.4.1"): ("AS3", None),
        ("ip", "9.0.0.1"): ("9.0.0.0/24", None),
        ("ip_network", "AS1"): (None, "business"),
        ("ip_network", "AS2"): (None, "hosting"),
        ("ip_network", "AS3"): (None, None),
        ("ip_network", "9.0.0.0/24"): (None, None),
        ("device", "8.0.0.1"): (None, None),
    }
