"""Rewriting published tables and ledgers in place, when rows must go: whole folders, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from graph.filesystems import filesystem, make_folder
from graph.ledger import FOLDER as LEDGER
from graph.published import TableDay
from jobs.batches.changes import Changes

Change = Callable[[pa.RecordBatch], pa.RecordBatch]


def table_days(changes: Changes) -> Iterator[tuple[str, date, TableDay]]:
    """Every published day of a table."""
    published = changes.publication.warehouse.published
    for table in published.names():
        for ds in published.days(table):
            if (day := published.day(table, ds)).description:
                yield table, ds, day


def ledger_appends(changes: Changes, *names: str) -> Iterator[tuple[str, Path]]:
    """The target and the folder of every append of the ledgers of these names, or of all."""
    root = changes.home / LEDGER
    for folder in sorted(root.glob("*/[0-9]*")):
        if folder.is_dir() and (not names or folder.parent.name in names):
            yield f"../{LEDGER}/{folder.parent.name}/{folder.name}", folder


def rewrite_day(changes: Changes, table: str, ds: date, day: TableDay, change: Change) -> int:
    """Stage a table's day anew as `change` leaves its rows; returns the rows changed.

    A day in which nothing changes is left alone. Memory holds one record batch.
    """
    if not any(_differs(file, change) for file in day.files):
        return 0
    draft = changes.publication.draft(table, ds)
    changed, rows = _rewritten(day.files, draft.place, change)
    changes.publication.describe(draft, {**day.description, "rows": rows})
    return changed


def rewrite_append(changes: Changes, target: str, folder: Path, change: Change) -> int:
    """Stage an append of a ledger anew, as `rewrite_day` does a table's day."""
    files = [str(path) for path in sorted(folder.glob("*.parquet"))]
    if not any(_differs(file, change) for file in files):
        return 0
    changed, _ = _rewritten(files, str(changes.publication.claim(target)), change)
    return changed


def _rewritten(files: Sequence[str], folder: str, change: Change) -> tuple[int, int]:
    """Write files anew into a new folder; returns the rows changed, and those there are now."""
    changed = rows = 0
    make_folder(folder)
    for file in files:
        store, path = filesystem(file)
        fresh, target = filesystem(f"{folder}/{PurePosixPath(file).name}")
        with (
            pq.ParquetFile(path, filesystem=store) as before,
            pq.ParquetWriter(
                target, before.schema_arrow, compression="zstd", filesystem=fresh
            ) as after,
        ):
            for batch in before.iter_batches():
                found = change(batch)
                changed += 0 if found.equals(batch) else max(len(batch) - len(found), 1)
                rows += len(found)
                after.write_batch(found)
    return changed, rows


def _differs(file: str, change: Change) -> bool:
    store, path = filesystem(file)
    with pq.ParquetFile(path, filesystem=store) as opened:
        return any(not change(batch).equals(batch) for batch in opened.iter_batches())
