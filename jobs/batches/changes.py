"""A command's changes to ledgers, batches and the audit log: all of them are made, or none."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from exporters.audit import FOLDER as AUDIT
from exporters.audit import HEAD_NAME, Entry, Head, chained, read_head, segment_name
from graph.config import Config
from graph.engines.base import Engine
from graph.frames import DataFrame, engine_api
from graph.ledger import FOLDER as LEDGER
from graph.ledger import ledger_frame
from graph.setting_types import UNITS
from graph.tables import Table
from graph.union import union_all
from jobs.batches.store import Store
from jobs.errors import GuardStop
from jobs.files import remove
from jobs.places import audit_folder
from jobs.sessions import LITTLE_MEMORY, engine_session
from jobs.warehouse import Publication, Warehouse


@dataclass
class Changes:
    """What a command is about to change; nothing is until `publish`."""

    config: Config
    engine: Engine
    publication: Publication
    now: datetime
    head: Head
    _frames: dict[str, tuple[Table, list[DataFrame]]] = field(default_factory=dict)
    _entries: list[Entry] = field(default_factory=list)
    _ledgers: dict[str, DataFrame] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The folder of everything that is written."""
        return self.publication.warehouse.folder.parent

    @property
    def audit_kept_days(self) -> int:
        """How long the lines that are written now are kept, in whole days."""
        return -(-self.config.retention.audit // UNITS["d"])

    def ledger(self, table: Table) -> DataFrame:
        """A ledger as it was when the command began."""
        if table.name not in self._ledgers:
            self._ledgers[table.name] = ledger_frame(self.engine, self.home, table)
        return self._ledgers[table.name]

    def append(self, table: Table, frame: DataFrame) -> None:
        """Add rows to a ledger."""
        self._frames.setdefault(table.name, (table, []))[1].append(frame.select(*table.columns))

    def rows(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Add a few rows to a ledger."""
        if rows:
            self.append(
                table, self.engine.from_arrow(pa.Table.from_pylist(rows, schema=table.schema))
            )

    def folder(self, target: str) -> Path:
        """Make a new folder to be published, closed to others."""
        path = self.publication.claim(target)
        path.mkdir(mode=0o700, parents=True)
        return path

    def text(self, target: str, content: str) -> None:
        """Write a file to be published, closed to others; it replaces an older one."""
        path = self.publication.claim(target)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)

    def audit(self, action: str, actor: str, details: Mapping[str, Any]) -> None:
        """Remember what is done, by whom."""
        self._entries.append(Entry(action, actor, details))

    def stage(self) -> None:
        """Write and check the rows for the ledgers and the lines of the audit log."""
        for table, frames in self._frames.values():
            self.publication.append(table, union_all(frames))
        if self._entries:
            lines, head = chained(self._entries, self.head, self.now, self.audit_kept_days)
            self.text(f"../{LEDGER}/{AUDIT}/{segment_name(self.head)}", "\n".join([*lines, ""]))
            self.text(f"../{LEDGER}/{AUDIT}/{HEAD_NAME}", json.dumps(asdict(head)) + "\n")

    def publish(self) -> None:
        """Make all changes at once."""
        self.stage()
        self.publication.publish()
        Store(self.home).tidy()


def begin(config: Config, publication: Publication, now: datetime) -> Changes:
    """Begin changes within a publication; raises GuardStop when the clock was set back."""
    home = publication.warehouse.folder.parent
    head = read_head(audit_folder(home))
    if head.at and now < datetime.fromisoformat(head.at):
        raise GuardStop(
            f"guard clock: it is {now:%Y-%m-%d %H:%M:%S}, limit {head.at}: the audit log ends "
            "later than this machine's time; set the clock"
        )
    return Changes(config, publication.engine, publication, now, head)


@contextmanager
def changing(
    config: Config, command: str, now: datetime | None = None, engine: Engine | None = None
) -> Iterator[Changes]:
    """Hold the lock and an embedded engine for a command's changes.

    `engine` is one that is open already and stays open. Raises DependencyError while another
    command holds the lock. What is not published is removed.
    """
    now = now or datetime.now(UTC)
    warehouse = Warehouse.of(config)
    scratch = config.home.absolute() / "scratch"
    sized = config.model_copy(update={"duckdb": LITTLE_MEMORY | config.duckdb})
    with warehouse.writing(command), ExitStack() as stack:
        stack.callback(warehouse.discard_staged)
        remove(scratch)
        if engine is None:
            engine = stack.enter_context(engine_session("duckdb", command, sized, scratch))
        stack.enter_context(engine_api(engine.api_root))
        run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        Store(warehouse.folder.parent).tidy()
        yield begin(config, Publication(warehouse, engine, run_id), now)
