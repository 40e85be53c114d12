"""A log and its sightings as DuckDB tables: the oracle for counts."""

from __future__ import annotations

from typing import Any

import duckdb

from graph.engines.base import Engine
from graph.frames import DataFrame
from tests.graph.random_logs import Row, arrow

Rows = list[tuple[Any, ...]]


def in_sql(log: list[Row]) -> duckdb.DuckDBPyConnection:
    """The tables `log` and, of a log without lists, `seen`: account_id, event_type, moment,
    moment_us, entity_type, entity_id; an address is in its /24.
    """
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("log", arrow(log))
    if not isinstance(log[0]["ip"], list):
        connection.execute("""
            CREATE VIEW seen AS
            SELECT account_id, event_type, event_time AS moment_us,
                   make_timestamp(event_time) AS moment, entity_type, entity_id
            FROM (
                SELECT *, regexp_replace(ip, '[0-9]+$', '0/24') AS ip_network FROM log
            ) UNPIVOT (
                entity_id FOR entity_type IN (content_hash AS content, device_id AS device,
                                              ip AS ip, ip_network AS ip_network)
            )
        """)
    return connection


def expected_rows(connection: duckdb.DuckDBPyConnection, query: str) -> Rows:
    return in_order(connection.execute(query).fetchall())


def found_rows(engine: Engine, frame: DataFrame, columns: list[str]) -> Rows:
    rows = engine.to_arrow(frame.select(*columns)).to_pylist()
    return in_order([tuple(map(_without_zone, row.values())) for row in rows])


def _without_zone(value: Any) -> Any:
    """Times as DuckDB gives them; all are UTC."""
    return value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value


def in_order(rows: Rows) -> Rows:
    return sorted(rows, key=str)
