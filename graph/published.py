"""A published table's day: its folder, what is recorded of it, and the one way to read it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from pyarrow import dataset

from graph.engines.base import Engine, InputError
from graph.frames import DataFrame
from graph.tables import Table

DESCRIPTION = "_table.json"
"""The file beside a table's files that says what they hold."""

JOURNAL = "_journal.json"
"""The file in a warehouse that tells of tables which are being replaced: see jobs/journal.py."""


def day_folder(ds: date) -> str:
    """The name of a day's folder."""
    return f"ds={ds.isoformat()}"


def column_types(table: Table) -> dict[str, str]:
    """The names and types of a table's columns, as its description records them."""
    return {field.name: str(field.type) for field in table.schema}


def read_description(path: Path) -> dict[str, Any]:
    """The description beside a table's files; empty when there is none.

    Raises InputError for one that is damaged.
    """
    try:
        content: dict[str, Any] = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise InputError(
            f"{path / DESCRIPTION} is damaged: run the job that makes {path.parent.name} again"
        ) from None
    return content


def read_rows(
    table: Table, ds: date, path: Path, where: dataset.Expression | None = None
) -> list[dict[str, Any]]:
    """The rows of a table's day that `where` selects, without an engine; for few of them.

    Raises InputError where there is no such day.
    """
    if not read_description(path):
        raise InputError(f"table {table.name} has no day {ds} in {path.parent}: run its job first")
    files = [str(file) for file in sorted(path.glob("*.parquet"))]
    found = dataset.dataset(files, format="parquet").to_table(columns=table.columns, filter=where)
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def read_table(engine: Engine, table: Table, ds: date, path: Path) -> DataFrame:
    """Read a table's day from its folder; raises InputError where there is none in this form."""
    found = read_description(path)
    if not found:
        raise InputError(f"table {table.name} has no day {ds} in {path.parent}: run its job first")
    if (found["schema_version"], found["columns"]) != (table.version, column_types(table)):
        raise InputError(
            f"{path} was written in another form (schema version {found['schema_version']}, this "
            f"program's is {table.version}): run the job that makes {table.name} again for {ds}"
        )
    return engine.read([str(path)], "parquet").select(*table.columns)
