"""What is the embedded engine's alone: cutting between groups, spilling, errors, a quiet end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.engines import duckdb as duckdb_engine_module
from graph.engines.base import Engine
from graph.engines.duckdb import MAY_BE_HUGE, open_duckdb
from graph.engines.duckdb_batches import between_groups, each_group
from graph.engines.duckdb_frames import Frame
from graph.frames import F, Window, engine_api

SUMS = pa.schema([("key", pa.int64()), ("total", pa.int64())])


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 5)), max_size=40),
    st.integers(1, 10),
    st.integers(1, 10),
)
def test_groups_are_never_cut(keys: list[int | None], rows: int, batch_rows: int) -> None:
    keys.sort(key=lambda key: (key is None, key or 0))
    table = pa.table({"key": pa.array(keys, pa.int64()), "row": range(len(keys))})
    batches = table.to_batches(max_chunksize=batch_rows)
    tables = list(between_groups(batches, ["key"], rows))
    assert [row for each in tables for row in each.column("row").to_pylist()] == [*range(len(keys))]
    found = [set(each.column("key").to_pylist()) for each in tables]
    assert sum(map(len, found)) == len(set(keys))
    groups = [set(each.column("key").to_pylist()) for each in each_group(batches, ["key"])]
    assert groups == [{key} for key in dict.fromkeys(keys)]


def test_every_aggregate_of_128_bits_is_known_as_one() -> None:
    query = """
        SELECT DISTINCT function_name FROM duckdb_functions()
        WHERE function_type = 'aggregate' AND return_type = 'HUGEINT'
          AND NOT list_contains(parameter_types, 'HUGEINT')
    """
    names = [name for (name,) in duckdb.sql(query).fetchall()]
    assert names and all(MAY_BE_HUGE.search(name) for name in names), names


def test_sums_are_of_64_bits_however_they_are_made(duckdb_engine: Engine) -> None:
    with engine_api(duckdb_engine.api_root):
        frame = duckdb_engine.from_arrow(pa.table({"key": [1, 1, 2], "value": [3, 4, 5]}))
        whole = F.sum("value").alias("total"), F.count_if(F.col("value") > 3).alias("large")
        by_key = F.sum("value").over(Window.partitionBy("key")).alias("of_key")
        for made in (frame.agg(*whole), frame.select(by_key)):
            for table in (made, duckdb_engine.materialize(made, "sums")):
                assert {str(kind) for kind in duckdb_engine.to_arrow(table).schema.types} == {
                    "int64"
                }


def sums(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One row a key and call."""
    table = pa.Table.from_batches(batches, pa.schema([("key", pa.int64()), ("value", pa.int64())]))
    summed = table.group_by("key").aggregate([("value", "sum")])
    yield from summed.rename_columns(SUMS.names).to_batches()


@pytest.mark.parametrize("rows_together", [100, 10])  # by scans, and sorted
def test_rows_that_belong_together_come_together_when_there_are_many(
    duckdb_engine: Engine, monkeypatch: pytest.MonkeyPatch, rows_together: int
) -> None:
    monkeypatch.setattr(duckdb_engine_module, "ROWS_TOGETHER", rows_together)
    keys = [number * 7 % 50 for number in range(1_000)]
    with engine_api(duckdb_engine.api_root):
        frame = duckdb_engine.from_arrow(pa.table({"key": keys, "value": range(1_000)}))
        found = duckdb_engine.to_arrow(duckdb_engine.map_arrow(frame, sums, SUMS, ["key"]))
    assert sorted(found.column("key").to_pylist()) == [*range(50)], "no key in two calls"
    assert sum(found.column("total").to_pylist()) == sum(range(1_000))


def test_a_frame_that_is_stored_already_is_not_lost_by_another_name(duckdb_engine: Engine) -> None:
    with engine_api(duckdb_engine.api_root):
        made = duckdb_engine.from_arrow(pa.table({"key": [1]}))
        first = duckdb_engine.materialize(made, "first")
        duckdb_engine.materialize(first, "second")
        duckdb_engine.materialize(duckdb_engine.from_arrow(pa.table({"key": [2]})), "second")
        assert duckdb_engine.to_arrow(first).to_pylist() == [{"key": 1}]


