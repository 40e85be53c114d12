"""Networks to judgements: features, findings of signatures, roles, scores, who may be proposed.

Run it by `actorgraph score-networks` or `spark-submit jobs/score_networks.py`, with --ds and
--config.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    NETWORK_FEATURE_NAMES,
    NETWORK_FEATURES_TABLE,
    compute_features,
    long_form,
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
from jobs.inputs import read_accounts, read_declared_networks, read_protected_accounts
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job
from signatures.backtests import PROMOTIONS, promoted
from signatures.calibration import CALIBRATION, bounds_on
from signatures.decisions import DECISIONS
from signatures.findings import FINDINGS, find
from signatures.inclusions import INCLUSIONS
from signatures.investigated import (
    benign_accounts,
    benign_snapshots,
    decided_by_people,
    investigated,
)
from signatures.judgement import Case, Judgement, judge_day
from signatures.labels import LABELS, valid_labels
from signatures.life_cycle import current
from signatures.loading import load
from signatures.model import Signature
from signatures.modes import with_modes
from signatures.proposals import Judged, cleared_accounts, standing, transitions
from signatures.scores import SCORES
from signatures.snapshots import SNAPSHOTS, take_snapshots
from signatures.weights import LIKELIHOOD_WEIGHTS, weights_in_use


def compute(run: Run) -> None:
    """Judge the day's networks, stage what is found, and append the decisions that follow."""
    ledger = read_ledger(run.home, DECISIONS)
    now = datetime.now(UTC)
    verdicts = _verdicts(run, now)
    with run.step("members"):
        tables = member_tables(run.engine, _day(run, ledger))
    networks, accounts = _features(run, tables)
    library = _library(run)
    run.stage(FINDINGS, find(run.engine, networks, accounts, library), files=1)
    since = now - timedelta(microseconds=run.config.proposals.cleared)
    case = Case(
        networks=networks,
        accounts=accounts,
        findings=run.read(FINDINGS),
        library=library,
        protected=read_protected_accounts(run.engine, run.config, run.ds),
        cleared=run.engine.from_arrow(
            pa.concat_tables([cleared_accounts(ledger, since), _as_accounts(verdicts.benign)])
        ),
        core_cut=run.config.networks.core_cut,
        limits=run.config.proposals,
        weights=_weights(run),
    )
    with run.step("judge"):
        bounds = run.engine.from_arrow(_bounds(run))
        judgement = judge_day(run.engine, tables, case, bounds)
    run.stage(INCLUSIONS, judgement.accounts)
    run.stage(SCORES, judgement.scores, files=1)
    _decide(run, case, judgement, ledger, now, verdicts)


def _library(run: Run) -> list[Signature]:
    """All signatures, live where the config or a promotion of their present form says so."""
    library = load(run.config.signatures.paths)
    live = promoted(library, read_ledger(run.home, PROMOTIONS).to_pylist())
    return with_modes(library, [*run.config.signatures.live, *live])


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


@dataclass(frozen=True)
class _Verdicts:
    """What reviewers have said that holds now, and of whom."""

    labels: pa.Table
    snapshots: pa.Table
    benign: set[str]


def _verdicts(run: Run, now: datetime) -> _Verdicts:
    """Read the verdicts that hold, and the snapshots that they judge; bounded by what people do."""
    labels = valid_labels(read_ledger(run.home, LABELS), now)
    named = labels.column("snapshot_sha256").drop_null().combine_chunks()
    judged = pc.field("snapshot_sha256").isin(named.cast(pa.string()))
    snapshots = read_ledger(run.home, SNAPSHOTS, judged)
    return _Verdicts(labels, snapshots, benign_accounts(labels, snapshots))


def _as_accounts(names: Iterable[str]) -> pa.Table:
    return pa.table({"account_id": pa.array(sorted(names), pa.string())})


def _day(run: Run, ledger: pa.Table) -> DayTables:
    cleared = timedelta(microseconds=run.config.proposals.cleared)
    known = run.engine.from_arrow(standing(ledger, cleared))
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
        account_profile=with_standing(run.read(ACCOUNT_PROFILE), known),
        history=run.read(HISTORY),
        labels=_account_labels(run),
        accounts=read_accounts(run.engine, run.config),
        declared_networks=read_declared_networks(run.engine, run.config, run.ds),
    )


