"""Ledgers: append-only tables under `<home>/ledger/<name>/`, one immutable folder an append.

Appends are numbered, so that their order is that of their names. Whoever appends holds the lock of
the warehouse beside the ledgers; readers need none, because a folder appears whole.
"""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from graph.engines.base import Engine
from graph.frames import DataFrame
from graph.tables import Table

FOLDER = "ledger"
UNFINISHED = "_"
"""What the name of a folder begins with until all of it is written."""


class LedgerError(Exception):
    """Rows that a ledger must not take; says which."""


def ledger_folder(home: Path, table: Table) -> Path:
    """Where a ledger's appends are."""
    return home / FOLDER / table.name


def appends(home: Path, table: Table) -> list[Path]:
    """The folders of a ledger's appends, oldest first; none where nothing was appended yet."""
    folder = ledger_folder(home, table)
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir())


def next_append(home: Path, table: Table, name: str) -> str:
    """The name of the folder of the next append; `name` says what made it, e.g. a run's id."""
    before = appends(home, table)
    number = int(before[-1].name.split("-")[0]) + 1 if before else 1
    return f"{number:08d}-{name}"


def read_ledger(home: Path, table: Table, where: ds.Expression | None = None) -> pa.Table:
    """All rows of a ledger, or those that `where` selects, in the order of their appends."""
    paths = [
        str(file) for folder in appends(home, table) for file in sorted(folder.glob("*.parquet"))
    ]
    if not paths:
        return table.schema.empty_table()
    found = ds.dataset(paths, schema=table.schema, format="parquet")
    return found.to_table(filter=where)


def ledger_frame(engine: Engine, home: Path, table: Table) -> DataFrame:
    """All rows of a ledger as a frame."""
    folders = [str(folder) for folder in appends(home, table)]
    if not folders:
        return engine.from_arrow(table.schema.empty_table())
    return engine.read(folders, "parquet").select(*table.columns)


def append_to_ledger(home: Path, table: Table, rows: pa.Table, name: str) -> Path | None:
    """Append rows, all of them or none; returns the new folder, None where there are no rows.

    Raises LedgerError when a key is null, or stands in the rows or in the ledger already.
    """
    if rows.num_rows == 0:
        return None
    rows = rows.select(table.columns).cast(table.schema)
    _check_keys(home, table, rows)
    folder = ledger_folder(home, table)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / next_append(home, table, name)
    beside = folder / f"{UNFINISHED}{target.name}"
    beside.mkdir(mode=0o700, exist_ok=True)
    with (beside / "part-00000.parquet").open("wb") as file:
        pq.write_table(rows, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    beside.rename(target)
    _sync(folder)
    return target


def _check_keys(home: Path, table: Table, rows: pa.Table) -> None:
    key = list(table.key)
    for column in key:
        if rows.column(column).null_count:
            raise LedgerError(f"ledger {table.name}: a row has no {column}")
    known = read_ledger(home, table).select(key)
    counted = (
        pa.concat_tables([known, rows.select(key)]).group_by(key).aggregate([([], "count_all")])
    )
    again = counted.filter(pc.greater(counted["count_all"], 1))
    if again.num_rows:
        first = {name: again.column(name)[0].as_py() for name in key}
        raise LedgerError(
            f"ledger {table.name}: {again.num_rows} keys stand in it twice, e.g. {first}"
        )


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
