"""Loading a day into Neo4j: idempotent, never unsaid while half done, never touching people's work.

Every node and relationship that is written carries `loaded`, a key of the content of its kind. A
kind whose key the database has already is not written again; what carries another key afterwards
is stale. The order: drafts of networks, nodes, relationships, clean-up, and in one last transaction
the networks' label and the record of what was loaded. So a network is seen once all its members are
there. One that was there before stays while its members change; until the record says `complete`,
every saved query says so, and none adds a verdict. The next load completes one that was killed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exporters.neo4j import Database
from exporters.neo4j_frames import columns_of
from exporters.neo4j_statements import (
    BEGIN_DRAFT,
    END_DRAFT,
    LOAD,
    count_nodes,
    count_relationships,
    create_nodes,
    create_relationships,
    delete_stale_nodes,
    delete_stale_relationships,
    mark_gone,
    merge_nodes,
    merge_relationships,
    name_statements,
    schema_statements,
)
from exporters.neo4j_writers import write_batches
from graph.database_schema import NODES, SCHEMA_VERSION, SUCCEEDS, NodeKind, RelationshipKind

BATCH = 5_000
SAID_EVERY_S = 10.0
LONGEST_ID = 1_000
"""Characters of an id. Neo4j's indexes take some 8 KB, logs may hold ids of 64 KiB."""

Element = NodeKind | RelationshipKind
Say = Callable[..., None]


class LoadRefused(Exception):
    """The database holds what must not be overwritten unasked; a person must decide."""


@dataclass(frozen=True)
class Part:
    """The rows of one kind, in parquet files, and the key of their content."""

    kind: Element
    folder: Path
    rows: int
    key: int


@dataclass
class Report:
    """What a load did: rows written by kind, elements deleted by kind, kinds left as they are."""

    written: dict[str, int] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)


def read_part(kind: Element, folder: Path) -> Part:
    """Look at the files of a kind: count their rows and hash their content."""
    total, rows = 0, 0
    for batch in _batches(folder, kind, 65_536):
        rows += batch.num_rows
        total += _hash(batch)
    name = f"{SCHEMA_VERSION} {kind.name} {columns_of(kind)} {rows} {total % 2**64}"
    return Part(kind, folder, rows, int.from_bytes(hashlib.sha256(name.encode()).digest()[:7]))


def _batches(folder: Path, kind: Element, size: int) -> Iterator[pa.RecordBatch]:
    """The rows of a kind, a bounded number at a time."""
    for file in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(file) as opened:
            yield from opened.iter_batches(size, columns=columns_of(kind))


def _hash(batch: pa.RecordBatch) -> int:
    """A hash of rows that does not depend on their order."""
    import pandas as pd

    frame = pa.Table.from_batches([_wire(batch)]).to_pandas()
    for name in batch.schema.names:
        if pa.types.is_list(batch.schema.field(name).type):
            frame[name] = [
                None if value is None else "\x1f".join(map(str, value)) for value in frame[name]
            ]
    hashes: Any = pd.util.hash_pandas_object(frame, index=False)
    return int(hashes.sum())


