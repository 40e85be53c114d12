"""A reference importer: a small enforcement desk on SQLite that acts on batches, exactly once.

It reads a batch only after `actorgraph export verify` accepted it, acts on each idempotency key
once, whatever is delivered how often and in which order, and writes receipts. Try it by
`python -m jobs.enforcement_desk DIR --approvers FILE`; a platform acts where this one takes notes.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from exporters.enforcement.approvals import read_approvers
from exporters.enforcement.files import named
from exporters.enforcement.verify import verify_batch
from jobs.commands import run_command
from jobs.errors import DONE, GuardStop

SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    idempotency_key TEXT PRIMARY KEY, status TEXT NOT NULL, at TEXT NOT NULL, error TEXT
);
CREATE TABLE IF NOT EXISTS actions (
    decision_id TEXT PRIMARY KEY, account_id TEXT NOT NULL, policy_id TEXT NOT NULL,
    action TEXT NOT NULL, times INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS batches (batch_id TEXT PRIMARY KEY);
"""


class Refused(GuardStop):
    """A batch that may not be imported."""


class Desk:
    """Acts on batches; what it did is in one SQLite file."""

    def __init__(
        self, path: Path, approvers: Path, allow_demo: bool = False, now: datetime | None = None
    ) -> None:
        self.database = sqlite3.connect(path)
        self.database.executescript(SCHEMA)
        self.approvers = read_approvers(approvers)
        self.allow_demo = allow_demo
        self._now = now
        self.fails: Callable[[str], bool] = lambda account: False

    @property
    def now(self) -> datetime:
        """The time, or the one that was given."""
        return self._now or datetime.now(UTC)

    def import_batch(self, folder: Path, crash_after: int | None = None) -> None:
        """Act on each row that was not acted on before; `crash_after` rows the power fails.

        What takes parts of it back is imported first. Raises Refused where verify finds a problem.
        """
        folder = named(folder)
        imported = {name for (name,) in self.database.execute("SELECT batch_id FROM batches")}
        found = verify_batch(folder, self.approvers, self.now, self.allow_demo, imported)
        if problems := [*found.content, *found.import_now]:
            raise Refused("; ".join(f"{folder.name}: {line}" for line in problems))
        for retraction in found.taken_back_by:
            self.import_batch(folder.parent / retraction)
        with (folder / "accounts.jsonl").open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file):
                if number == crash_after:
                    raise KeyboardInterrupt
                with self.database:  # a row is done as a whole, or not at all
                    self._act(json.loads(line))
        with self.database:
            self.database.execute("INSERT OR IGNORE INTO batches VALUES (?)", (folder.name,))

    def _act(self, row: dict[str, str]) -> None:
        if self._status(row["idempotency_key"]) not in (None, "failed"):
            return
        if row["operation"] == "reverse":
            self._reverse(row)
        elif self._status(row["retracts_idempotency_key"] or "") or self._reversed(row):
            self._remember(row, "skipped", "taken back before it came")
        elif self.fails(row["account_id"]):
            self._remember(row, "failed", "the account is locked")
        else:
            self.database.execute(
                "INSERT INTO actions VALUES (?, ?, ?, ?, 1) "
                "ON CONFLICT (decision_id) DO UPDATE SET times = times + 1",
                (row["decision_id"], row["account_id"], row["policy_id"], row["action"]),
            )
            self._remember(row, "applied", None)

    def _reverse(self, row: dict[str, str]) -> None:
        # Each decision stands by itself here: what `restores_to` names is in force already, and a
        # platform that keeps one action an account sets it to that.
        self.database.execute("DELETE FROM actions WHERE decision_id = ?", (row["decision_id"],))
        self._remember(row, "applied", None)
        # What it takes back may still be on its way; it must not act when it comes.
        self._mark(row["retracts_idempotency_key"], "skipped", "taken back")

    def _reversed(self, row: dict[str, str]) -> bool:
        return self._status(row["idempotency_key"]) == "skipped"

    def _status(self, key: str) -> str | None:
        found = self.database.execute(
            "SELECT status FROM keys WHERE idempotency_key = ?", (key,)
        ).fetchone()
        return found[0] if found else None

    def _remember(self, row: dict[str, str], status: str, error: str | None) -> None:
        self._mark(row["idempotency_key"], status, error)

    def _mark(self, key: str, status: str, error: str | None) -> None:
        at = self.now.isoformat(timespec="seconds")
        self.database.execute(
            "INSERT INTO keys VALUES (?, ?, ?, ?) ON CONFLICT (idempotency_key) DO UPDATE SET "
            "status = excluded.status, at = excluded.at, error = excluded.error "
            "WHERE keys.status = 'failed'",
            (key, status, at, error),
        )

    def in_force(self) -> dict[str, str]:
        """The action that stands against each account."""
        return dict(self.database.execute("SELECT account_id, action FROM actions"))

    def most_times(self) -> int:
        """How often the most repeated action was carried out: once, if all is well."""
        return int(
            self.database.execute("SELECT coalesce(max(times), 0) FROM actions").fetchone()[0]
        )

    def write_receipts(self, path: Path) -> Path:
        """Write receipts.jsonl of everything that was acted on."""
        rows = self.database.execute(
            "SELECT idempotency_key, status, at, error FROM keys ORDER BY idempotency_key"
        )
        names = ("idempotency_key", "status", "at", "error")
        path.write_text(
            "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
        )
        return path


def main(argv: Sequence[str] | None = None) -> int:
    """Import batches and write receipts, as a command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m jobs.enforcement_desk",
        description="Import released batches into a small SQLite desk, and write its receipts.",
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="a batch's folder")
    parser.add_argument("--approvers", type=Path, required=True, help="the file that you trust")
    parser.add_argument("--database", type=Path, default=Path("desk.sqlite"), help="(desk.sqlite)")
    parser.add_argument(
        "--receipts", type=Path, default=Path("receipts.jsonl"), help="to be written"
    )
    parser.add_argument("--allow-demo", action="store_true", help="accept batches of a demo")
    return run_command(parser, argv, _import_all)


def _import_all(arguments: argparse.Namespace) -> int:
    desk = Desk(arguments.database, arguments.approvers, arguments.allow_demo)
    for folder in arguments.folders:
        desk.import_batch(folder)
    desk.write_receipts(arguments.receipts)
    sys.stdout.write(
        f"{len(desk.in_force())} accounts have an action; receipts are in {arguments.receipts}\n"
    )
    return DONE


if __name__ == "__main__":
    sys.exit(main())
