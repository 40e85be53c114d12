"""Both engines give the same tables, row for row, and read each other's."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from graph.engines.base import Engine
from jobs import detect_networks, run_pipeline, simulate_events
from tests.integration.sites import DAY, Site

pytestmark = pytest.mark.spark

ACCOUNTS, DAYS = 1_000, 4


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated log with all its dirt: duplicates, bad rows, addresses that identify nobody."""
    folder = tmp_path_factory.mktemp("engines")
    size = ["--accounts", str(ACCOUNTS), "--days", str(DAYS), "--end-ds", str(DAY)]
    assert simulate_events.main([*size, "--seed", "7", "--out", str(folder)]) == 0
    return folder


def run(log: Path, engine: Engine) -> Site:
    """Run the last two days, so that the second one continues the first one's networks."""
    site = Site(log / engine.name, engine)
    for ds in (DAY - timedelta(days=1), DAY):
        assert run_pipeline.main(arguments(log, site, ds=str(ds)), engine) == 0
    return site


def arguments(log: Path, site: Site, ds: str = str(DAY)) -> list[str]:
    config = ["--config", str(log / "config.yaml"), "--set", "lookback=3d"]
    return ["--ds", ds, *config, "--set", f"home={site.home}"]


@pytest.fixture(scope="module")
def on_spark(log: Path, spark_engine: Engine) -> Site:
    return run(log, spark_engine)


@pytest.fixture(scope="module")
def on_duckdb(log: Path, duckdb_engine: Engine) -> Site:
    return run(log, duckdb_engine)


def different(one: Site, other: Site, table: str) -> list[object]:
    """Rows that only one of both has, any number of times."""
    here, there = (
        f"FROM read_parquet('{site.warehouse.path(table, DAY)}/*.parquet')" for site in (one, other)
    )
    both = duckdb.sql(f"({here}) EXCEPT ALL ({there})").fetchall()
    return both + duckdb.sql(f"({there}) EXCEPT ALL ({here})").fetchall()


def test_all_tables_are_equal(on_spark: Site, on_duckdb: Site) -> None:
    tables = on_spark.warehouse.tables()
    assert tables == on_duckdb.warehouse.tables()
    assert {table: different(on_spark, on_duckdb, table) for table in tables} == {
        table: [] for table in tables
    }
    sizes = {table: len(on_duckdb.rows(table)) for table in ("networks", "links", "history")}
    assert all(sizes.values()), "and they are not equal for being empty"


def test_all_tables_have_the_same_schema(on_spark: Site, on_duckdb: Site) -> None:
    for table in on_spark.warehouse.tables():
        spark, embedded = (
            pq.read_table(site.warehouse.path(table, DAY)).schema.remove_metadata()
            for site in (on_spark, on_duckdb)
        )
        assert embedded.names == spark.names
        assert [kind(field) for field in embedded] == [kind(field) for field in spark], table


def kind(field: object) -> str:
    """A field's type, whatever name the elements of a list have."""
    return str(getattr(field, "type", None)).replace("<element: ", "<item: ")


def test_what_one_engine_built_the_other_goes_on_with(
    log: Path, on_spark: Site, on_duckdb: Site
) -> None:
    """The graph is the first one's, the networks the second one's."""
    before = {site.engine.name: site.rows("memberships") for site in (on_spark, on_duckdb)}
    for built, engine in ((on_spark, on_duckdb.engine), (on_duckdb, on_spark.engine)):
        assert detect_networks.main(arguments(log, built), engine) == 0
        assert built.rows("memberships") == before[built.engine.name]
    assert different(on_spark, on_duckdb, "link_evidence") == []
