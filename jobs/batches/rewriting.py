"""Rewriting published tables and ledgers in place, when rows must go: whole folders, or none."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from graph.ledger import FOLDER as LEDGER
from graph.published import DESCRIPTION, read_description
from jobs.batches.changes import Changes
from jobs.files import write_json

Change = Callable[[pa.RecordBatch], pa.RecordBatch]


def table_days(changes: Changes) -> Iterator[tuple[str, Path]]:
    """The target and the folder of every published day of a table."""
    warehouse = changes.publication.warehouse.folder
    for path in sorted(warehouse.glob(f"*/ds=*/{DESCRIPTION}")):
        folder = path.parent
        yield f"{folder.parent.name}/{folder.name}", folder


def ledger_appends(changes: Changes, *names: str) -> Iterator[tuple[str, Path]]:
    """The target and the folder of every append of the ledgers of these names, or of all."""
    root = changes.home / LEDGER
    for folder in sorted(root.glob("*/[0-9]*")):
        if folder.is_dir() and (not names or folder.parent.name in names):
            yield f"../{LEDGER}/{folder.parent.name}/{folder.name}", folder


def rewrite(changes: Changes, target: str, folder: Path, change: Change) -> int:
    """Stage a folder of parquet files anew as `change` leaves its rows; returns the rows changed.

    A folder in which nothing changes is left alone. Memory holds one record batch.
    """
    if not any(_differs(path, change) for path in _files(folder)):
        return 0
    fresh = changes.publication.claim(target)
    shutil.copytree(folder, fresh)
    changed = rows = 0
    for path in _files(folder):
        with (
            pq.ParquetFile(path) as before,
            pq.ParquetWriter(fresh / path.name, before.schema_arrow, compression="zstd") as after,
        ):
            for batch in before.iter_batches():
                found = change(batch)
                changed += 0 if found.equals(batch) else max(len(batch) - len(found), 1)
                rows += len(found)
                after.write_batch(found)
    description = read_description(folder)
    if description:
        write_json(fresh / DESCRIPTION, {**description, "rows": rows})
    return changed


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))


def _differs(path: Path, change: Change) -> bool:
    with pq.ParquetFile(path) as file:
        return any(not change(batch).equals(batch) for batch in file.iter_batches())