def test_an_error_of_a_function_keeps_its_kind(duckdb_engine: Engine) -> None:
    def fail(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        raise ZeroDivisionError("of mine")
        yield

    with engine_api(duckdb_engine.api_root):
        frame = duckdb_engine.from_arrow(pa.table({"key": [1]}))
        with pytest.raises(ZeroDivisionError, match="of mine"):
            duckdb_engine.map_arrow(frame, fail, SUMS)


def test_components_of_any_size(duckdb_engine: Engine) -> None:
    with engine_api(duckdb_engine.api_root):
        links = pa.table({"account_a": ["b", "d", "e"], "account_b": ["a", "c", "e"]})
        found = duckdb_engine.connected_components(duckdb_engine.from_arrow(links))
        rows = duckdb_engine.to_arrow(found.orderBy("account_id")).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("a", "a", 2),
        ("b", "a", 2),
        ("c", "c", 2),
        ("d", "c", 2),
        ("e", "e", 1),
    ]


def test_a_join_that_drops_rows_leaves_the_left_sides_columns(duckdb_engine: Engine) -> None:
    """SQLFrame's own frames looked for one of these columns on the right side."""
    with engine_api(duckdb_engine.api_root):
        left = duckdb_engine.from_arrow(pa.table({"a": [1, 2], "b": ["x", "y"]}))
        right = duckdb_engine.from_arrow(pa.table({"a": [1]}))
        rows = left.join(right, on="a", how="left_anti").select(
            "a", F.concat_ws("|", "b", F.col("a").cast("string")).alias("both")
        )
        assert duckdb_engine.to_arrow(rows).to_pylist() == [{"a": 2, "both": "y|2"}]


def test_what_several_steps_read_is_computed_once_but_rows_that_stream_are_not_stored(
    duckdb_engine: Engine,
) -> None:
    with engine_api(duckdb_engine.api_root):
        rows = duckdb_engine.from_arrow(pa.table({"key": [1, 1, 2], "value": [5, 6, 7]}))
        large = rows.filter(F.col("value") > 5)
        sums = large.groupBy("key").agg(F.sum("value").alias("sum"))
        both = large.join(sums, on="key").unionByName(large.join(sums, on="key"))
        query = cast(Frame, both).query()
        assert query.count("NOT MATERIALIZED") == query.count("MATERIALIZED") - 1
        assert f"{cast(Frame, sums).name} AS MATERIALIZED" in query
        found = sorted(duckdb_engine.to_arrow(both).to_pylist(), key=lambda row: row["key"])
    assert found == [
        *2 * [{"key": 1, "value": 6, "sum": 6}],
        *2 * [{"key": 2, "value": 7, "sum": 7}],
    ]


SPILLING = """
import sys
from pathlib import Path
import pyarrow as pa
from graph.engines.duckdb import UnknownSetting, open_duckdb
from graph.frames import F, Window, engine_api

scratch = Path(sys.argv[1])
try:
    open_duckdb(scratch, {"memory_limits": "1GiB"})
except UnknownSetting as error:
    assert "memory_limits" in str(error)
engine = open_duckdb(scratch, {"memory_limit": "100MiB", "progress_bar_time": "1"})
with engine_api(engine.api_root):
    rows = engine.from_arrow(pa.table({"key": range(1_000_000)}))
    text = F.concat(F.md5(F.col("key").cast("string")), F.md5(F.lit("x")), F.md5(F.lit("y")))
    rows = engine.materialize(rows.withColumn("text", text), "rows")
    counted = rows.groupBy("text").agg(F.count(F.lit(1)).alias("rows"))
    counted = engine.materialize(counted, "counted")
    assert (rows.count(), counted.count()) == (1_000_000, 1_000_000)
    assert any((scratch / "spilled").iterdir())
engine.close()
assert not scratch.exists()
assert "pyspark" not in sys.modules
"""


def test_work_larger_than_memory_spills_and_a_closed_engine_is_quiet(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SPILLING, str(tmp_path / "scratch")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


IN_TOKYO = """
import sys
import pyarrow as pa
from graph.engines.duckdb import open_duckdb
from graph.frames import F, Window, engine_api

engine = open_duckdb(sys.argv[1])
with engine_api(engine.api_root):
    rows = engine.from_arrow(pa.table({"at": pa.array([0], pa.timestamp("us", "UTC"))}))
    texts = rows.select(F.col("at").cast("string").alias("at"))
    same = engine.map_arrow(texts, lambda batches: batches, pa.schema([("at", pa.string())]))
    print(engine.to_arrow(same)["at"][0])
"""


def test_times_are_utc_wherever_the_machine_stands(tmp_path: Path) -> None:
    """Also on the connections that rows are streamed by."""
    command = [sys.executable, "-c", IN_TOKYO, str(tmp_path / "scratch")]
    zone = {**os.environ, "TZ": "Asia/Tokyo"}
    done = subprocess.run(command, env=zone, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("1970-01-01 00:00:00")


def test_a_second_engine_in_one_process_is_refused(duckdb_engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="close it first"):
        open_duckdb(tmp_path)
