"""Whether columns of rows are as their file is declared, without a Python step for each row."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from exporters.enforcement.fields import Field, RowFile


def check_columns(batch: pa.RecordBatch, file: RowFile, first_row: int) -> Iterator[str]:
    """Say what is wrong with columns, one line for each field and its first bad row.

    `first_row` is the number of the batch's first row in its file, from 1.
    """
    for field in file.fields:
        values = batch.column(field.name)
        row = _first_bad(values, field)
        if row is not None:
            shown = str(values[row].as_py())[:80]
            yield f"{file.name}, row {first_row + row}: {field.name} is {shown!r}: {_wanted(field)}"


def _wanted(field: Field) -> str:
    if field.values:
        return f"must be {' or '.join(field.values)}" + (" or null" if field.nullable else "")
    if field.pattern:
        return f"must match {field.pattern}"
    if field.least is not None:
        return f"must be at least {field.least}" + (
            "" if field.most is None else f" and at most {field.most}"
        )
    return "must be given"


def _first_bad(values: pa.Array, field: Field) -> int | None:
    """The place of the first value that the field does not take."""
    if not field.nullable and values.null_count:
        return _first(pc.is_null(values))
    if field.kind == "texts":
        flat = values.flatten()
        inside = pc.or_(pc.is_null(flat), pc.equal(flat, ""))
        bad = _first(pc.fill_null(inside, True))
        return None if bad is None else int(pc.list_parent_indices(values)[bad].as_py())
    wrong = _wrong(values, field)
    return None if wrong is None else _first(pc.fill_null(wrong, False))


def _wrong(values: pa.Array, field: Field) -> pa.Array | None:
    if field.values:
        allowed = pa.array([*field.values, *([None] if field.nullable else [])], values.type)
        return pc.invert(pc.is_in(values, allowed))
    if field.pattern:
        # Of a column whose values repeat, each is looked at once.
        coded = values.dictionary_encode()
        if len(coded.dictionary) * 4 < len(values):
            fits = pc.match_substring_regex(coded.dictionary, field.pattern)
            return pc.invert(fits.take(coded.indices))
        return pc.invert(pc.match_substring_regex(values, field.pattern))
    if field.kind == "text":
        return pc.equal(values, "")
    if field.least is not None:
        low = pc.less(values, field.least)
        return low if field.most is None else pc.or_(low, pc.greater(values, field.most))
    return None


def _first(flags: pa.Array) -> int | None:
    place = pc.index(flags, True).as_py()
    return None if place < 0 else int(place)
