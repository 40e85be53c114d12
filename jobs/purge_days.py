"""Deletes what is older than it may be kept (`retention` in the config), and nothing held.

Of old batches, manifest and checksums stay. The audit log loses whole files at its front, and tells
in a new line up to where.

Run it by `actorgraph purge --ds YYYY-MM-DD`: ages are counted from the end of that day.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence, Set
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from graph.engines.base import Engine
from jobs.arguments import day, settings_parser
from jobs.batches.carriers import carries, folders, rows_of_accounts
from jobs.batches.people import add_person
from jobs.commands import run_command
from jobs.errors import DONE, ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

    from graph.published import TableDay
    from jobs.batches.changes import Changes

TABLES = {
    "sightings": "sightings",
    "quarantine": "sightings",  # rows of the log, too
    "edges": "edges",
    "edge_activity": "edges",
    "link_evidence": "evidence",
}
"""Tables of days that are deleted, and the setting that says after which time."""

ACCOUNT_COLUMNS = ("account_id", "account_a", "account_b")


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Purge as a command; returns its exit code."""
    parser = settings_parser("purge", "Delete what is older than it may be kept.")
    parser.set_defaults(engine=engine)
    parser.add_argument("--ds", type=day, required=True, help="the day from which ages are counted")
    add_person(parser, "who orders it")
    return run_command(parser, argv, _command)


def _command(arguments: argparse.Namespace) -> int:
    from jobs.batches.changes import changing
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    with changing(config, "purge", engine=arguments.engine) as changes:
        told = purge(changes, arguments.ds, arguments.person)
    sys.stdout.write(
        f"{told['days']} days of tables, {told['snapshots']} rows of evidence, "
        f"{told['enforced_entities']} enforced entities, the rows of {told['batches']} batches and "
        f"{told['audit_files']} files of the audit log deleted\n"
    )
    return DONE


def purge(changes: Changes, ds: date, person: str) -> dict[str, int]:
    """Delete what is too old as of a day, and say how much; raises ConfigError for one to come."""
    from exporters.audit import REMOVED, expired
    from jobs.batches.holds import held, held_accounts
    from jobs.files import remove
    from jobs.places import audit_folder

    if ds > changes.now.date():
        raise ConfigError(f"--ds {ds} is to come: nothing is that old yet")
    warehouse = changes.publication.warehouse
    kept = held_accounts(changes.home, warehouse.published)
    days = list(_old_days(changes, ds, kept))
    batches = list(_old_batches(changes, ds, kept | held(changes.home)))
    files: list[Path] = []
    end = None
    if not kept:  # a log cannot lose lines in its middle, so one hold keeps all of it
        files, end = expired(audit_folder(changes.home), ds, changes.audit_kept_days)
    told = {
        "snapshots": _purge_ledger(changes, "snapshots", "evidence", ds, kept),
        "enforced_entities": _purge_ledger(
            changes, "enforced_entities", "enforced_entities", ds, kept
        ),
        "days": len(days),
        "batches": len(batches),
        "audit_files": len(files),
    }
    removed = {REMOVED: asdict(end)} if files and end else {}
    changes.audit("purge", person, {"ds": str(ds), **told, **removed})
    changes.publish()
    # Once the log says so; whoever runs purge again deletes what a crash left.
    for table, each in days:
        warehouse.published.remove(table, each)
    for path in (*(path for folder in batches for path in rows_of_accounts(folder)), *files):
        remove(path)
    return told


def _cutoff(changes: Changes, setting: str, ds: date) -> date:
    from graph.setting_types import UNITS

    kept: int = getattr(changes.config.retention, setting)
    return ds - timedelta(days=-(-kept // UNITS["d"]))


def _old_days(changes: Changes, ds: date, held: Set[str]) -> Iterator[tuple[str, date]]:
    """Days of tables to be deleted; of those with rows of held accounts, only the others go."""
    from jobs.batches.rewriting import rewrite_day

    published = changes.publication.warehouse.published
    for table, setting in TABLES.items():
        cutoff = _cutoff(changes, setting, ds)
        for each in (each for each in published.days(table) if each < cutoff):
            day = published.day(table, each)
            if _has_rows(day, held):
                keep = partial(_rows_of, accounts=held)
                rewrite_day(changes, table, each, day, keep)
            else:
                yield table, each


def _has_rows(day: TableDay, accounts: Set[str]) -> bool:
    if not accounts:
        return False
    return any(len(_rows_of(batch, accounts)) for batch in day.dataset().to_batches())


def _rows_of(batch: pa.RecordBatch, accounts: Set[str]) -> pa.RecordBatch:
    """The rows of a batch that name one of some accounts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = pa.array(sorted(accounts), pa.string())
    found = pa.repeat(pa.scalar(False), len(batch))
    for name in ACCOUNT_COLUMNS:
        if name in batch.schema.names:
            found = pc.or_(found, pc.is_in(batch.column(name), names))
    return batch.filter(found)


def _old_batches(changes: Changes, ds: date, held: Set[str]) -> Iterator[Path]:
    """Folders of batches whose rows are evidence that is too old, and that nobody holds."""
    from jobs.batches.store import Store, read

    cutoff = _cutoff(changes, "evidence", ds)
    for folder in folders(Store(changes.home)):
        made = read(folder).created.date()
        if made < cutoff and rows_of_accounts(folder) and not carries(folder, held):
            yield folder


def _purge_ledger(changes: Changes, ledger: str, setting: str, ds: date, held: Set[str]) -> int:
    """Drop a ledger's rows from before the cutoff, but of held accounts and late decisions."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from jobs.batches.rewriting import ledger_appends, rewrite_append

    cutoff = _cutoff(changes, setting, ds)
    accounts = pa.array(sorted(held), pa.string())
    recent = _recently_decided(changes, cutoff)

    def keep(batch: pa.RecordBatch) -> pa.RecordBatch:
        names = batch.schema.names
        days = batch.column("ds" if "ds" in names else "enforced_at").cast(pa.date32())
        kept = pc.greater_equal(days, pa.scalar(cutoff))
        kept = pc.or_(kept, pc.is_in(batch.column("account_id"), accounts))
        if "snapshot_sha256" in names:
            kept = pc.or_(kept, pc.is_in(batch.column("snapshot_sha256"), recent))
        return batch.filter(kept)

    return sum(
        rewrite_append(changes, target, folder, keep)
        for target, folder in ledger_appends(changes, ledger)
    )


def _recently_decided(changes: Changes, cutoff: date) -> pa.Array:
    """Snapshots from before the cutoff on which decisions rest that moved after it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from graph.ledger import read_ledger
    from signatures.decisions import DECISIONS

    since = pa.scalar(datetime.combine(cutoff, time(), UTC), pa.timestamp("us", "UTC"))
    late = (pc.field("ds") < pa.scalar(cutoff)) & (pc.field("state_at") >= since)
    rows = read_ledger(changes.home, DECISIONS, late)
    return rows.column("snapshot_sha256").combine_chunks().unique()


if __name__ == "__main__":
    sys.exit(main())
