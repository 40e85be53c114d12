"""Both engines give the same tables, row for row, and each goes on with what the other wrote."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.engines.base import Engine
from jobs import detect_networks, run_pipeline, simulate_events
from tests.integration.sites import DAY, Site
from tests.spark_properties import properties

pytestmark = pytest.mark.spark

ACCOUNTS, DAYS = 1_000, 4


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated log with all its dirt: duplicates, bad rows, addresses that identify nobody."""
    folder = tmp_path_factory.mktemp("engines")
    size = ["--accounts", str(ACCOUNTS), "--days", str(DAYS), "--end-ds", str(DAY)]
    assert simulate_events.main([*size, "--seed", "7", "--out", str(folder)]) == 0
    return folder


def arguments(log: Path, site: Site, ds: str = str(DAY)) -> list[str]:
    live = ["--set", "signatures.live=[all]"]
    config = ["--config", str(log / "config.yaml"), "--set", "lookback=3d", *live]
    return ["--ds", ds, *config, "--set", f"home={site.home}"]


@pytest.fixture(scope="module")
def on_duckdb(log: Path, duckdb_engine: Engine) -> Site:
    """Two days, so that the second one continues the first one's networks."""
    site = Site(log / "duckdb", duckdb_engine)
    for ds in (DAY - timedelta(days=1), DAY):
        assert run_pipeline.main(arguments(log, site, str(ds)), duckdb_engine) == 0
    return site


@pytest.fixture(scope="module")
def on_spark(log: Path, on_duckdb: Site, spark_engine: Engine) -> Site:
    """The second day once more, after the first day of the other engine."""
    site = Site(log / "spark", spark_engine)
    shutil.copytree(on_duckdb.home, site.home, ignore=shutil.ignore_patterns(f"ds={DAY}"))
    compiled = {"spark.sql.codegen.wholeStage": True, "spark.sql.codegen.factoryMode": "FALLBACK"}
    with properties(spark_engine, compiled):
        assert run_pipeline.main(arguments(log, site), spark_engine) == 0
    return site


def different(one: Site, other: Site, table: str) -> list[object]:
    """Rows that only one of both has, or has more often."""
    here, there = (
        f"FROM read_parquet('{site.warehouse.path(table, DAY)}/*.parquet')" for site in (one, other)
    )
    only_here = duckdb.sql(f"({here}) EXCEPT ALL ({there})").fetchall()
    return only_here + duckdb.sql(f"({there}) EXCEPT ALL ({here})").fetchall()


def test_all_tables_are_equal(on_spark: Site, on_duckdb: Site) -> None:
    tables = on_spark.warehouse.tables()
    assert tables == on_duckdb.warehouse.tables()
    assert {table: different(on_spark, on_duckdb, table) for table in tables} == {
        table: [] for table in tables
    }
    sizes = {table: len(on_duckdb.rows(table)) for table in ("networks", "links", "history")}
    assert all(sizes.values()), "and they are not equal for being empty"


def test_all_tables_have_the_same_types(on_spark: Site, on_duckdb: Site) -> None:
    for table in on_spark.warehouse.tables():
        spark, embedded = (types(site, table) for site in (on_spark, on_duckdb))
        assert embedded == spark, table


def types(site: Site, table: str) -> dict[str, str]:
    """A table's types, without what engines know of nulls in lists."""
    schema: pa.Schema = pq.read_table(site.warehouse.path(table, DAY)).schema
    return {field.name: str(field.type).replace(" not null", "") for field in schema}


def test_the_embedded_engine_goes_on_with_a_graph_that_spark_built(
    log: Path, on_spark: Site, on_duckdb: Site
) -> None:
    before = on_spark.rows("memberships")
    assert detect_networks.main(arguments(log, on_spark), on_duckdb.engine) == 0
    assert on_spark.rows("memberships") == before
