"""Reading a batch's rows as columns, block by block, as an importer would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.json as pjson

from exporters.enforcement.csv_cells import columns_of_cells
from exporters.enforcement.fields import RowFile

BLOCK_BYTES = 2 << 20


def json_rows(path: Path, file: RowFile) -> Iterator[pa.RecordBatch]:
    """The rows of a file of JSON lines; raises ArrowInvalid for what is not of its fields' types.

    A field that occurs twice in a line, or that the file does not have, is refused too.
    """
    if path.stat().st_size == 0:
        return
    yield from pjson.open_json(
        path,
        read_options=pjson.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=pjson.ParseOptions(
            explicit_schema=file.schema, unexpected_field_behavior="error"
        ),
    )


def csv_rows(path: Path, file: RowFile) -> Iterator[pa.RecordBatch]:
    """The rows of accounts.csv with the texts as they were before they were guarded."""
    texts = pa.schema([(name, pa.string()) for name in file.names])
    reader = pcsv.open_csv(
        path,
        read_options=pcsv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=pcsv.ParseOptions(newlines_in_values=True),
        convert_options=pcsv.ConvertOptions(column_types=texts, strings_can_be_null=False),
    )
    if reader.schema.names != file.names:
        raise pa.ArrowInvalid(f"its columns are not {', '.join(file.names)}")
    for batch in reader:
        yield columns_of_cells(batch, file)


def side_by_side(
    left: Iterator[pa.RecordBatch], right: Iterator[pa.RecordBatch]
) -> Iterator[tuple[pa.RecordBatch | None, pa.RecordBatch | None]]:
    """Two files' rows in pieces of equal length; None on a side that has ended before the other."""
    one, two = next(left, None), next(right, None)
    while one is not None or two is not None:
        length = min(len(each) for each in (one, two) if each is not None)
        yield (one and one.slice(0, length), two and two.slice(0, length))
        one = _rest(one, length, left)
        two = _rest(two, length, right)


def _rest(
    batch: pa.RecordBatch | None, length: int, more: Iterator[pa.RecordBatch]
) -> pa.RecordBatch | None:
    if batch is None or len(batch) == length:
        return next(more, None)
    return batch.slice(length)
