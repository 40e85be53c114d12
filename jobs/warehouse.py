"""The published tables: `<home>/warehouse/<table>/ds=YYYY-MM-DD/`, and how a run replaces them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

from graph.engines.base import DependencyError, Engine
from graph.frames import DataFrame
from graph.ledger import FOLDER, ledger_frame, next_append
from graph.published import DESCRIPTION, column_types, day_folder, read_description, read_table
from graph.tables import Table
from jobs import journal, lock
from jobs.errors import DataStop
from jobs.files import make_private, remove, write_json
from jobs.table_checks import check_rows, declared_columns


class Warehouse:
    """A folder of published tables, one subfolder a table and day."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

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
            remove(self.folder / journal.STAGING)

    def path(self, table: str, ds: date) -> Path:
        """The folder of one table's day, whether or not it exists."""
        return self.folder / table / day_folder(ds)

    def days(self, table: str) -> list[date]:
        """The published days of a table, oldest first."""
        days = []
        for folder in (self.folder / table).glob("ds=*"):
            with suppress(ValueError):
                days.append(date.fromisoformat(folder.name.removeprefix("ds=")))
        return sorted(days)

    def latest_before(self, table: str, ds: date) -> date | None:
        """The last published day before `ds`, if there is one."""
        return max((day for day in self.days(table) if day < ds), default=None)

    def tables(self) -> list[str]:
        """The names of all published tables."""
        found = self.folder.glob(f"*/ds=*/{DESCRIPTION}")
        return sorted({path.parent.parent.name for path in found})

    def describe(self, table: str, ds: date) -> dict[str, Any]:
        """What was recorded of a table's day: rows, key, grain, schema version, run; or nothing."""
        return read_description(self.path(table, ds))

    def read(self, engine: Engine, table: Table, ds: date) -> DataFrame:
        """A published day; raises InputError when it is missing or of another schema version."""
        return read_table(engine, table, ds, self.path(table.name, ds))


class Publication:
    """The tables of one run, staged beside the published ones until `publish` replaces those."""

    def __init__(self, warehouse: Warehouse, engine: Engine, run_id: str) -> None:
        self.warehouse = warehouse
        self.engine = engine
        self.run_id = run_id
        self._targets: list[str] = []

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
        path = self.claim(f"{table.name}/{day_folder(ds)}")
        self.engine.write(declared_columns(frame, table), str(path), files)
        rows = check_rows(self.engine, table, str(path))
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
        write_json(path / DESCRIPTION, description)
        return rows

    def append(self, table: Table, frame: DataFrame) -> int:
        """Write and check rows to be appended to a ledger; returns their number.

        Raises DataStop as `stage` does, and where the ledger has a row of the same key.
        """
        home = self.warehouse.folder.parent
        name = next_append(home, table, self.run_id)
        path = self.claim(f"../{FOLDER}/{table.name}/{name}")
        self.engine.write(declared_columns(frame, table), str(path), 1)
        rows = check_rows(self.engine, table, str(path))
        key = list(table.key)
        known = ledger_frame(self.engine, home, table).select(*key)
        again = (
            self.engine.read([str(path)], "parquet").select(*key).join(known, on=key, how="inner")
        )
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
        return read_table(self.engine, table, ds, self._path(table, ds))

    def settings(self, table: Table, ds: date) -> dict[str, Any]:
        """The settings that were recorded when a table's day was staged, by this run or before.

        Raises InputError when the day is missing or of another schema version.
        """
        self.read(table, ds)
        settings: dict[str, Any] = read_description(self._path(table, ds)).get("settings", {})
        return settings

    def _path(self, table: Table, ds: date) -> Path:
        path = journal.staged(self.warehouse.folder, self.run_id, f"{table.name}/{day_folder(ds)}")
        return path if path.exists() else self.warehouse.path(table.name, ds)

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