def _wire(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Times as microseconds and dates as days since 1970, as the load statements expect them."""
    columns = []
    for column in batch.columns:
        if pa.types.is_timestamp(column.type):
            column = pc.cast(column, pa.timestamp("us", tz="UTC")).cast(pa.int64())
        elif pa.types.is_date(column.type):
            column = column.cast(pa.int32()).cast(pa.int64())
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def batches_of(part: Part, size: int = BATCH) -> Iterator[pa.RecordBatch]:
    """A part's rows as they are in the files, `size` at a time."""
    return _batches(part.folder, part.kind, size)


def rows_of(part: Part) -> Iterator[list[list[Any]]]:
    """A part's rows as lists of values, as the load statements expect them."""
    ends = 1 if isinstance(part.kind, NodeKind) else 2
    for batch in batches_of(part):
        columns = _wire(batch).columns
        columns[:ends] = [indexed(column) for column in columns[:ends]]
        yield [list(row) for row in zip(*(each.to_pylist() for each in columns), strict=True)]


def indexed(names: pa.Array) -> pa.Array:
    """Ids as the database can index them; a very long one is cut and told apart by its hash."""
    if (pc.max(pc.utf8_length(names)).as_py() or 0) <= LONGEST_ID:
        return names
    return pa.array([indexed_id(name) for name in names.to_pylist()], pa.string())


def indexed_id(name: str) -> str:
    """An id as the database has it."""
    if len(name) <= LONGEST_ID:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{name[:LONGEST_ID]}... sha256:{digest}"


def load(
    database: Database,
    parts: list[Part],
    ds: date,
    scope: str,
    say: Say,
    force: bool = False,
    workers: int = 2,
) -> Report:
    """Bring the database to what the parts say.

    Raises LoadRefused for an older day, a newer schema, or data of another program.
    """
    held = check_database(database, ds, force)
    define_schema(database)
    report = Report()
    changed = [part for part in parts if not _is_held(database, part, held)]
    report.unchanged = [part.kind.name for part in parts if part not in changed]
    if changed:
        _write_all(database, changed, ds, report, say, workers)
    elif held.get("ds") == str(ds) and held.get("complete"):
        return report
    database.write_all(
        [
            (END_DRAFT, {}),
            (
                f"MERGE (l:{LOAD} {{id: $record.id}}) SET l = $record",
                {"record": load_record(parts, ds, scope)},
            ),
        ]
    )
    return report


def load_record(parts: Sequence[Part], ds: date, scope: str) -> dict[str, Any]:
    """What the database's one Load node says once a load is complete."""
    keys = {f"key_{part.kind.name}": part.key for part in parts}
    about = {"ds": str(ds), "scope": scope, "schema_version": SCHEMA_VERSION, "complete": True}
    return {"id": "actorgraph", **about, **keys}


def define_schema(database: Database) -> None:
    """Make the names, constraints and indexes that are missing, and wait until they are there."""
    for statement, names in name_statements():
        database.write(statement, names=names)
    for statement in schema_statements(NODES):
        database.define(statement)
    database.define("CALL db.awaitIndexes(300)")


def require_empty(database: Database) -> None:
    """Pass a database without nodes; raises LoadRefused for any other."""
    if found := database.read("MATCH (n) RETURN count(n) AS found")[0]["found"]:
        raise LoadRefused(
            f"the database has {found} nodes, and the offline importer would replace them, "
            "verdicts included: load without --mode bulk"
        )


def check_database(database: Database, ds: date, force: bool) -> dict[str, Any]:
    """What the last load recorded; raises LoadRefused when this one must not follow it."""
    found = database.read(f"MATCH (l:{LOAD} {{id: 'actorgraph'}}) RETURN properties(l) AS load")
    held: dict[str, Any] = found[0]["load"] if found else {}
    if held.get("schema_version", 0) > SCHEMA_VERSION:
        raise LoadRefused(
            f"the database was written with schema version {held['schema_version']}, this program "
            f"knows {SCHEMA_VERSION}: upgrade actorgraph, or load into another database"
        )
    if held.get("ds", "") > str(ds) and not force:
        raise LoadRefused(
            f"the database holds {held['ds']}, which is newer than {ds}: add --force to go back"
        )
    if not held:
        _refuse_foreign(database)
    return held


def _refuse_foreign(database: Database) -> None:
    """Clean-up would delete nodes of the same labels that another program wrote."""
    for kind in NODES:
        if database.read(count_nodes(kind))[0]["found"]:
            raise LoadRefused(
                f"the database has {kind.label} nodes that actorgraph has not loaded: use a "
                "database of its own"
            )


def _is_held(database: Database, part: Part, held: dict[str, Any]) -> bool:
    """Whether the database has exactly this part already."""
    if not held.get("complete") or held.get(f"key_{part.kind.name}") != part.key:
        return False
    if isinstance(part.kind, NodeKind):
        there = f"MATCH (n:`{part.kind.label}`) WHERE n.loaded = $key RETURN count(n) AS found"
        return bool(database.read(there, key=part.key)[0]["found"] == part.rows)
    found = database.read(count_relationships(part.kind))[0]["found"]
    return bool(found == part.rows) or part.kind is SUCCEEDS


def _write_all(
    database: Database, parts: list[Part], ds: date, report: Report, say: Say, workers: int
) -> None:
    database.write_all(
        [
            (
                f"MERGE (l:{LOAD} {{id: 'actorgraph'}}) SET l.complete = false, l.ds = $ds",
                {"ds": str(ds)},
            ),
            (BEGIN_DRAFT, {}),
        ]
    )
    meter = Meter(sum(part.rows for part in parts), say)
    for part in parts:
        report.written[part.kind.name] = _write(database, part, meter, workers)
    for part in reversed(parts):  # relationships before nodes
        report.deleted[part.kind.name] = _clean_up(database, part)


class Meter:
    """Says how far a load has come: rows, rate, remaining seconds."""

    def __init__(self, total: int, say: Say) -> None:
        self._total, self._say = total, say
        self._since = self._said = time.monotonic()
        self._done = 0

    def add(self, rows: int) -> None:
        """Count rows that were written."""
        self._done += rows
        now = time.monotonic()
        if now - self._said >= SAID_EVERY_S:
            rate = self._done / (now - self._since)
            self._said = now
            self._say(
                "loading",
                rows=self._done,
                of=self._total,
                rows_a_second=round(rate),
                remaining_s=round((self._total - self._done) / rate),
            )


def _write(database: Database, part: Part, meter: Meter, workers: int) -> int:
    """Write a part; returns the rows that found their nodes."""
    kind = part.kind
    if isinstance(kind, NodeKind):
        is_fresh = database.read(count_nodes(kind, during_load=True))[0]["found"] == 0
        statement = create_nodes(kind) if is_fresh else merge_nodes(kind)
    else:
        is_fresh = database.read(count_relationships(kind, during_load=True))[0]["found"] == 0
        statement = create_relationships(kind) if is_fresh else merge_relationships(kind)

    def write(rows: list[list[Any]]) -> int:
        written: int = database.write(statement, rows=rows, key=part.key)[0]["written"]
        meter.add(len(rows))
        return written

    writers = workers if isinstance(kind, NodeKind) else 1
    written = write_batches(rows_of(part), write, writers)
    if written != part.rows and kind is not SUCCEEDS:
        raise LoadRefused(
            f"{kind.name}: {part.rows - written} of {part.rows} rows name nodes that the database "
            "has not; another program changes it: load again when it has ended"
        )
    return written


def _clean_up(database: Database, part: Part) -> int:
    """Delete what the part no longer has; returns how much."""
    kind = part.kind
    if isinstance(kind, NodeKind):
        _repeat(database, mark_gone(kind), part.key)
        return _repeat(database, delete_stale_nodes(kind), part.key)
    return _repeat(database, delete_stale_relationships(kind), part.key)


def _repeat(database: Database, statement: str, key: int) -> int:
    """Run a statement that does a batch at a time until nothing is left."""
    total = 0
    while batch := database.write(statement, key=key)[0]["written"]:
        total += batch
    return total
