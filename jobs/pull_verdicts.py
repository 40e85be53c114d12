"""Investigators' verdicts from Neo4j into the ledger `labels`, each with the members it judged.

Run it by `actorgraph pull-verdicts` or `spark-submit jobs/pull_verdicts.py`, with --ds and
--config. What comes back is a claim: it counts as the site's own only once an approver signs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exporters.enforcement.wording import read_wording
from exporters.neo4j import Database
from exporters.neo4j_load import LONGEST_ID, indexed_id
from exporters.neo4j_verdicts import pull, read_verdicts, snapshot_members
from graph.engines.base import Engine
from graph.frames import F
from graph.ledger import read_ledger
from graph.profiles import ACCOUNT_PROFILE
from jobs.batches.receipt_lines import AHEAD
from jobs.database.address import database_address
from jobs.published_days import PublishedDays
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job
from signatures.inclusions import INCLUSIONS
from signatures.labels import LABELS, check_labels
from signatures.snapshots import SNAPSHOTS


def compute(run: Run) -> None:
    """Append what is new; verdicts that are wrong are named in the log and the manifest.

    What reviewers wrote is held in memory: some 300 bytes a verdict, and 60 a member.
    """
    with run.step("read verdicts") as step:
        with Database(database_address(run.config.home, os.environ)) as database:
            found = list(read_verdicts(database))
        step.rows = len(found)
    known = set(read_ledger(run.home, LABELS).column("label_id").to_pylist())
    named = {each["verdict"].get("snapshot") for each in found} - {None}
    chosen = pc.field("snapshot_sha256").isin(pa.array(sorted(map(str, named)), pa.string()))
    frozen = snapshot_members(read_ledger(run.home, SNAPSHOTS, chosen))
    policies = read_wording(run.config.enforcement.policies, run.config.enforcement.texts).policies
    days = PublishedDays(run.engine, run.config, run.home, run.read)
    frozen_as_published = partial(_frozen_as_published, run, days)
    latest = datetime.now(UTC) + AHEAD
    pulled = pull(
        found, known, frozen, latest, frozen_as_published, policies, _long_ids(run, found)
    )
    check_labels(pulled.labels.to_pylist())
    for line in pulled.without_roles:
        run.log.warning(f"{line}, so it proposes nobody; give it anew after the next load")
    for line in pulled.unknown_policies:
        run.log.warning(f"{line}; judge anew under it, or nobody is proposed")
    for line in pulled.refused:
        run.log.warning(f"refused: {line}")
    run.manifest.figures["refused"] = len(pulled.refused)
    run.append(SNAPSHOTS, run.engine.from_arrow(days.not_in_ledger(pulled.snapshots)))
    run.append(LABELS, run.engine.from_arrow(pulled.labels))
    run.check(
        "verdicts",
        not pulled.refused or not run.arguments.strict,
        f"{len(pulled.refused)} verdicts are malformed, e.g. {(pulled.refused or ['none'])[0]}",
    )


def _long_ids(run: Run, found: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Accounts by ids that the database cuts, if a verdict is on one alone."""
    alone = [each for each in found if each["verdict"].get("subject_type") == "account"]
    cut = any(len(str(each["verdict"].get("subject_id"))) > LONGEST_ID for each in alone)
    if not cut or run.ds not in run.warehouse.days(ACCOUNT_PROFILE.name):
        return {}
    names = run.read(ACCOUNT_PROFILE).filter(F.length("account_id") > LONGEST_ID)
    rows = run.engine.to_arrow(names.select("account_id")).to_pylist()
    return {indexed_id(row["account_id"]): row["account_id"] for row in rows}


def _frozen_as_published(
    run: Run, days: PublishedDays, networks: Mapping[date, set[str]]
) -> pa.Table:
    """Networks as the tables of their days have them, by day, where these are still there."""
    published = set(run.warehouse.days(INCLUSIONS.name))
    return days.frozen({ds: names for ds, names in networks.items() if ds in published})


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strict", action="store_true", help="stop (exit 4) when a verdict is malformed"
    )


JOB = Job(
    "pull_verdicts",
    "Bring investigators' verdicts from Neo4j into the ledger of labels.",
    compute,
    _add_arguments,
)


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run the job as a command; returns its exit code."""
    return run_job(JOB, argv, engine)


if __name__ == "__main__":
    sys.exit(main())
