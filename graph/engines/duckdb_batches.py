"""Record batches, cut where one group of equal keys ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

ROWS_A_BATCH = 100_000


def between_groups(
    batches: Iterable[pa.RecordBatch], keys: Sequence[str], rows: int
) -> Iterator[pa.Table]:
    """Bring batches, sorted by `keys`, to tables of whole groups with about so many rows.

    A larger group is a table by itself.
    """
    held: list[pa.RecordBatch] = []
    held_rows, wanted = 0, rows
    for batch in batches:
        held.append(batch)
        held_rows += batch.num_rows
        if held_rows < wanted:
            continue
        table = pa.Table.from_batches(held)
        starts = group_starts(table, keys)
        if starts[-1] == 0:
            wanted = 2 * held_rows
            continue
        yield table.slice(0, starts[-1])
        rest = table.slice(starts[-1])
        held, held_rows, wanted = rest.to_batches(), rest.num_rows, rows
    if held_rows:
        yield pa.Table.from_batches(held)


def each_group(batches: Iterable[pa.RecordBatch], keys: Sequence[str]) -> Iterator[pa.Table]:
    """Bring batches, sorted by `keys`, to one table a group."""
    for table in between_groups(batches, keys, 1):
        starts = group_starts(table, keys)
        ends = [*starts[1:], table.num_rows]
        for start, end in zip(starts, ends, strict=True):
            yield table.slice(start, end - start)


def group_starts(table: pa.Table, keys: Sequence[str]) -> npt.NDArray[np.int64]:
    """The rows at which a group begins, of at least one row; nulls are equal to each other."""
    begins = np.zeros(table.num_rows, np.bool_)
    begins[0] = True
    for key in keys:
        values = table.column(key).combine_chunks()
        before, after = values[:-1], values[1:]
        differs = pc.coalesce(
            pc.not_equal(before, after), pc.xor(before.is_null(), after.is_null())
        )
        begins[1:] |= differs.to_numpy(zero_copy_only=False)
    return np.flatnonzero(begins)
