"""Networks to judgements: features, findings of signatures, roles, scores, who may be proposed.

Run it by `actorgraph score-networks` or `spark-submit jobs/score_networks.py`, with --ds and
--config.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from graph.activity import ACCOUNT_ACTIVITY
from graph.build import EDGE_ACTIVITY, EDGES, NODES
from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE
from graph.features.computed import (
    ACCOUNT_FEATURE_NAMES,
    ACCOUNT_FEATURES_TABLE,
    NETWORK_FEATURES_TABLE,
    compute_features,
    long_form,
    network_feature_names,
)
from graph.features.tables import DayTables, MemberTables, member_tables
from graph.frames import DataFrame, F
from graph.fusion import ACCOUNT_LINKS
from graph.history import HISTORY
from graph.ledger import read_ledger
from graph.links import LINKS
from graph.networks import MEMBERSHIPS, NETWORKS
from graph.profiles import ACCOUNT_PROFILE, with_standing
from graph.sightings import SIGHTINGS
from graph.tables import Table
from jobs.accepted_lots import read_accepted
from jobs.forgotten import Recalled, recall
from jobs.inputs import read_accounts, read_declared_networks, read_protected_accounts
from jobs.judged_members import read_judged_members
from jobs.overrides import read_overridden
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job
from jobs.verdicts import Verdicts, read_verdicts
from signatures.calibration import CALIBRATION, bounds_on
from signatures.decided_by_people import became_of, decided_by_people, waiting_for_override
from signatures.decisions import DECISIONS
from signatures.differences import DECISION_DIFFERENCES, differences
from signatures.findings import FINDINGS, find
from signatures.inclusions import INCLUSIONS
from signatures.investigated import Investigated, KeptOut, benign_members, investigated
from signatures.judgement import Case, Judgement, judge_day
from signatures.labels import LABELS, valid_labels
from signatures.life_cycle import current
from signatures.loading import load
from signatures.model import Signature
from signatures.modes import MODE_CHANGES, live_now, only_in_their_files, with_stable
from signatures.proposals import (
    Judged,
    cleared_since,
    judged_before,
    standing,
    transitions,
    with_new_evidence,
)
from signatures.scores import SCORES
from signatures.snapshots import SNAPSHOTS, take_snapshots
from signatures.verdict_standing import seen_as_benign, standing_verdicts
from signatures.weights import LIKELIHOOD_WEIGHTS, weights_in_use


def compute(run: Run) -> None:
    """Judge the day's networks, stage what is found, and append the decisions that follow."""
    recalled = recall(run.engine, run.home, run.config.enforcement.key_file, run.read(MEMBERSHIPS))
    ledger = recalled.read(DECISIONS)
    now = datetime.now(UTC)
    cleared = timedelta(microseconds=run.config.proposals.cleared)
    verdicts = read_verdicts(recalled, now, cleared)
    known = standing(ledger, cleared)
    with run.step("members"):
        tables = member_tables(run.engine, _day(run, known, recalled))
    networks, accounts = _features(run, tables)
    library = _library(run)
    run.stage(FINDINGS, find(run.engine, networks, accounts, library), files=1)
    case = Case(
        networks=networks,
        accounts=accounts,
        findings=run.read(FINDINGS),
        library=library,
        protected=read_protected_accounts(run.engine, run.config, run.ds),
        cleared=run.engine.from_arrow(_named(_cleared(run, ledger, now))),
        called_benign=run.engine.from_arrow(verdicts.benign_rows),
        overridden=run.engine.from_arrow(read_overridden(run.home, library, now)),
        accepted=run.engine.from_arrow(read_accepted(run.home, run.config.proposals, now)),
        core_cut=run.config.networks.core_cut,
        limits=run.config.proposals,
        weights=_weights(run),
    )
    with run.step("judge"):
        bounds = run.engine.from_arrow(_bounds(run))
        judgement = judge_day(run.engine, tables, case, bounds)
    run.stage(INCLUSIONS, judgement.accounts)
    run.stage(SCORES, judgement.scores, files=1)
    _compare(run, judgement, ledger)
    _decide(run, case, judgement, ledger, now, verdicts, recalled)


def _library(run: Run) -> list[Signature]:
    """All signatures, in the modes and of the status that they have today."""
    settings = run.config.signatures
    library = with_stable(load(settings.paths, run.config.active_traces), settings.stable)
    changes = read_ledger(run.home, MODE_CHANGES).to_pylist()
    now = live_now(library, settings.live, changes)
    for each in only_in_their_files(library, now):
        run.log.warning(
            f"{each.title} runs in shadow: that its file says `mode: live` counts for nothing "
            "before it was promoted. Run `actorgraph signatures backtest` on seven days and "
            f"`actorgraph signatures promote {each.id}`, or name it in signatures.live"
        )
    return now


