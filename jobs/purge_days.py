"""Deletes what is older than it may be kept (`retention` in the config), and nothing held.

Run it by `actorgraph purge --ds YYYY-MM-DD`: ages are counted from the end of that day.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from graph.engines.base import Engine
from jobs.arguments import day, settings_parser
from jobs.batches.people import add_person
from jobs.commands import run_command
from jobs.errors import DONE

if TYPE_CHECKING:
    import pyarrow as pa

    from jobs.batches.changes import Changes

TABLES = {"sightings": "sightings", "edges": "edges", "edge_activity": "edges"}
"""Tables of days that are deleted, and the setting that says after which time."""


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Purge as a command; returns its exit code."""
    parser = settings_parser("purge", "Delete what is older than it may be kept.")
    parser.set_defaults(engine=engine)
    parser.add_argument("--ds", type=day, required=True, help="the day from which ages are counted")
    add_person(parser, "who orders it")
    return run_command(parser, argv, _purge)


def _purge(arguments: argparse.Namespace) -> int:
    from jobs.batches.changes import changing
    from jobs.configuration import load
    from jobs.files import remove

    config = load(arguments.config, arguments.set, os.environ)
    with changing(config, "purge", engine=arguments.engine) as changes:
        told = {
            "snapshots": _purge_ledger(changes, "snapshots", "evidence", arguments.ds),
            "enforced_entities": _purge_ledger(
                changes, "enforced_entities", "enforced_entities", arguments.ds
            ),
        }
        old = list(_old_days(changes, arguments.ds))
        told["days"] = len(old)
        changes.audit("purge", arguments.person, {"ds": str(arguments.ds), **told})
        changes.publish()
        # Once the log says so; whoever runs purge again deletes what a crash left.
        for folder in old:
            remove(folder)
    sys.stdout.write(
        f"{told['days']} days of tables, {told['snapshots']} rows of evidence and "
        f"{told['enforced_entities']} enforced entities deleted\n"
    )
    return DONE


def _cutoff(changes: Changes, setting: str, ds: date) -> date:
    from graph.setting_types import UNITS

    kept: int = getattr(changes.config.retention, setting)
    return ds - timedelta(days=kept // UNITS["d"])


def _old_days(changes: Changes, ds: date) -> Iterator[Path]:
    warehouse = changes.publication.warehouse
    for table, setting in TABLES.items():
        cutoff = _cutoff(changes, setting, ds)
        yield from (warehouse.path(table, each) for each in warehouse.days(table) if each < cutoff)


def _purge_ledger(changes: Changes, ledger: str, setting: str, ds: date) -> int:
    """Drop a ledger's rows from before the cutoff whose subjects nobody holds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from jobs.batches.rewriting import ledger_appends, rewrite
    from jobs.hold_subjects import held

    cutoff = _cutoff(changes, setting, ds)
    subjects = pa.array(sorted(held(changes.home)), pa.string())

    def keep(batch: pa.RecordBatch) -> pa.RecordBatch:
        names = batch.schema.names
        days = batch.column("ds" if "ds" in names else "enforced_at").cast(pa.date32())
        kept = pc.greater_equal(days, pa.scalar(cutoff))
        for name in ("account_id", "network_id", "decision_id"):
            if name in names:
                kept = pc.or_(kept, pc.is_in(batch.column(name), subjects))
        return batch.filter(kept)

    return sum(
        rewrite(changes, target, folder, keep) for target, folder in ledger_appends(changes, ledger)
    )


if __name__ == "__main__":
    sys.exit(main())
