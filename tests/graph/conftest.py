"""Tables that several tests look at, made once."""

from __future__ import annotations

import duckdb
import pytest

from graph.engines.base import Engine
from graph.frames import engine_api
from graph.traces import GraphTables
from tests.graph.counted import FIRST_DAY, LOG, config
from tests.graph.in_sql import in_sql
from tests.graph.random_logs import arrow
from tests.graph.tables import graph_tables


@pytest.fixture(scope="session")
def counted_tables(any_engine: Engine) -> GraphTables:
    """The graph tables of tests.graph.counted.LOG."""
    with engine_api(any_engine.api_root):
        return graph_tables(any_engine, arrow(LOG), config(), FIRST_DAY, name="counted")


@pytest.fixture(scope="session")
def sql() -> duckdb.DuckDBPyConnection:
    """The same log in DuckDB."""
    return in_sql(LOG)
