"""Networks to judgements: features, findings of signatures, roles, scores, who may be proposed.

Run it by `actorgraph score-networks` or `spark-submit jobs/score_networks.py`, with --ds and
--config.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

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
from graph.frames import DataFrame
from graph.fusion import ACCOUNT_LINKS
from graph.history import HISTORY
from graph.links import LINKS
from graph.networks import MEMBERSHIPS, NETWORKS
from graph.profiles import ACCOUNT_PROFILE
from graph.sightings import SIGHTINGS
from graph.tables import columns
from jobs.inputs import read_accounts, read_declared_networks, read_protected_accounts
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job
from signatures.findings import FINDINGS, find
from signatures.inclusions import INCLUSIONS
from signatures.judgement import Case, judge_day
from signatures.loading import load
from signatures.modes import with_modes
from signatures.scores import SCORES

CLEARED = columns(account_id="string")
BOUNDS = columns(
    signature_id="string",
    market="string",
    stratum="string",
    lower="float64",
    measured="float64",
    borrowed="bool",
)


def compute(run: Run) -> None:
    """Judge the day's networks and stage what is found."""
    day = _day(run)
    with run.step("members"):
        tables = member_tables(run.engine, day)
    networks, accounts = _features(run, tables)
    library = with_modes(load(run.config.signatures.paths), run.config.signatures.live)
    run.stage(FINDINGS, find(run.engine, networks, accounts, library), files=1)
    case = Case(
        networks=networks,
        accounts=accounts,
        findings=run.read(FINDINGS),
        library=library,
        protected=read_protected_accounts(run.engine, run.config, run.ds),
        cleared=run.engine.from_arrow(CLEARED.empty_table()),
        core_cut=run.config.networks.core_cut,
        limits=run.config.proposals,
    )
    with run.step("judge") as step:
        judgement = judge_day(run.engine, tables, case, run.engine.from_arrow(BOUNDS.empty_table()))
        step.rows = judgement.accounts.count()
    run.stage(INCLUSIONS, judgement.accounts)
    run.stage(SCORES, judgement.scores, files=1)


def _day(run: Run) -> DayTables:
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
        account_profile=run.read(ACCOUNT_PROFILE),
        history=run.read(HISTORY),
        accounts=read_accounts(run.engine, run.config),
        declared_networks=read_declared_networks(run.engine, run.config, run.ds),
    )


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
