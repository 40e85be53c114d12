"""Loading into Neo4j: ours beside a plain loop of one thread that merges dictionaries.

Both write the same accounts, devices and relationships to one local server, each into an emptied
database that has the constraints. `python -m tests.benchmarks.bench_neo4j --elements 1000000`
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exporters.neo4j import Address, Database, read_password
from exporters.neo4j_bulk import write_import_files
from exporters.neo4j_frames import schema_of
from exporters.neo4j_load import Part, define_schema, load, read_part
from exporters.neo4j_statements import schema_statements
from graph.database_schema import ACCOUNT, ENTITY_NODES, ENTITY_RELATIONSHIPS, NODES, RELATIONSHIPS
from jobs.database.importer import run_importer
from jobs.database.server import USER, start_server, stop_server
from jobs.files import remove

DAY = date(2026, 11, 22)
CHUNK = 10_000
NODE = "UNWIND $rows AS row MERGE (n:%s {id: row.id}) SET n += row"
EDGE = (
    "UNWIND $rows AS row MATCH (a:Account {id: row.start_id}) MATCH (b:Device {id: row.end_id}) "
    "MERGE (a)-[r:USED_DEVICE]->(b) SET r.first_seen_at = row.first_seen_at, "
    "r.last_seen_at = row.last_seen_at, r.events = row.events, r.active_days = row.active_days"
)


def made(folder: Path, elements: int) -> dict[str, Part]:
    """Files of a graph: two fifths accounts, a tenth devices, half relationships."""
    accounts, devices, edges = elements * 2 // 5, elements // 10, elements // 2
    random = np.random.default_rng(1)
    kinds = {kind.name: kind for kind in (*NODES, *RELATIONSHIPS)}
    tables: dict[str, dict[str, Any]] = {name: {} for name in kinds}
    tables[ACCOUNT.name] = _nodes("account", accounts)
    tables[ENTITY_NODES["device"].name] = _nodes("device", devices) | {
        "is_hub": pa.repeat(pa.scalar(False), devices)
    }
    pairs = np.unique(random.integers(0, accounts * devices, edges))
    ends = np.sort(pairs % devices)
    order = np.argsort(pairs % devices, kind="stable")
    tables[ENTITY_RELATIONSHIPS["device"].name] = _seen(len(pairs)) | {
        "start_id": _names("account", pairs[order] // devices),
        "end_id": _names("device", ends),
        "active_days": pa.repeat(pa.scalar(3), len(pairs)),
    }
    parts = {}
    for name, columns in tables.items():
        schema = schema_of(kinds[name])
        rows = len(next(iter(columns.values()))) if columns else 0
        arrays = [
            columns[field.name].cast(field.type)
            if field.name in columns
            else pa.nulls(rows, field.type)
            for field in schema
        ]
        target = folder / name
        target.mkdir(parents=True)
        pq.write_table(pa.table(arrays, schema=schema), target / "0.parquet")
        parts[name] = read_part(kinds[name], target)
    return parts


def _names(prefix: str, numbers: Any) -> pa.Array:
    return pa.array([f"{prefix}-{number:09d}" for number in numbers], pa.string())


def _nodes(prefix: str, rows: int) -> dict[str, Any]:
    return _seen(rows) | {
        "id": _names(prefix, range(rows)),
        "degree": pa.repeat(pa.scalar(3), rows),
    }


def _seen(rows: int) -> dict[str, Any]:
    at = pa.array(np.arange(rows) + 1_700_000_000_000_000).cast(pa.timestamp("us", tz="UTC"))
    return {
        "first_seen_at": at,
        "last_seen_at": at,
        "events": pa.array(np.arange(rows) % 100),
    }


def plain(database: Database, parts: dict[str, Part]) -> None:
    """What one writes first: dictionaries, 10,000 a transaction, merged."""
    for name, statement in (
        ("Account", NODE % "Account"),
        ("Device", NODE % "Device"),
        ("Account_USED_DEVICE_Device", EDGE),
    ):
        for batch in pq.ParquetFile(parts[name].folder / "0.parquet").iter_batches(CHUNK):
            rows = [
                {key: value for key, value in row.items() if value is not None}
                for row in batch.to_pylist()
            ]
            database.write(f"{statement} RETURN count(*) AS n", rows=rows)


def emptied(database: Database) -> None:
    """Delete everything, and leave the constraints."""
    for match in ("MATCH ()-[x]->()", "MATCH (x)"):
        while database.write(f"{match} WITH x LIMIT 50000 DELETE x RETURN count(*) AS deleted")[0][
            "deleted"
        ]:
            pass


def main() -> int:
    """Print rates of both, of a reload, and the driver's memory."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--elements", type=int, default=1_000_000)
    parser.add_argument("--heap", default="2g")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--plain", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = made(folder / "parts", arguments.elements)
        elements = sum(part.rows for part in parts.values())
        server = start_server(folder / "neo4j", arguments.heap)
        address = Address(server.uri, USER, read_password(server.password_file))
        try:
            with Database(address) as database:
                _compare(database, parts, elements, arguments)
        finally:
            stop_server(server)
        for _ in range(arguments.rounds):
            _timed("bulk", elements, lambda: _bulk(folder, parts))
            _timed("its restart", elements, lambda: _restarted(folder, arguments.heap))
    return 0


def _bulk(folder: Path, parts: dict[str, Part]) -> None:
    """Write the import files and import them; the server's stop and start are not in it."""
    remove(folder / "import")
    arguments = write_import_files(list(parts.values()), folder / "import", DAY, "all")
    elements = sum(part.rows for part in parts.values())
    run_importer(folder / "neo4j", arguments, elements=elements)


def _restarted(folder: Path, heap: str) -> None:
    """What else a bulk load waits for: the server's start, constraints and indexes, its stop."""
    server = start_server(folder / "neo4j", heap)
    try:
        with Database(Address(server.uri, USER, read_password(server.password_file))) as database:
            define_schema(database)
    finally:
        stop_server(server)


def _compare(
    database: Database, parts: dict[str, Part], elements: int, arguments: argparse.Namespace
) -> None:
    def ours() -> None:
        found = list(parts.values())
        load(database, found, DAY, "all", lambda *_, **__: None, workers=arguments.workers)

    for statement in schema_statements(NODES):
        database.define(statement)
    few = {name: part for name, part in parts.items() if part.rows}
    for _ in range(arguments.rounds):  # the first round warms the server up
        if arguments.plain:
            _timed("plain loop", elements, lambda: plain(database, few))
            emptied(database)
        before = _peak()
        _timed("load", elements, ours)
        _said(f"driver memory: peak {_peak():.0f} MB, {_peak() - before:.0f} MB of it new")
        _timed("load again", elements, ours)
        emptied(database)


def _timed(what: str, elements: int, work: Callable[[], None]) -> None:
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    _said(f"{what:12} {seconds:7.1f} s  {elements / seconds:10,.0f} elements/s")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _said(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
