"""The columns of a small input brought to their declared types, and what does not fit them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from graph.engines.base import UNPARSED
from graph.event_times import read_times
from graph.tables import TIMESTAMP

MISTAKE = "_mistake"
"""The column that says what is wrong with a row; null where nothing is."""

DAY_US = 86_400_000_000
SHOWN = 100  # characters of a wrong value

KINDS = {
    pa.int64(): "whole number",
    pa.float64(): "number",
    pa.bool_(): "`true` or `false`",
    pa.date32(): "day (2026-11-22)",
    TIMESTAMP: "time (2026-11-22T10:00:00Z)",
}


def conform(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Bring batches to a schema whose last column is MISTAKE; absent columns are null.

    Times and days are read as event times are: timestamps, epoch seconds, or text. A mistake names
    its row by the first column of ids, or else the first column.
    """
    key = next((name for name in schema.names if name.endswith("_id")), schema.names[0])
    for batch in batches:
        mistakes = pa.nulls(batch.num_rows, pa.string())
        if UNPARSED in batch.schema.names:
            rows = batch.column(UNPARSED)
            mistakes = pc.binary_join_element_wise("a row that cannot be parsed: ", rows, "")
        columns = []
        for field in schema:
            if field.name == MISTAKE:
                columns.append(mistakes)
            elif field.name in batch.schema.names:
                given = batch.column(field.name)
                column = _convert(given, field.type)
                mistakes = pc.coalesce(mistakes, _mistakes(given, column, field))
                columns.append(column)
            else:
                columns.append(pa.nulls(batch.num_rows, field.type))
        columns[-1] = _named(columns[schema.get_field_index(key)], mistakes, key)
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _named(keys: pa.Array, mistakes: pa.Array, key: str) -> pa.Array:
    """Mistakes with the row's key, where it has one: rows have no number here."""
    if mistakes.null_count == len(mistakes):
        return mistakes
    texts = [
        f"{key} {str(name)[:SHOWN]!r}: {mistake}" if mistake and name is not None else mistake
        for name, mistake in zip(keys.to_pylist(), mistakes.to_pylist(), strict=True)
    ]
    return pa.array(texts, pa.string())


def _convert(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Values as another type, texts trimmed and lists of them joined by spaces.

    Null where that cannot be, or where it is blank.
    """
    if pa.types.is_string(kind):
        if pa.types.is_list(values.type):
            values = pc.binary_join(values.cast(pa.list_(pa.string())), " ")
        texts = pc.utf8_trim_whitespace(values.cast(kind))
        return pc.if_else(pc.equal(texts, ""), pa.scalar(None, kind), texts)
    if pa.types.is_timestamp(kind):
        return read_times(values, "s").cast(kind)
    if pa.types.is_date(kind):
        days = pc.floor(pc.divide(read_times(values, "s").cast(pa.float64()), DAY_US))
        return days.cast(pa.int32()).cast(kind)
    try:
        return values.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([_convert_one(value, kind) for value in values], kind)


def _convert_one(value: pa.Scalar, kind: pa.DataType) -> object:
    try:
        return value.cast(kind).as_py()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _mistakes(given: pa.Array, converted: pa.Array, field: pa.Field) -> pa.Array:
    """Say for each value that was lost what it is and what it should be."""
    lost = pc.and_(pc.is_valid(given), pc.is_null(converted))
    if pa.types.is_string(field.type) or not pc.any(lost).as_py():
        return pa.nulls(len(given), pa.string())
    texts = [
        f"{field.name} {str(value.as_py())[:SHOWN]!r} is no {KINDS[field.type]}" if wrong else None
        for value, wrong in zip(given, lost.to_pylist(), strict=True)
    ]
    return pa.array(texts, pa.string())
