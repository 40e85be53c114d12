"""Files for Neo4j's offline importer, for a first load of a big graph.

They are parquet, so that times, numbers and lists go in as what they are: as CSV, times are parsed
and empty lists get lost. Nodes are numbered here, so that the importer neither sorts nor looks up
ids. Most columns have no `:type`, since with one it turns each value to text and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from exporters.neo4j_frames import schema_of
from exporters.neo4j_load import LoadRefused, Part, batches_of, indexed, load_record
from exporters.neo4j_statements import LOAD
from graph.database_schema import LOADED, SUCCEEDS, NodeKind, RelationshipKind
from graph.id_index import IdIndex, id_index

ROWS = 65_536
"""Of a row group, which is what one thread of the importer reads at a time."""

OPTIONS = ("--overwrite-destination=true", "--input-type=parquet", "--id-type=actual")

Numbers = npt.NDArray[np.int64]


def write_import_files(parts: Sequence[Part], folder: Path, ds: date, scope: str) -> list[str]:
    """Write parquet files, one a kind; returns the importer's arguments.

    Rows are streamed, ids of nodes are held. Raises LoadRefused where a row names a node that no
    part has, save for older networks, which may never have been loaded.
    """
    folder.mkdir(parents=True, mode=0o700)
    arguments, nodes = list(OPTIONS), _NodeNumbers()
    for part in parts:
        if part.rows:
            path = folder / f"{part.kind.name}.parquet"
            _write(part, path, nodes)
            arguments.append(f"{_option(part)}={path.absolute()}")
    record = folder / f"{LOAD}.parquet"
    pq.write_table(_record(parts, ds, scope, nodes.count), record)
    return [*arguments, f"--nodes={LOAD}={record.absolute()}"]


class _NodeNumbers:
    """Numbers of nodes, from 0 on in the order in which they are written, one label at a time."""

    def __init__(self) -> None:
        self.count = 0
        self._of_label: dict[str, tuple[int, int, IdIndex]] = {}

    def add(self, label: str, ids: pa.Array) -> Numbers:
        """Number new nodes. Raises LoadRefused where two have the same id."""
        first, _, index = self._of_label.get(label, (self.count, 0, id_index(pa.string())))
        numbers = first + index.positions(ids).astype(np.int64)
        if len(index) != self.count - first + len(ids):
            raise LoadRefused(f"{label}: two nodes have the same id")
        self.count += len(ids)
        self._of_label[label] = first, len(index), index
        return numbers

    def find(self, label: str, ids: pa.Array) -> Numbers:
        """The numbers of nodes, -1 where there is none."""
        first, known, index = self._of_label.get(label, (0, 0, id_index(pa.string())))
        positions = index.positions(ids).astype(np.int64)
        return np.where(positions < known, first + positions, -1)


def _option(part: Part) -> str:
    if isinstance(part.kind, NodeKind):
        return f"--nodes={part.kind.label}"
    return f"--relationships={part.kind.type}"


def _write(part: Part, path: Path, nodes: _NodeNumbers) -> None:
    kind, schema = part.kind, _file_schema(part.kind)
    with pq.ParquetWriter(
        path, schema, compression="none", use_dictionary=[LOADED], write_statistics=False
    ) as writer:
        for batch in batches_of(part, ROWS):
            if isinstance(kind, NodeKind):
                columns = _of_nodes(kind, batch, nodes)
            else:
                columns = _of_relationships(kind, batch, nodes)
            if rows := len(columns[0]):
                columns.append(pa.repeat(pa.scalar(part.key), rows))
                made = pa.Table.from_arrays(columns, names=schema.names)
                writer.write_table(made.cast(schema))


def _file_schema(kind: NodeKind | RelationshipKind) -> pa.Schema:
    """The columns of a kind's file; those whose names begin with a colon are the importer's."""
    fields = [(_column_name(each), each.type) for each in schema_of(kind)]
    if isinstance(kind, NodeKind):
        numbers = [":ID"]
    else:
        numbers, fields = [":START_ID", ":END_ID"], fields[2:]
    return pa.schema([*((name, pa.int64()) for name in numbers), *fields, (LOADED, pa.int64())])


LISTS = {pa.string(): "string[]", pa.int64(): "long[]", pa.float64(): "double[]"}
"""The importer's types of lists, by Arrow's of their values."""


def _column_name(field: pa.Field) -> str:
    """Lists have a type after all, for without one an empty list comes out as one of bytes."""
    if pa.types.is_list(field.type):
        return f"{field.name}:{LISTS[field.type.value_type]}"
    return str(field.name)


def _of_nodes(kind: NodeKind, batch: pa.RecordBatch, nodes: _NodeNumbers) -> list[Any]:
    ids, *properties = batch.columns
    return [pa.array(nodes.add(kind.label, ids)), indexed(ids), *properties]


def _of_relationships(
    kind: RelationshipKind, batch: pa.RecordBatch, nodes: _NodeNumbers
) -> list[Any]:
    starts, ends, *properties = batch.columns
    start, end = nodes.find(kind.start, starts), nodes.find(kind.end, ends)
    columns = [pa.array(start), pa.array(end), *properties]
    found = (start >= 0) & (end >= 0)
    if found.all():
        return columns
    if kind is not SUCCEEDS:
        raise LoadRefused(f"{kind.name}: {(~found).sum()} rows name nodes that the day has not")
    return [each.filter(pa.array(found)) for each in columns]


def _record(parts: Sequence[Part], ds: date, scope: str, number: int) -> pa.Table:
    """The Load node, as a table of one row."""
    return pa.Table.from_pylist([{":ID": number, **load_record(parts, ds, scope)}])
