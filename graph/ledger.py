"""Ledgers: append-only tables under `<home>/ledger/<name>/`, one immutable folder an append.

Appends are numbered, so that their order is that of their names. They are published like tables
(jobs/warehouse.py), by whoever holds the lock; readers need none, because a folder appears whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.reach import read_files
from graph.tables import Table, sql_type

FOLDER = "ledger"


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


def read_ledger(
    home: Path,
    table: Table,
    where: ds.Expression | None = None,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """All rows of a ledger, or those that `where` selects, in the order of their appends.

    With all columns, or those that are named.
    """
    paths = [
        str(file) for folder in appends(home, table) for file in sorted(folder.glob("*.parquet"))
    ]
    if not paths:
        return table.schema.empty_table().select(columns or table.columns)
    found = ds.dataset(paths, schema=table.schema, format="parquet")
    return found.to_table(columns and list(columns), filter=where)


def ledger_frame(engine: Engine, home: Path, table: Table) -> DataFrame:
    """All rows of a ledger as a frame; what older rows do not have is null."""
    folders = [str(folder) for folder in appends(home, table)]
    if not folders:
        return engine.from_arrow(table.schema.empty_table())
    found = read_files(engine, folders, merge_columns=True)
    for field in table.schema:
        if field.name not in found.columns:
            found = found.withColumn(field.name, F.lit(None).cast(sql_type(field.type)))
    return found.select(*table.columns)
