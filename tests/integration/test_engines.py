"""Both engines give the same tables, row for row, and each goes on with what the other wrote."""

from __future__ import annotations

import shutil

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.engines.base import Engine
from jobs import detect_networks, run_pipeline
from tests.integration.conftest import arguments_of_two_days
from tests.integration.sites import DAY, Site
from tests.spark_properties import properties

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def on_spark(
    tmp_path_factory: pytest.TempPathFactory, two_days: Site, spark_engine: Engine
) -> Site:
    """The second day once more, after the first day of the other engine."""
    site = Site(tmp_path_factory.mktemp("on-spark"), spark_engine)
    shutil.copytree(two_days.home, site.home, ignore=shutil.ignore_patterns(f"ds={DAY}"))
    compiled = {"spark.sql.codegen.wholeStage": True, "spark.sql.codegen.factoryMode": "FALLBACK"}
    with properties(spark_engine, compiled):
        assert run_pipeline.main(arguments_of_two_days(two_days, site.home), spark_engine) == 0
    return site


def different(one: Site, other: Site, table: str) -> list[object]:
    """Rows that only one of both has, or has more often."""
    here, there = (
        f"FROM read_parquet('{site.warehouse.path(table, DAY)}/*.parquet')" for site in (one, other)
    )
    only_here = duckdb.sql(f"({here}) EXCEPT ALL ({there})").fetchall()
    return only_here + duckdb.sql(f"({there}) EXCEPT ALL ({here})").fetchall()


def test_all_tables_are_equal(on_spark: Site, two_days: Site) -> None:
    tables = on_spark.warehouse.tables()
    assert tables == two_days.warehouse.tables()
    assert {table: different(on_spark, two_days, table) for table in tables} == {
        table: [] for table in tables
    }
    sizes = {table: len(two_days.rows(table)) for table in ("networks", "links", "history")}
    assert all(sizes.values()), "and they are not equal for being empty"


def test_all_tables_have_the_same_types(on_spark: Site, two_days: Site) -> None:
    for table in on_spark.warehouse.tables():
        spark, embedded = (types(site, table) for site in (on_spark, two_days))
        assert embedded == spark, table


def types(site: Site, table: str) -> dict[str, str]:
    """A table's types, without what engines know of nulls in lists."""
    schema: pa.Schema = pq.read_table(site.warehouse.path(table, DAY)).schema
    return {field.name: str(field.type).replace(" not null", "") for field in schema}


def test_the_embedded_engine_goes_on_with_a_graph_that_spark_built(
    on_spark: Site, two_days: Site
) -> None:
    before = on_spark.rows("memberships")
    again = arguments_of_two_days(two_days, on_spark.home)
    assert detect_networks.main(again, two_days.engine) == 0
    assert on_spark.rows("memberships") == before
