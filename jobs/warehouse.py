"""The published tables, `<table>/ds=YYYY-MM-DD/`, and how a run replaces them.

They are in `<home>/warehouse`, or on an object store. The lock, the journal, what a run stages, its
manifest and reports are in `<home>/warehouse` wherever the tables are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from pyarrow.dataset import Expression

from graph.config import Config
from graph.engines.base import DependencyError, Engine
from graph.frames import DataFrame
from graph.ledger import FOLDER, ledger_frame, next_append
from graph.local_tables import LocalTables
from graph.published import Draft, TableDay, Tables, column_types, day_folder, read_rows, read_table
from graph.reach import read_files, write_files
from graph.remote_tables import RemoteTables
from graph.tables import Table
from jobs import journal, lock
from jobs.belonging import bind_store, check_store
from jobs.errors import DataStop
from jobs.files import make_private, remove, write_json
from jobs.table_checks import check_rows, declared_columns

FOLDER_NAME = "warehouse"
"""The folder in a home."""


class Warehouse:
    """The published tables, and the folder of all that belongs to their publication."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.url = url
        self.published: Tables = RemoteTables(url) if url else LocalTables(folder)

    @classmethod
    def of(cls, config: Config) -> Warehouse:
        """The warehouse that a config names; raises ConfigError where the home's is another."""
        folder = config.home.absolute() / FOLDER_NAME
        check_store(folder, config.warehouse)
        return cls(folder, config.warehouse)

    def create(self) -> None:
        """Make the folder, closed to other users; raises DependencyError when that is refused."""
        try:
            make_private(self.folder)
        except OSError as error:
            raise DependencyError(
                f"cannot write to {self.folder}: {error.strerror}; set `home` to a folder that "
                "can be written"
            ) from None

    @contextmanager
    def writing(self, command: str) -> Iterator[str | None]:
        """Hold the lock; yields what was mended of an earlier run that died, if anything.

        Files that are written meanwhile are closed to other users.
        """
        before = os.umask(0o077)
        try:
            self.create()
            with lock.exclusive(self.folder, command):
                if self.url:
                    bind_store(self.folder, self.url)
                yield journal.recover(self.folder)
        finally:
            os.umask(before)

    def recover(self, command: str) -> str | None:
        """Mend what a dead run left, before reading; raises DependencyError while one publishes."""
        if not journal.is_pending(self.folder):
            return None
        with self.writing(command) as mended:
            return mended

    def discard_staged(self) -> None:
        """Delete what was staged and not published; a publication under way is left to finish."""
        if not journal.is_pending(self.folder):
            journal.discard(self.folder)

    def path(self, table: str, ds: date) -> Path:
        """The folder of one table's day, where tables are in folders; whether or not it exists."""
        return self.folder / table / day_folder(ds)

    def tables(self) -> list[str]:
        """The names of all published tables."""
        return self.published.names()

    @property
    def place(self) -> str:
        """Where the tables are: a folder, or a URL on an object store."""
        return self.published.place

    def days(self, table: str) -> list[date]:
        """The published days of a table, oldest first."""
        return self.published.days(table)

    def latest_before(self, table: str, ds: date) -> date | None:
        """The last published day before `ds`, if there is one."""
        return max((day for day in self.days(table) if day < ds), default=None)

    def describe(self, table: str, ds: date) -> dict[str, Any]:
        """What was recorded of a table's day: rows, key, grain, schema version, run; or nothing."""
        return self.published.day(table, ds).description

    def read(self, engine: Engine, table: Table, ds: date) -> DataFrame:
        """A published day; raises InputError when it is missing or of another schema version."""
        return read_table(engine, table, ds, self.published.day(table.name, ds))

    def rows(self, table: Table, ds: date, where: Expression | None = None) -> list[dict[str, Any]]:
        """The few rows of a published day that `where` selects; see graph.published.read_rows."""
        return read_rows(table, ds, self.published.day(table.name, ds), where)


