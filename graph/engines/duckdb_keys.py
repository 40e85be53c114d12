"""Different keys, counted by DuckDB and numpy: eight bytes each, and a bounded number at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import numpy as np
import pyarrow as pa

from graph.engines.base import KeyCounts
from graph.engines.duckdb_batches import ROWS_A_BATCH
from graph.engines.duckdb_files import query_of_files
from graph.engines.duckdb_frames import quoted

# Hashes that are sorted at a time, of eight bytes each; they are read as often as there are parts.
HASHES_AT_ONCE = 50_000_000


def count_keys(
    connection: duckdb.DuckDBPyConnection, query: str, columns: Sequence[str]
) -> KeyCounts:
    """Count the rows of a query with the columns of a key; see Engine.count_keys."""
    names = [quoted(name) for name in columns]
    complete = " AND ".join(f"{name} IS NOT NULL" for name in names)
    hashes = f"SELECT CASE WHEN {complete} THEN hash({', '.join(names)}) END AS hash FROM ({query})"
    rows = connection.sql(f"FROM ({hashes})").shape[0]
    parts, whole, different = 1 + rows // HASHES_AT_ONCE, 0, 0
    for part in range(parts):
        mine = connection.sql(f"FROM ({hashes}) WHERE hash % {parts} = {part}")
        with mine.to_arrow_reader(ROWS_A_BATCH) as batches:
            numbers, unequal = count_different(batches)
        whole, different = whole + numbers, different + unequal
    return KeyCounts(rows, whole, different)


def count_keys_of_files(files: Sequence[str], columns: Sequence[str], scratch: str) -> KeyCounts:
    """Count the rows of parquet files on this machine; `scratch` is for what does not fit."""
    with duckdb.connect(config={"temp_directory": f"{scratch}/spilled"}) as connection:
        query = query_of_files(connection, files, "parquet", False, None)
        return count_keys(connection, query, columns)


def count_different(batches: Iterable[pa.RecordBatch]) -> tuple[int, int]:
    """How many numbers batches of one column have, and how many different ones.

    Sorting them takes a tenth of the time of putting them into a hash table.
    """
    found = [batch.column(0).to_numpy() for batch in batches]
    numbers = np.concatenate([np.empty(0, np.uint64), *found])
    numbers.sort()
    different = np.count_nonzero(numbers[1:] != numbers[:-1]) + bool(len(numbers))
    return len(numbers), int(different)
