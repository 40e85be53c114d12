"""Values of event columns, single or in lists: made text, and mapped one by one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.entity import Cleaned, Cleaner

NOT_UTF8 = "not UTF-8"


def is_list(kind: pa.DataType) -> bool:
    """Whether a column holds lists of values."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def each(values: pa.Array, clean: Cleaner) -> Cleaned:
    """Apply a cleaner to values, or to the elements of lists of values, as text."""
    if not is_list(values.type):
        return clean(values.cast(pa.string()))
    return _each_element(values, lambda elements: clean(elements.cast(pa.string())))


def _each_element(lists: pa.Array, clean: Cleaner) -> Cleaned:
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    ends = pc.cumulative_sum(lengths.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    cleaned = clean(pc.list_flatten(lists))
    return Cleaned(
        pa.ListArray.from_arrays(offsets, cleaned.ids),
        pa.ListArray.from_arrays(offsets, cleaned.reasons),
    )


def as_texts(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.Array]:
    """Turn text, bytes and lists of them into valid UTF-8, and tell which rows held other bytes.

    Such bytes become U+FFFD. Parquet files may hold any bytes as text, and writers without a type
    for text write bytes.
    """
    columns, bad_rows = [], pa.array(np.zeros(batch.num_rows, np.bool_))
    for column in batch.columns:
        if _holds_bytes(column.type):
            decoded = _decoded(column)
            bad_rows = pc.or_(bad_rows, _any_reason(decoded.reasons, batch.num_rows))
            column = decoded.ids
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names), bad_rows


def _holds_bytes(kind: pa.DataType) -> bool:
    value = kind.value_type if is_list(kind) else kind
    return bool(
        pa.types.is_string(value)
        or pa.types.is_large_string(value)
        or pa.types.is_binary(value)
        or pa.types.is_large_binary(value)
    )


def _decoded(values: pa.Array) -> Cleaned:
    return _each_element(values, _decode) if is_list(values.type) else _decode(values)


def _decode(values: pa.Array) -> Cleaned:
    stored = values.cast(pa.binary())
    try:
        return Cleaned(stored.cast(pa.string()), pa.nulls(len(values), pa.string()))
    except pa.ArrowInvalid:
        pairs = [_decode_one(value) for value in stored.to_pylist()]
        texts, reasons = zip(*pairs, strict=True)
        return Cleaned(pa.array(texts, pa.string()), pa.array(reasons, pa.string()))


def _decode_one(value: bytes | None) -> tuple[str | None, str | None]:
    if value is None:
        return None, None
    text = value.decode("utf-8", "replace")
    return text, None if text.encode() == value else NOT_UTF8


def _any_reason(reasons: pa.Array, rows: int) -> pa.Array:
    if not is_list(reasons.type):
        return pc.is_valid(reasons)
    given = pc.is_valid(pc.list_flatten(reasons))
    found = pc.list_parent_indices(reasons).filter(given)
    return pc.is_in(pa.array(range(rows), found.type), value_set=found)
