"""Keys are counted before a table is published: on both engines, whatever the number of parts."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.engines import duckdb_keys, spark
from graph.engines.base import Engine, KeyCounts
from graph.engines.duckdb_keys import count_different

KEYS = pa.schema([("name", pa.string()), ("number", pa.int64())])


def table(*rows: tuple[str | None, int | None]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([], [])
    return pa.table([pa.array(each, field.type) for each, field in zip(columns, KEYS, strict=True)],
                    schema=KEYS)  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        ([], (0, 0, 0)),
        ([("a", 1), ("a", 2), ("", 1)], (3, 3, 3)),
        ([("a", 1), ("b", 1), ("a", 1)], (3, 3, 2)),
        ([("a", 1), (None, 1), ("a", None), (None, None)], (4, 1, 1)),
    ],
)
def test_rows_whole_keys_and_different_ones(
    engine: Engine,
    rows: list[tuple[str | None, int | None]],
    counts: tuple[int, int, int],
    tmp_path: Path,
) -> None:
    frame = engine.from_arrow(table(*rows))
    assert engine.count_keys(frame) == KeyCounts(*counts)
    folder = str(tmp_path / "it's a folder")
    engine.write(frame, folder)
    written = engine.read([folder], "parquet").select("number", "name")
    assert engine.count_keys(written) == KeyCounts(*counts)


@pytest.mark.spark
def test_files_of_sparks_own_machine_need_no_shuffle(
    spark_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = spark_engine.from_arrow(table(("a", 1), ("a", 1)))
    spark_engine.write(frame, str(tmp_path / "written"))
    written = spark_engine.read([str(tmp_path / "written")], "parquet")
    here = KeyCounts(3, 2, 1)
    monkeypatch.setattr(spark, "count_keys_of_files", lambda *_: here)
    assert spark_engine.count_keys(written) == here
    assert spark_engine.count_keys(frame) == KeyCounts(2, 2, 1)


@pytest.mark.parametrize("hashes_at_once", [7, 100, 1_000])
def test_keys_are_counted_in_parts_where_they_are_many(
    duckdb_engine: Engine, monkeypatch: pytest.MonkeyPatch, hashes_at_once: int
) -> None:
    monkeypatch.setattr(duckdb_keys, "HASHES_AT_ONCE", hashes_at_once)
    rows = table(*((f"a{number % 90}", number % 2) for number in range(200)), (None, 1))
    assert duckdb_engine.count_keys(duckdb_engine.from_arrow(rows)) == KeyCounts(201, 200, 90)


@given(st.lists(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5))))
def test_different_numbers_of_batches(batches: list[list[int]]) -> None:
    columns = [pa.record_batch([pa.array(each, pa.uint64())], ["hash"]) for each in batches]
    numbers = [number for each in batches for number in each]
    assert count_different(columns) == (len(numbers), len(set(numbers)))
