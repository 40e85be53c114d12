"""Counts of activity equal DuckDB's over the same rows."""

from __future__ import annotations

import duckdb

from graph.activity import ACCOUNT_ACTIVITY, TRACE_ACTIVITY, bin_width
from graph.engines.base import Engine
from graph.traces import GraphTables
from tests.graph.in_sql import expected_rows, found_rows

TEN_MINUTES, DAY = 600_000_000, 86_400_000_000


def test_bins_hold_two_windows_and_never_less_than_ten_minutes() -> None:
    windows = (0, 299_999_999, 300_000_000, DAY)
    assert [bin_width(window) for window in windows] == [
        TEN_MINUTES,
        TEN_MINUTES,
        TEN_MINUTES + 1,
        2 * DAY + 1,
    ]


def test_account_activity(
    engine: Engine, counted_tables: GraphTables, sql: duckdb.DuckDBPyConnection
) -> None:
    """Every row counts, on hubs and on entities of one account too; bins only as traces need."""
    expected = expected_rows(
        sql,
        f"""
        SELECT account_id, entity_type, event_type, 0, 0, count(*), count(DISTINCT entity_id)
        FROM seen GROUP BY ALL
        UNION ALL
        SELECT account_id, 'any', event_type, 0, 0, count(*), NULL FROM log GROUP BY ALL
        UNION ALL
        SELECT account_id, entity_type, event_type, width, floor(moment_us / width)::BIGINT,
               count(*), NULL
        FROM seen JOIN (
            VALUES ('content', {TEN_MINUTES}, ['post', 'share']),
                   ('content', {2 * DAY + 1}, ['post', 'share', 'like']),
                   ('device', {TEN_MINUTES + 1}, ['post', 'share', 'like'])
        ) AS needed (entity, width, types) ON entity = entity_type AND event_type IN types
        GROUP BY ALL
    """,
    )
    assert found_rows(engine, counted_tables.account_activity, ACCOUNT_ACTIVITY.columns) == expected


def test_trace_activity(
    engine: Engine, counted_tables: GraphTables, sql: duckdb.DuckDBPyConnection
) -> None:
    """Events of a trace and the squares of each entity's share, by bin; none without a window."""
    expected = expected_rows(
        sql,
        f"""
        SELECT trace, bin, sum(events)::BIGINT, sum(events * events)::BIGINT
        FROM (
            SELECT trace, floor(moment_us / width)::BIGINT AS bin, entity_id, count(*) AS events
            FROM seen JOIN (
                VALUES ('posts', 'content', {TEN_MINUTES}, ['post']),
                       ('shares', 'content', {TEN_MINUTES}, ['share']),
                       ('all_day', 'content', {2 * DAY + 1}, ['post', 'share', 'like']),
                       ('devices', 'device', {TEN_MINUTES + 1}, ['post', 'share', 'like'])
            ) AS needed (trace, entity, width, types)
              ON entity = entity_type AND event_type IN types
            GROUP BY ALL
        ) GROUP BY ALL
    """,
    )
    assert found_rows(engine, counted_tables.trace_activity, TRACE_ACTIVITY.columns) == expected
