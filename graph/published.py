"""A table's published day: what is recorded of it, its files, and the ways to read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.dataset as pds

from graph.engines.base import Engine, InputError
from graph.filesystems import filesystem
from graph.frames import DataFrame
from graph.reach import read_files
from graph.tables import Table

DESCRIPTION = "_table.json"
"""The file beside a table's files that says what they hold."""

JOURNAL = "_journal.json"
"""The file in a warehouse that tells of tables which are being replaced: see jobs/journal.py."""


@dataclass(frozen=True)
class TableDay:
    """One table's day as it is published, or would be; without a description there is none."""

    place: str
    """Its folder: a path, or a URL on an object store."""
    description: dict[str, Any]
    files: tuple[str, ...]
    """The parquet files that count."""
    paths: tuple[str, ...]
    """What an engine reads to get them: the files, or their folder."""

    def dataset(self, schema: pa.Schema | None = None) -> pds.Dataset:
        """The files as pyarrow reads them, wherever they are."""
        store, _ = filesystem(self.place)
        files = [filesystem(file)[1] for file in self.files]
        return pds.dataset(files, schema=schema, format="parquet", filesystem=store)


@dataclass(frozen=True)
class Draft:
    """Where a run writes a table's new day, which nobody reads until it is published."""

    place: str
    """The new folder of its parquet files: a path, or a URL on an object store."""
    description: Path
    """The local file that is to say what they hold; it is published with them."""


class Tables(Protocol):
    """The published tables, in a folder or on an object store."""

    place: str
    """Where they are."""

    def names(self) -> list[str]:
        """The names of the tables of which a day is published."""

    def days(self, table: str) -> list[date]:
        """The published days of a table, oldest first."""

    def day(self, table: str, ds: date) -> TableDay:
        """A table's day; raises InputError for one whose description is damaged."""

    def draft(self, claim: Callable[[str], Path], table: str, ds: date, run_id: str) -> Draft:
        """Begin a table's new day; `claim` says where a target of the publication is prepared."""

    def listed(self, draft: Draft) -> dict[str, Any]:
        """What a description says of the files that were written, where it names them at all."""

    def drafted(self, draft: Draft) -> TableDay:
        """What was written, as it will be published."""

    def remove(self, table: str, ds: date) -> None:
        """Delete a table's day."""


def day_folder(ds: date) -> str:
    """The name of a day's folder."""
    return f"ds={ds.isoformat()}"


def column_types(table: Table) -> dict[str, str]:
    """The names and types of a table's columns, as its description records them."""
    return {field.name: str(field.type) for field in table.schema}


def read_rows(
    table: Table, ds: date, day: TableDay, where: pds.Expression | None = None
) -> list[dict[str, Any]]:
    """The rows of a table's day that `where` selects, without an engine; for few of them.

    Raises InputError where there is no such day.
    """
    if not day.description:
        raise _absent(table, ds, day)
    found = day.dataset().to_table(columns=table.columns, filter=where)
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def read_table(engine: Engine, table: Table, ds: date, day: TableDay) -> DataFrame:
    """Read a table's day; raises InputError where there is none in this form."""
    found = day.description
    if not found:
        raise _absent(table, ds, day)
    if (found["schema_version"], found["columns"]) != (table.version, column_types(table)):
        raise InputError(
            f"{day.place} was written in another form (schema version {found['schema_version']}, "
            f"this program's is {table.version}): run the job that makes {table.name} again for "
            f"{ds}"
        )
    return read_files(engine, day.paths).select(*table.columns)


def _absent(table: Table, ds: date, day: TableDay) -> InputError:
    return InputError(
        f"table {table.name} has no day {ds} in {day.place.rpartition('/')[0]}: run its job first"
    )
