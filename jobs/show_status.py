"""What is published: which jobs ran for a day, how they ended, and the rows of its tables.

Batches that wait for somebody are told first, and reversals that enforcement did not carry out for
as long as they are open.

Run it by `actorgraph status`. Nothing is changed, except that a publication whose writer died is
finished first.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from graph.local_tables import LocalTables
from graph.published import day_folder
from jobs.arguments import day, settings_parser
from jobs.batches.reversals import open_reversals
from jobs.batches.waiting import retractions_inside, waiting
from jobs.commands import run_command
from jobs.configuration import load
from jobs.errors import DONE
from jobs.manifest import read_manifest
from jobs.printing import print_table
from jobs.warehouse import Warehouse

RUNS = "runs"


def main(argv: Sequence[str] | None = None) -> int:
    """Show the status as a command; returns its exit code."""
    parser = settings_parser("status", "Show what is published.")
    parser.add_argument("--ds", type=day, help="the day to show; default: the latest")
    return run_command(parser, argv, _show)


def _show(arguments: argparse.Namespace) -> int:
    config = load(arguments.config, arguments.set, os.environ)
    warehouse = Warehouse.of(config)
    mended = warehouse.recover("status")
    if mended:
        sys.stdout.write(f"{mended}\n\n")
    _show_batches(warehouse.folder.parent, timedelta(microseconds=config.enforcement.receipt_due))
    days = LocalTables(warehouse.folder).days(RUNS)
    ds = arguments.ds or max(days, default=None)
    if ds not in days:
        when = f"for {ds} " if ds else ""
        sys.stdout.write(f"{warehouse.folder}: nothing was run {when}yet; try `actorgraph run`\n")
        return DONE
    _show_jobs(warehouse, ds)
    _show_tables(warehouse, ds)
    sys.stdout.write(
        f"{len(days)} days, {min(days)} to {max(days)}, in {warehouse.place}; --ds shows one\n"
    )
    return DONE


def _show_batches(home: Path, due: timedelta) -> None:
    now = datetime.now(UTC)
    batches = waiting(home, now)
    for line in retractions_inside(batches, now, due):
        sys.stdout.write(f"{line}\n")
    for line in open_reversals(home, now, due):
        sys.stdout.write(f"ALERT: {line}\n")
    if batches:
        columns = ["batch", "operation", "accounts", "waits for", "since", "age"]
        rows = [
            [
                each.batch_id,
                each.operation,
                each.accounts,
                each.waits_for,
                f"{each.since:%Y-%m-%d %H:%M}Z",
                each.age(now),
            ]
            for each in batches
        ]
        print_table("Batches that wait", columns, rows)


def _show_jobs(warehouse: Warehouse, ds: date) -> None:
    manifests = [
        read_manifest(path)
        for path in sorted((warehouse.folder / RUNS / day_folder(ds)).glob("*.json"))
    ]
    manifests.sort(key=lambda manifest: str(manifest["ended_at"]))
    columns = ["job", "status", "ended_at", "seconds", "run_id", "reason"]
    print_table(
        f"Jobs of {ds}", columns, [[manifest[name] for name in columns] for manifest in manifests]
    )


def _show_tables(warehouse: Warehouse, ds: date) -> None:
    described = (warehouse.describe(name, ds) for name in warehouse.tables())
    tables = [table for table in described if table]
    rows: list[list[Any]] = [
        [table["table"], table["rows"], table["grain"], table["run_id"]] for table in tables
    ]
    if not rows:
        sys.stdout.write(f"Nothing of {ds} is published\n\n")
        return
    print_table(f"Tables of {ds}", ["table", "rows", "one row per", "run_id"], rows)


if __name__ == "__main__":
    sys.exit(main())