def _account_labels(run: Run) -> DataFrame | None:
    """What the labels of accounts say that hold at the end of the day; None without any label."""
    ledger = read_ledger(run.home, LABELS)
    if not ledger.num_rows:
        return None
    end = datetime.combine(run.ds + timedelta(days=1), time(), UTC)
    valid = valid_labels(ledger, end)
    of_accounts = valid.filter(pc.equal(valid.column("subject_type"), "account"))
    named = of_accounts.select(["subject_id", "label"]).rename_columns(["account_id", "label"])
    return run.engine.from_arrow(named)


def _features(run: Run, tables: MemberTables) -> tuple[DataFrame, DataFrame]:
    """Compute and stage the features; returns them wide."""
    with run.step("features"):
        networks, accounts = compute_features(run.engine, tables)
    run.stage(
        NETWORK_FEATURES_TABLE,
        long_form(run.engine, networks, NETWORK_FEATURES_TABLE, NETWORK_FEATURE_NAMES),
    )
    run.stage(
        ACCOUNT_FEATURES_TABLE,
        long_form(run.engine, accounts, ACCOUNT_FEATURES_TABLE, ACCOUNT_FEATURE_NAMES),
    )
    return networks, accounts


def _decide(
    run: Run,
    case: Case,
    judgement: Judgement,
    ledger: pa.Table,
    now: datetime,
    verdicts: _Verdicts,
) -> None:
    """Append what begins or moves on today, with the snapshots that it rests on."""
    taken = take_snapshots(run.engine, judgement.accounts, judgement.evidence, run.ds)
    taken = run.engine.materialize(taken, "snapshots")
    known = run.ledger(SNAPSHOTS).select(*SNAPSHOTS.key)
    run.append(SNAPSHOTS, taken.join(known, on=list(SNAPSHOTS.key), how="left_anti"))
    fresh: dict[tuple[str, str], str] = {
        (row["snapshot_sha256"], row["account_id"]): row["evidence"]
        for row in run.engine.to_arrow(
            taken.select("snapshot_sha256", "account_id", "evidence")
        ).to_pylist()
    }

    def evidence(snapshot: str, account: str) -> str | None:
        if (snapshot, account) in fresh:
            return fresh[snapshot, account]
        chosen = (pc.field("snapshot_sha256") == snapshot) & (pc.field("account_id") == account)
        found: list[str] = read_ledger(run.home, SNAPSHOTS, chosen).column("evidence").to_pylist()
        return found[0] if found else None

    rows = _concerned(run, judgement, taken, ledger)
    moved = transitions(Judged(run.ds, now, rows, ledger, evidence))
    judged = pa.concat_tables([ledger, moved])
    moved = pa.concat_tables([moved, _by_people(run, verdicts, case, judged, now)])
    run.append(DECISIONS, run.engine.from_arrow(moved))
    for state in sorted(set(moved.column("state").to_pylist())):
        run.manifest.figures[f"decisions {state}"] = moved.column("state").to_pylist().count(state)


def _by_people(
    run: Run, verdicts: _Verdicts, case: Case, ledger: pa.Table, now: datetime
) -> pa.Table:
    """What the investigated route moves; lists of accounts keep out of it as well."""
    listed = case.protected.select("account_id").unionByName(case.cleared.select("account_id"))
    kept_out = set(run.engine.to_arrow(listed).column("account_id").to_pylist())
    proposed = investigated(verdicts.labels, verdicts.snapshots, case.library, kept_out)
    benign = benign_snapshots(verdicts.labels)
    return decided_by_people(proposed, benign, ledger, run.ds, now)


def _concerned(
    run: Run, judgement: Judgement, taken: DataFrame, ledger: pa.Table
) -> list[dict[str, Any]]:
    """The rows of accounts that a decision may begin or move for."""
    proposed = current(ledger)
    proposed = proposed.filter(pc.equal(proposed.column("state"), "proposed"))
    standing = run.engine.from_arrow(proposed.select(["account_id"])).distinct()
    standing = standing.withColumn("standing", F.lit(True))
    snapshots = taken.select("account_id", "snapshot_sha256")
    why = judgement.top.select("network_id", F.col("reasons").alias("why"))
    rows = (
        judgement.accounts.join(standing, on="account_id", how="left")
        .filter(F.col("included") | F.col("reviewed") | F.coalesce("standing", F.lit(False)))
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