def _bounds(run: Run) -> pa.Table:
    """The measured precision that holds on the day."""
    fresh = timedelta(microseconds=run.config.proposals.calibration_fresh)
    return bounds_on(_calibrated(run, CALIBRATION), run.ds, fresh)


def _weights(run: Run) -> Mapping[str, float]:
    """The weights of likelihoods: learned ones where they were better, else those set by hand."""
    return weights_in_use(_calibrated(run, LIKELIHOOD_WEIGHTS))


def _calibrated(run: Run, table: Table) -> list[dict[str, Any]]:
    """A table of the latest calibration not after the day; nothing where there is none."""
    latest = run.warehouse.latest_before(table.name, run.ds + timedelta(days=1))
    rows: list[dict[str, Any]] = (
        [] if latest is None else run.engine.to_arrow(run.read(table, latest)).to_pylist()
    )
    return rows


def _cleared(run: Run, ledger: pa.Table, now: datetime) -> dict[str, datetime]:
    """Accounts whose decision was overturned or taken back lately, and when."""
    return cleared_since(ledger, timedelta(microseconds=run.config.proposals.cleared), now)


def _named(accounts: Iterable[str]) -> pa.Table:
    return pa.table({"account_id": pa.array(sorted(accounts), pa.string())})


def _day(run: Run, known: pa.Table, recalled: Recalled) -> DayTables:
    return DayTables(
        ds=run.ds,
        traces=run.config.active_traces,
        memberships=run.read(MEMBERSHIPS),
        networks=run.read(NETWORKS),
        account_links=run.read(ACCOUNT_LINKS),
        links=run.read(LINKS),
        link_evidence=run.read(LINK_EVIDENCE),
        edges=run.read(EDGES),
        edge_activity=run.read(EDGE_ACTIVITY),
        nodes=run.read(NODES),
        sightings=run.read(SIGHTINGS),
        account_activity=run.read(ACCOUNT_ACTIVITY),
        account_profile=with_standing(run.read(ACCOUNT_PROFILE), run.engine.from_arrow(known)),
        history=run.read(HISTORY),
        labels=_account_labels(run, recalled.read(LABELS)),
        accounts=read_accounts(run.engine, run.config),
        declared_networks=read_declared_networks(run.engine, run.config, run.ds),
    )


def _account_labels(run: Run, ledger: pa.Table) -> DataFrame | None:
    """What the labels of accounts say that hold at the end of the day; None without any label."""
    if not ledger.num_rows:
        return None
    end = datetime.combine(run.ds + timedelta(days=1), time(), UTC)
    valid = standing_verdicts(valid_labels(ledger, end), end)
    of_accounts = valid.filter(pc.equal(valid.column("subject_type"), "account"))
    named = of_accounts.select(["subject_id", "label"]).rename_columns(["account_id", "label"])
    return run.engine.from_arrow(named)


def _features(run: Run, tables: MemberTables) -> tuple[DataFrame, DataFrame]:
    """Compute and stage the features; returns them wide."""
    with run.step("features"):
        networks, accounts = compute_features(run.engine, tables)
    names = network_feature_names(tables.day.traces)
    run.stage(
        NETWORK_FEATURES_TABLE, long_form(run.engine, networks, NETWORK_FEATURES_TABLE, names)
    )
    run.stage(
        ACCOUNT_FEATURES_TABLE,
        long_form(run.engine, accounts, ACCOUNT_FEATURES_TABLE, ACCOUNT_FEATURE_NAMES),
    )
    return networks, accounts


def _compare(run: Run, judgement: Judgement, ledger: pa.Table) -> None:
    """Tell of decisions of this day that stand although the day is judged otherwise now."""
    frame = differences(run.engine, ledger, judgement.accounts, run.ds)
    if count := run.stage(DECISION_DIFFERENCES, frame, files=1):
        run.manifest.figures["decisions that differ"] = count
        run.log.warning(
            f"{count} decisions of the day stand that would not be made again: look at "
            f"{DECISION_DIFFERENCES.name}, retract what is wrong"
        )


