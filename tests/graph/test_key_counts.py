"""Keys are counted before a table is published: on both engines, whatever the number of parts."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.engines import duckdb as duckdb_engine_module
from graph.engines.base import Engine, KeyCounts
from graph.engines.duckdb_batches import count_different

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
    engine: Engine, rows: list[tuple[str | None, int | None]], counts: tuple[int, int, int]
) -> None:
    assert engine.count_keys(engine.from_arrow(table(*rows))) == KeyCounts(*counts)


@pytest.mark.parametrize("hashes_at_once", [7, 100, 1_000])
def test_keys_are_counted_in_parts_where_they_are_many(
    duckdb_engine: Engine, monkeypatch: pytest.MonkeyPatch, hashes_at_once: int
) -> None:
    monkeypatch.setattr(duckdb_engine_module, "HASHES_AT_ONCE", hashes_at_once)
    rows = table(*((f"a{number % 90}", number % 2) for number in range(200)), (None, 1))
    assert duckdb_engine.count_keys(duckdb_engine.from_arrow(rows)) == KeyCounts(201, 200, 90)


@given(st.lists(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5))))
def test_different_numbers_of_batches(batches: list[list[int]]) -> None:
    columns = [pa.record_batch([pa.array(each, pa.uint64())], ["hash"]) for each in batches]
    numbers = [number for each in batches for number in each]
    assert count_different(columns) == (len(numbers), len(set(numbers)))
