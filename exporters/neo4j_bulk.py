"""Files for Neo4j's offline importer, for a first load of a big graph."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from exporters.neo4j_load import Part, batches_of, indexed, load_record
from exporters.neo4j_statements import LOAD
from graph.database_schema import LOADED, Kind, NodeKind

LIST_SEPARATOR = "\x1f"
TYPES: dict[Kind, str] = {
    "string": "string",
    "integer": "long",
    "float": "double",
    "boolean": "boolean",
    "datetime": "datetime",
    "date": "date",
    "strings": "string[]",
}
"""The importer's names of the schema's property types."""

OPTIONS = (
    "--overwrite-destination=true",
    "--skip-bad-relationships=true",  # an older network may never have been loaded
    "--id-type=string",
    "--array-delimiter=U+001F",
)


def write_import_files(parts: Sequence[Part], folder: Path, ds: date, scope: str) -> list[str]:
    """Write CSV files side by side, one a kind; returns the importer's arguments. Streamed."""
    folder.mkdir(parents=True, mode=0o700)
    arguments = list(OPTIONS)
    paths = [folder / f"{part.kind.name}.csv" for part in parts]
    with ThreadPoolExecutor() as pool:
        breaks = list(pool.map(_write, parts, paths))
    # Where any text may go over lines, the importer reads its files with one thread.
    arguments.append(f"--multiline-fields={'true' if any(breaks) else 'false'}")
    for part, path in zip(parts, paths, strict=True):
        if isinstance(part.kind, NodeKind):
            arguments.append(f"--nodes={part.kind.label}={path.absolute()}")
        else:
            arguments.append(f"--relationships={part.kind.type}={path.absolute()}")
    record = folder / f"{LOAD}.csv"
    _write_record(parts, record, ds, scope)
    return [*arguments, f"--nodes={LOAD}={record.absolute()}"]


def _write(part: Part, path: Path) -> bool:
    """Write a part's file; returns whether a text in it has a line break."""
    names = _header(part)
    breaks = False
    schema = None
    with path.open("wb") as file:
        file.write((",".join(names) + "\n").encode())
        options = csv.WriteOptions(include_header=False)
        writer = None
        for batch in batches_of(part):
            columns = _columns(part, batch)
            breaks = breaks or any(map(_has_line_break, batch.columns, columns))
            keys = pa.repeat(pa.scalar(part.key), batch.num_rows)
            made = pa.RecordBatch.from_arrays([*columns, keys], names=names)
            if writer is None:
                schema = made.schema
                writer = csv.CSVWriter(file, schema, write_options=options)
            writer.write_batch(made)
        if writer is not None:
            writer.close()
    return breaks


def _has_line_break(column: pa.Array, written: pa.Array) -> bool:
    if pa.types.is_string(column.type) or pa.types.is_list(column.type):
        found = (pc.any(pc.match_substring(written, each)).as_py() for each in "\n\r")
        return any(found)
    return False


def _header(part: Part) -> list[str]:
    kind = part.kind
    if isinstance(kind, NodeKind):
        ends = [f"id:ID({kind.label})"]
    else:
        ends = [f":START_ID({kind.start})", f":END_ID({kind.end})"]
    return [
        *ends,
        *(f"{each.name}:{TYPES[each.kind]}" for each in kind.properties),
        f"{LOADED}:long",
    ]


def _columns(part: Part, batch: pa.RecordBatch) -> list[pa.Array]:
    """A batch's columns as the importer reads them."""
    ends = 1 if isinstance(part.kind, NodeKind) else 2
    columns = []
    for place, column in enumerate(batch.columns):
        if place < ends:
            column = indexed(column)
        elif pa.types.is_timestamp(column.type):
            column = pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
        elif pa.types.is_date(column.type):
            column = pc.strftime(column, format="%Y-%m-%d")
        elif pa.types.is_list(column.type):
            column = pc.binary_join(column, LIST_SEPARATOR)
        columns.append(column)
    return columns


def _write_record(parts: Sequence[Part], path: Path, ds: date, scope: str) -> None:
    record = load_record(parts, ds, scope)
    kinds = {bool: "boolean", int: "long", str: "string"}
    names = [
        "id:ID(Load)" if name == "id" else f"{name}:{kinds[type(value)]}"
        for name, value in record.items()
    ]
    values = [str(value).lower() if isinstance(value, bool) else value for value in record.values()]
    csv.write_csv(pa.table([[value] for value in values], names=names), path)
