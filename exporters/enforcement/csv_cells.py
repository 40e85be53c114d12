"""Cells of CSV files that no spreadsheet takes for a formula, and back.

A text that begins with = + - @, a tab, a carriage return or an apostrophe gets an apostrophe in
front; who reads the file takes one leading apostrophe away, and has the text as it was.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exporters.enforcement.fields import RowFile

PREFIXES = frozenset("=+-@\t\r\n'＝＋－＠")
"""What begins a formula somewhere, its full-width forms too, and the sign that guards them."""

SEPARATOR = "|"
"""Between the texts of a list; they are uuids, which have none."""


def cell(value: Any) -> str:
    """One value as the text of its cell; null is empty."""
    if isinstance(value, str):
        return f"'{value}" if value[:1] in PREFIXES else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return cell(SEPARATOR.join(value))
    return str(value)


def columns_of_cells(cells: pa.RecordBatch, file: RowFile) -> pa.RecordBatch:
    """The columns that cells stand for; raises ArrowInvalid for a cell that is not of its type."""
    arrays = []
    for field in file.fields:
        texts = cells.column(field.name)
        guarded = pc.starts_with(texts, "'")
        plain = pc.if_else(guarded, pc.utf8_slice_codeunits(texts, 1), texts)
        plain = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), plain)
        if field.kind == "texts":
            lists = pc.split_pattern(pc.fill_null(plain, ""), SEPARATOR)
            empty = pa.repeat(pa.scalar([], pa.list_(pa.string())), len(texts))
            arrays.append(pc.if_else(pc.is_null(plain), empty, lists))
        else:
            arrays.append(plain.cast(field.arrow.type))
    return pa.RecordBatch.from_arrays(arrays, schema=file.schema)