class Publication:
    """The tables of one run, staged beside the published ones until `publish` replaces those."""

    def __init__(self, warehouse: Warehouse, engine: Engine, run_id: str) -> None:
        self.warehouse = warehouse
        self.engine = engine
        self.run_id = run_id
        self._targets: list[str] = []
        self._drafts: dict[tuple[str, date], Draft] = {}

    def stage(
        self,
        table: Table,
        ds: date,
        frame: DataFrame,
        files: int | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> int:
        """Write and check a table's new day; returns its number of rows.

        `settings` are recorded beside it, for readers that must have had the same. Exactly the
        declared columns are written, in their declared types. Raises DataStop when a column is
        absent, a key is null or two rows have the same key.
        """
        draft = self.draft(table.name, ds)
        write_files(self.engine, declared_columns(frame, table), draft.place, files)
        rows = check_rows(self.engine, table, draft.place)
        description = {
            "table": table.name,
            "schema_version": table.version,
            "columns": column_types(table),
            "grain": table.grain,
            "key": list(table.key),
            "rows": rows,
            "run_id": self.run_id,
        }
        if settings is not None:
            description["settings"] = settings
        self.describe(draft, description)
        self._drafts[table.name, ds] = draft
        return rows

    def draft(self, table: str, ds: date) -> Draft:
        """Where to write a table's new day; it counts once `describe` has said what it holds."""
        return self.warehouse.published.draft(self.claim, table, ds, self.run_id)

    def describe(self, draft: Draft, description: Mapping[str, Any]) -> None:
        """Record what a table's new day holds."""
        listed = self.warehouse.published.listed(draft)
        write_json(draft.description, {**description, **listed})

    def append(self, table: Table, frame: DataFrame) -> int:
        """Write and check rows to be appended to a ledger; returns their number.

        Raises DataStop as `stage` does, and where the ledger has a row of the same key.
        """
        home = self.warehouse.folder.parent
        name = next_append(home, table, self.run_id)
        path = self.claim(f"../{FOLDER}/{table.name}/{name}")
        write_files(self.engine, declared_columns(frame, table), str(path), 1)
        rows = check_rows(self.engine, table, str(path))
        key = list(table.key)
        known = ledger_frame(self.engine, home, table).select(*key)
        again = read_files(self.engine, [str(path)]).select(*key).join(known, on=key, how="inner")
        if count := again.count():
            raise DataStop(f"ledger {table.name}: {count} of {rows} new rows have a key it has")
        if not rows:
            self._targets.remove(f"../{FOLDER}/{table.name}/{name}")
            remove(path)
        return rows

    def stage_json(self, target: str, content: Any) -> None:
        """Stage a JSON file, to be published together with the tables."""
        write_json(self.claim(target), content)

    def read(self, table: Table, ds: date) -> DataFrame:
        """A table's day as this run staged it, else as it is published."""
        return read_table(self.engine, table, ds, self._day(table, ds))

    def settings(self, table: Table, ds: date) -> dict[str, Any]:
        """The settings that were recorded when a table's day was staged, by this run or before.

        Raises InputError when the day is missing or of another schema version.
        """
        self.read(table, ds)
        settings: dict[str, Any] = self._day(table, ds).description.get("settings", {})
        return settings

    def _day(self, table: Table, ds: date) -> TableDay:
        draft = self._drafts.get((table.name, ds))
        published = self.warehouse.published
        if draft is not None and draft.description.exists():
            return published.drafted(draft)
        return published.day(table.name, ds)

    def publish(self) -> None:
        """Replace the published days of all staged tables, at once."""
        journal.publish(self.warehouse.folder, self.run_id, self._targets)
        self._targets = []

    def claim(self, target: str) -> Path:
        """Where to write a target's new content; it is published together with all others.

        One beside the warehouse begins `../`. Raises ValueError for a target that has some already.
        """
        if target in self._targets:
            raise ValueError(f"{target} is staged twice in run {self.run_id}")
        path = journal.staged(self.warehouse.folder, self.run_id, target)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._targets.append(target)
        return path
