"""Account ids to dense positions 0, 1, 2, ... in the order in which they first appear.

Union-find and label propagation work on positions, and finding the positions of twenty million ids
is most of their cost. Here it is one probe of an open-addressing table. Integers are hashed one to
one, so equal hashes mean equal ids; strings of equal hash are compared byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from graph import id_kernels
from graph.frames import DataFrame
from graph.id_kernels import Bytes, Int32s, Int64s

_ARROW_TYPES = {"bigint": pa.int64(), "string": pa.string()}
_MIN_SLOTS = 1 << 10
_ROWS_A_BATCH = 1 << 20

Item = TypeVar("Item", bound=np.generic)


class IdIndex(Protocol):
    """Positions of ids of one type."""

    def positions(self, ids: pa.Array) -> Int32s:
        """The position of each id; new ids get the next ones. Raises ValueError for a null."""

    def ids(self) -> pa.Array:
        """The ids by position."""

    def order(self) -> Int64s:
        """The positions sorted by id: integers by value, strings by their UTF-8 bytes."""

    def smallest(self, groups: Int32s) -> Int32s:
        """For each position, the position of the smallest id of its group.

        `groups` names a group by the position of one of its members.
        """

    def __len__(self) -> int:
        """How many ids there are."""


def id_index(id_type: pa.DataType) -> IdIndex:
    """An empty index for int64 or string ids. Raises TypeError for other types."""
    if pa.types.is_int64(id_type):
        return IntegerIndex()
    if pa.types.is_string(id_type) or pa.types.is_large_string(id_type):
        return StringIndex()
    raise TypeError(f"ids must be int64 or string, not {id_type}: cast the column first")


def id_type_of(frame: DataFrame, column: str) -> pa.DataType:
    """The Arrow type of a frame's id column. Raises TypeError unless it is int64 or string."""
    name = dict(frame.dtypes)[column]
    if name not in _ARROW_TYPES:
        raise TypeError(f"{column} must be bigint or string, not {name}: cast it first")
    return _ARROW_TYPES[name]


def positions_of(index: IdIndex, column: pa.ChunkedArray) -> Int32s:
    """The positions of a whole column."""
    chunks = [index.positions(chunk) for chunk in column.chunks]
    return np.concatenate([np.empty(0, np.int32), *chunks])


def record_batches(columns: Iterable[Any], schema: pa.Schema) -> Iterable[pa.RecordBatch]:
    """Arrays of equal length as record batches of `schema`, small enough for 32-bit offsets."""
    table = pa.table(list(columns), names=schema.names)
    for batch in table.to_batches(max_chunksize=_ROWS_A_BATCH):
        yield from pa.Table.from_batches([batch]).cast(schema).to_batches()


class IntegerIndex:
    """Positions of int64 ids."""

    def __init__(self) -> None:
        self._slots: Int64s = np.zeros((_MIN_SLOTS, 2), np.int64)
        self._ids: Int64s = np.empty(0, np.int64)
        self._count = 0

    def positions(self, ids: pa.Array) -> Int32s:
        """See IdIndex.positions."""
        values = _without_nulls(ids).to_numpy(zero_copy_only=True)
        self._slots = _with_room(self._slots, self._count, len(values))
        self._ids = _grown(self._ids, self._count + len(values))
        found = np.empty(len(values), np.int32)
        self._count = id_kernels.place_integers(values, self._slots, self._ids, self._count, found)
        return found

    def ids(self) -> pa.Array:
        """See IdIndex.ids."""
        return pa.array(self._ids[: self._count])

    def order(self) -> Int64s:
        """See IdIndex.order."""
        return np.argsort(self._ids[: self._count])

    def smallest(self, groups: Int32s) -> Int32s:
        """See IdIndex.smallest."""
        return id_kernels.smallest_integers(self._ids, groups)

    def __len__(self) -> int:
        return self._count


class StringIndex:
    """Positions of string ids; each distinct id is stored once, in one array of bytes."""

    def __init__(self) -> None:
        self._slots: Int64s = np.zeros((_MIN_SLOTS, 2), np.int64)
        self._data: Bytes = np.empty(0, np.uint8)
        self._offsets: Int64s = np.zeros(1, np.int64)
        self._count = 0

    def positions(self, ids: pa.Array) -> Int32s:
        """See IdIndex.positions."""
        offsets, data = _string_buffers(_without_nulls(ids))
        found = np.empty(len(offsets) - 1, np.int32)
        self._slots = _with_room(self._slots, self._count, len(found))
        self._offsets = _grown(self._offsets, self._count + len(offsets))
        used = int(self._offsets[self._count])
        self._data = _grown(self._data, used + int(offsets[-1] - offsets[0]))
        self._count = id_kernels.place_strings(
            offsets, data, self._slots, self._offsets, self._data, self._count, found
        )
        return found

    def ids(self) -> pa.Array:
        """See IdIndex.ids."""
        offsets = self._offsets[: self._count + 1]
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self._data[: int(offsets[-1])])]
        return pa.Array.from_buffers(pa.large_string(), self._count, buffers)

    def order(self) -> Int64s:
        """See IdIndex.order."""
        return np.asarray(pc.sort_indices(self.ids()), np.int64)

    def smallest(self, groups: Int32s) -> Int32s:
        """See IdIndex.smallest."""
        return id_kernels.smallest_strings(self._offsets, self._data, groups)

    def __len__(self) -> int:
        return self._count


def _without_nulls(ids: pa.Array) -> pa.Array:
    if ids.null_count:
        row = pc.index(ids.is_null(), True).as_py()
        raise ValueError(f"an id is null (row {row} of its batch): drop or quarantine such rows")
    return ids


def _string_buffers(ids: pa.Array) -> tuple[Int64s, Bytes]:
    ids = ids.cast(pa.large_string())
    if len(ids) == 0:
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    _, offsets, data = ids.buffers()
    window = np.frombuffer(offsets, np.int64)[ids.offset : ids.offset + len(ids) + 1]
    return window, np.frombuffer(data or b"", np.uint8)


def _grown(array: npt.NDArray[Item], needed: int) -> npt.NDArray[Item]:
    """The array with room for `needed` items; doubling keeps the copying linear."""
    if needed <= len(array):
        return array
    larger = np.empty(max(needed, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger


def _with_room(slots: Int64s, count: int, more: int) -> Int64s:
    """The table with at most half of its slots in use once `more` ids have come."""
    needed = 2 * (count + more)
    if needed <= len(slots):
        return slots
    larger: Int64s = np.zeros((1 << (needed - 1).bit_length(), 2), np.int64)
    id_kernels.move_slots(slots, larger)
    return larger
