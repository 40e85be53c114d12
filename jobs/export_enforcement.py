"""Proposed decisions to a batch for enforcement: files, manifest and checksums, not released yet.

Run it by `actorgraph export-enforcement` or `spark-submit jobs/export_enforcement.py`, with --ds
and --config. The batch holds what is proposed and was never released. Any guard stops all of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from exporters.enforcement.formats import FORMATS
from exporters.enforcement.guards import Stop, stops
from exporters.enforcement.ledgers import BATCHES
from exporters.enforcement.rows import APPLY
from graph.engines.base import Engine
from graph.frames import DataFrame, F
from jobs.batches.changes import Changes, begin
from jobs.batches.exporting import Order, propose
from jobs.batches.figures import (
    gather,
    kept_from_leaving,
    list_hashes,
    list_moved,
    lists_of_last_batch,
)
from jobs.batches.lighter import waiting_for_reversal
from jobs.batches.measured import measured_bounds
from jobs.batches.overridden import requested_by_overrider
from jobs.batches.people import add_person
from jobs.batches.store import Store
from jobs.errors import GuardStop
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job
from signatures.decisions import DECISIONS
from signatures.life_cycle import current_frame, moved_frame


def compute(run: Run) -> None:
    """Stage a batch of what is proposed; nothing where there is nothing."""
    changes = begin(run.config, run.publication, datetime.now(UTC))
    Store(changes.home).tidy()
    with run.step("guards") as step:
        decisions = _without_stopped(run, changes, _proposed(run, changes))
        lists = list_hashes(run.config)
        figures = replace(
            gather(changes, decisions, run.ds, "proposed"),
            list_moved=list_moved(changes, run.ds, lists, lists_of_last_batch(changes)),
            acknowledged=run.arguments.acknowledge_lists is not None,
        )
        step.rows = figures.rows
        asked = requested_by_overrider(changes, decisions, run.arguments.person)
        _pass_guards(run, [*stops(figures, run.config.enforcement), *asked])
    if run.arguments.acknowledge_lists is not None:
        told = {"lists": lists, "reason": run.arguments.acknowledge_lists}
        changes.audit("acknowledge lists", run.arguments.person, told)
    caps = run.config.enforcement.caps
    order = Order(
        ds=run.ds,
        decisions=decisions,
        operation=APPLY,
        requested_by=run.arguments.person,
        formats=run.arguments.format,
        reason=run.arguments.acknowledge_lists,
        supersedes=_pending(changes),
        limits=caps.model_dump(),
        lists=lists,
        precision=_precision(changes, run.ds),
    )
    with run.step("batch") as step:
        made = propose(changes, order)
        step.rows = 0 if made is None else made.rows
    changes.stage()
    told = {} if made is None else vars(made)
    run.manifest.figures.update(told)
    run.log.info("nothing is proposed: no batch" if made is None else "batch", **told)


def _proposed(run: Run, changes: Changes) -> DataFrame:
    """The decisions that are proposed, and those whose carrying out failed, if they are asked for.

    Decisions of a batch that was released are past being proposed; so a batch never repeats one. A
    lighter action waits until what it takes the place of is gone.
    """
    current = current_frame(changes.ledger(DECISIONS))
    early = waiting_for_reversal(changes)
    current = current.join(early, on="decision_id", how="left_anti").select(*DECISIONS.columns)
    proposed = current.filter(F.col("state") == "proposed")
    if not run.arguments.retry_failed:
        return run.engine.materialize(proposed, "proposed")
    again = moved_frame(
        run.engine,
        current.filter(F.col("state") == "failed"),
        "proposed",
        by="retry",
        at=changes.now,
        actor=run.arguments.person,
        reason="carrying it out failed",
    )
    again = run.engine.materialize(again, "retried")
    changes.append(DECISIONS, again)
    return run.engine.materialize(proposed.unionByName(again), "proposed")


def _without_stopped(run: Run, changes: Changes, proposed: DataFrame) -> DataFrame:
    """The decisions but those that guards stop, if somebody sends these to review."""
    person, reason = run.arguments.person, run.arguments.to_review
    if reason is None:
        return proposed
    stopped = run.engine.materialize(kept_from_leaving(changes, proposed, run.ds), "stopped")
    moved = moved_frame(
        run.engine, stopped, "in_review", by="guard", at=changes.now, actor=person, reason=reason
    )
    changes.append(DECISIONS, moved)
    count = stopped.count()
    changes.audit("send to review", person, {"decisions": count, "reason": reason})
    run.manifest.figures["decisions sent to review"] = count
    rest = proposed.join(stopped.select("decision_id"), on="decision_id", how="left_anti")
    return run.engine.materialize(rest, "proposed and not stopped")


def _pending(changes: Changes) -> list[str]:
    """Batches of actions that wait for approval: the new batch takes their place.

    A batch that has all its approvals is not replaced: its decisions are no longer proposed.
    """
    events = changes.engine.to_arrow(changes.ledger(BATCHES)).to_pylist()
    ended = {each["batch_id"] for each in events if each["event"] != "proposed"}
    return sorted(
        each["batch_id"]
        for each in events
        if each["operation"] == APPLY and each["batch_id"] not in ended
    )


def _precision(changes: Changes, ds: date) -> dict[str, float]:
    """The measured lower bound of account precision of each signature, over all markets.

    The smaller one where those of restrictions and of challenges are both known.
    """
    found: dict[str, float] = {}
    for row in measured_bounds(changes, ds).to_pylist():
        known = [row[name] for name in ("lower", "challenge_lower") if row[name] is not None]
        if known and row["market"] is None and row["stratum"] is None:
            found[row["signature_id"]] = min(known)
    return found


def _pass_guards(run: Run, hits: Sequence[Stop]) -> None:
    run.manifest.checks.append(
        {"name": "guards", "passed": not hits, "detail": "; ".join(map(str, hits)) or "none hit"}
    )
    if hits:
        raise GuardStop("\n".join(map(str, hits)), "\n".join(hit.aloud for hit in hits))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_person(parser, "who asks for the batch; they cannot approve it")
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        choices=[each.name for each in FORMATS],
        help="another format of the same batch; may be repeated",
    )
    parser.add_argument(
        "--acknowledge-lists",
        metavar="REASON",
        help="go on although a changed list moved many links or proposals",
    )
    parser.add_argument(
        "--to-review",
        metavar="REASON",
        help="send to review whom the guards protected, cleared, subject role, measured precision, "
        "override and acceptance stop, and go on",
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="propose again what could not be carried out"
    )


JOB = Job(
    "export_enforcement",
    "Make a batch of the decisions that are proposed, for people to approve.",
    compute,
    _add_arguments,
    reads_log=False,
)


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run the job as a command; returns its exit code."""
    return run_job(JOB, argv, engine)


if __name__ == "__main__":
    sys.exit(main())