def _decide(
    run: Run,
    case: Case,
    judgement: Judgement,
    ledger: pa.Table,
    now: datetime,
    verdicts: Verdicts,
    recalled: Recalled,
) -> None:
    """Append what begins or moves on today, with the snapshots that it rests on."""
    taken = take_snapshots(run.engine, judgement.accounts, judgement.found, judgement.top, run.ds)
    taken = run.engine.materialize(taken, "snapshots")
    known = run.ledger(SNAPSHOTS).select(*SNAPSHOTS.key)
    run.append(SNAPSHOTS, taken.join(known, on=list(SNAPSHOTS.key), how="left_anti"))
    rows = _concerned(run, judgement, taken, ledger)
    cleared = _cleared(run, ledger, now)
    for account, at in verdicts.benign.items():
        cleared[account] = max(at, cleared.get(account, at))
    evidence, earlier = _evidence(run, cleared, taken, ledger, recalled)
    benign = seen_as_benign(verdicts.clearing, earlier)
    judged = Judged(run.ds, now, rows, ledger, evidence, benign)
    moved = transitions(judged)
    kept_out = KeptOut(
        protected=_names(run, case.protected),
        cleared=cleared,
        new=with_new_evidence(_looked_at(verdicts, cleared), judged),
    )
    members = read_judged_members(run, verdicts, case.overridden)
    found = investigated(verdicts.labels, verdicts.snapshots, case.library, kept_out, members)
    moved = pa.concat_tables([moved, _by_people(run, verdicts, found, judged, moved)])
    run.append(DECISIONS, run.engine.from_arrow(moved))
    for state in sorted(set(moved.column("state").to_pylist())):
        run.manifest.figures[f"decisions {state}"] = moved.column("state").to_pylist().count(state)


def _evidence(
    run: Run, cleared: Iterable[str], taken: DataFrame, ledger: pa.Table, recalled: Recalled
) -> tuple[dict[tuple[str, str], str], pa.Table]:
    """The evidence of accounts that were judged before, by snapshot and account: then and now.

    Only for these does it matter what is new; they are as many as reviewers and appeals made. With
    it go the rows of SNAPSHOTS from then.
    """
    before = judged_before(ledger).column("account_id").to_pylist()
    concerned = {*before, *cleared}
    names = pa.array(sorted(recalled.hashes(concerned)), pa.string())
    accounts = run.engine.from_arrow(_named(concerned))
    today = taken.join(accounts, on="account_id", how="left_semi")
    earlier = recalled.read(SNAPSHOTS, pc.field("account_id").isin(names))
    evidence = {
        (row["snapshot_sha256"], row["account_id"]): row["evidence"]
        for rows in (earlier, run.engine.to_arrow(today))
        for row in rows.select(["snapshot_sha256", "account_id", "evidence"]).to_pylist()
    }
    return evidence, earlier


def _names(run: Run, accounts: DataFrame) -> set[str]:
    return set(run.engine.to_arrow(accounts.select("account_id"))["account_id"].to_pylist())


def _looked_at(verdicts: Verdicts, accounts: Container[str]) -> list[tuple[str, str]]:
    """The snapshots that reviewers judged of these accounts, with the account."""
    columns = (verdicts.snapshots[name].to_pylist() for name in ("snapshot_sha256", "account_id"))
    return [(name, account) for name, account in zip(*columns, strict=True) if account in accounts]


def _by_people(
    run: Run, verdicts: Verdicts, found: Investigated, judged: Judged, moved: pa.Table
) -> pa.Table:
    """What the investigated route moves, after what scoring has moved."""
    ledger = pa.concat_tables([judged.ledger, moved])
    benign = benign_members(verdicts.labels, verdicts.snapshots)
    decided = decided_by_people(found.proposed, benign, ledger, judged.day, judged.at)
    explained = waiting_for_override(found, pa.concat_tables([ledger, decided]))
    if explained:
        run.manifest.figures["accounts that wait for an override"] = len(explained)
    for line in became_of(found, decided, explained):
        run.log.info(line)
    return decided


def _concerned(
    run: Run, judgement: Judgement, taken: DataFrame, ledger: pa.Table
) -> list[dict[str, Any]]:
    """The rows of accounts that a decision may begin or move for."""
    proposed = current(ledger)
    proposed = proposed.filter(pc.equal(proposed.column("state"), "proposed"))
    waiting = run.engine.from_arrow(proposed.select(["account_id"])).distinct()
    waiting = waiting.withColumn("is_proposed", F.lit(True))
    snapshots = taken.select("account_id", "snapshot_sha256")
    why = judgement.top.select("network_id", F.col("reasons").alias("why"))
    rows = (
        judgement.accounts.join(waiting, on="account_id", how="left")
        .filter(F.col("included") | F.col("reviewed") | F.coalesce("is_proposed", F.lit(False)))
        .join(snapshots, on="account_id", how="left")
        .join(why, on="network_id", how="left")
    )
    found: list[dict[str, Any]] = run.engine.to_arrow(rows).to_pylist()
    return found


JOB = Job(
    "score_networks",
    "Judge one day's networks: features, signatures, roles, scores, proposals.",
    compute,
)


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run the job as a command; returns its exit code."""
    return run_job(JOB, argv, engine)


if __name__ == "__main__":
    sys.exit(main())
