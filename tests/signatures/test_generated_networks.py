"""Whatever a day has found: who is proposed breaks no rule, and who breaks none is proposed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings

from graph.config import Proposals
from graph.engines.base import Engine
from graph.features.tables import member_tables
from graph.frames import DataFrame, engine_api
from signatures.acceptance import ACCEPTED
from signatures.calibration import CALIBRATION, bounds_on
from signatures.decisions import DECISIONS
from signatures.findings import find
from signatures.judgement import Case, judge_day
from signatures.life_cycle import check_history, current, moved, opened
from signatures.overrides import OVERRIDDEN
from signatures.proposals import Judged, cleared_since, transitions
from signatures.snapshots import take_snapshots
from tests.graph.feature_days import (
    DS,
    END,
    Fact,
    active_in,
    day_of,
    day_tables,
    declared,
    linked,
    member,
    trace_link,
)
from tests.signatures.generated_days import (
    EXPLAINED_BY,
    EXPLANATIONS,
    FRESH,
    MY_TRACES,
    NAMED_BY,
    PLACES,
    TAKES_PART,
    Account,
    Generated,
    Link,
    Network,
    days,
    signature,
    ties,
)
from tests.signatures.proposal_rules import Evidence, action_of
from tests.signatures.wide_features import wide_features

CORE_CUT = 0.25
LIMITS = Proposals(min_accounts=4, max_accounts=6)
NOW = END + timedelta(hours=6)


def facts(network: Network) -> list[Fact]:
    """The rows of a network as detect-networks publishes them."""
    told: list[Fact] = []
    core = Evidence(network, CORE_CUT).published
    for account in network.accounts:
        told.append(member(account.name, account.name in core, network=network.name))
        told.append(active_in(account.name, account.market))
        if account.name in network.declared:
            allowed = network.declared[account.name]
            told.append(declared(account.name, f"group of {network.name}", allowed))
    for link in network.links:
        families = sorted({MY_TRACES[trace].family for trace in link.traces})
        table, row = linked(link.a, link.b, " ".join(families), " ".join(link.traces))
        told.append((table, row | {"weight": link.weight}))
        told += [trace_link(link.a, link.b, trace) for trace in link.traces]
        told += evidence(network, link)
    return told


def evidence(network: Network, link: Link) -> list[Fact]:
    return [
        (
            "link_evidence",
            {
                "account_a": link.a,
                "account_b": link.b,
                "trace": seen.trace,
                "entity_type": MY_TRACES[seen.trace].entity,
                "entity_id": f"{network.name} {seen.entity}",
                "co_actions": 1,
                "rarity": 1.0,
                "first_at": END - timedelta(days=1) + timedelta(minutes=seen.first),
                "last_at": END - timedelta(days=1) + timedelta(minutes=seen.last),
            },
        )
        for seen in link.seen
    ]


def earlier_decisions(day: Generated) -> pa.Table:
    """The ledger: who was cleared, and when that was."""
    ledger = DECISIONS.schema.empty_table()
    for since, days_ago in (("cleared lately", 179), ("cleared long ago", 181)):
        at = NOW - timedelta(days=days_ago)
        rows = [
            dict.fromkeys(DECISIONS.columns)
            | {"account_id": each.name, "action": "limit_reach", "policy_id": "spam"}
            | {"network_id": "before", "snapshot_sha256": "before", "route": "calibrated"}
            | {"subject_role": "actor", "signature_ids": [], "ds": at.date(), "state": "proposed"}
            for network in day.networks
            for each in network.accounts
            if since in each.known
        ]
        lives = opened(rows, ledger, by="scoring", at=at, actor="x")
        for state, by in (
            ("approved", "approvals"),
            ("released", "release"),
            ("reversed", "retraction"),
        ):
            lives = pa.concat_tables(
                [lives, moved(current(lives), state, by=by, at=at, actor="x", reason=None)]
            )
        ledger = pa.concat_tables([ledger, lives])
    return ledger


def judge(engine: Engine, day: Generated) -> tuple[list[dict[str, Any]], pa.Table]:
    """The judged accounts of a day, and the ledger after it: as score-networks does it."""
    everybody = [each for network in day.networks for each in network.accounts]
    network_of = {each.name: network.name for network in day.networks for each in network.accounts}
    tables = [fact for network in day.networks for fact in facts(network)]
    members = member_tables(engine, replace(day_tables(engine, day_of(tables)), traces=MY_TRACES))
    networks = wide_features(
        engine,
        [
            {"network_id": each.name, "accounts": len(each.accounts), **each.features}
            for each in day.networks
        ],
    )
    accounts = wide_features(
        engine,
        [
            {"network_id": network_of[each.name], "account_id": each.name, **each.features}
            for each in everybody
        ],
    )

    def named(names: Iterable[str]) -> DataFrame:
        return engine.from_arrow(pa.table({"account_id": pa.array(sorted(names), pa.string())}))

    ledger = earlier_decisions(day)
    case = Case(
        networks=networks,
        accounts=accounts,
        findings=find(engine, networks, accounts, day.library),
        library=day.library,
        protected=named(known(day, "protected")),
        cleared=named(cleared_since(ledger, timedelta(days=180), NOW)),
        called_benign=named(known(day, "called_benign")),
        overridden=engine.from_arrow(OVERRIDDEN.empty_table()),
        accepted=engine.from_arrow(ACCEPTED.empty_table()),
        core_cut=CORE_CUT,
        limits=LIMITS,
    )
    bounds = engine.from_arrow(bounds_on(day.calibration, DS, timedelta(days=90)))
    judgement = judge_day(engine, members, case, bounds)
    taken = take_snapshots(engine, judgement.accounts, judgement.found, judgement.top, DS)
    frozen = {row["account_id"]: row for row in engine.to_arrow(taken).to_pylist()}
    rows = engine.to_arrow(judgement.accounts).to_pylist()
    concerned = [
        row | {"snapshot_sha256": frozen[row["account_id"]]["snapshot_sha256"], "why": ["told"]}
        for row in rows
        if row["included"] or row["reviewed"]
    ]
    seen = {(row["snapshot_sha256"], name): row["evidence"] for name, row in frozen.items()}
    after = transitions(Judged(DS, NOW, concerned, ledger, seen))
    return rows, pa.concat_tables([ledger, after])


def known(day: Generated, word: str) -> set[str]:
    return {
        each.name for network in day.networks for each in network.accounts if word in each.known
    }


def expected(day: Generated) -> dict[str, str]:
    """Who may be proposed, by the rules, and for what."""
    found = {}
    for network in day.networks:
        evidence = Evidence(network, CORE_CUT)
        for account in network.accounts:
            if action := action_of(day, network, evidence, account, LIMITS):
                found[account.name] = action
    return found


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(day=days(networks=8))
def test_exactly_those_are_proposed_of_whom_no_rule_is_broken(
    duckdb_engine: Engine, day: Generated
) -> None:
    with engine_api(duckdb_engine.api_root):
        rows, ledger = judge(duckdb_engine, day)
    allowed = expected(day)
    assert {row["account_id"]: row["action"] for row in rows if row["included"]} == allowed
    assert all(row["reasons"] for row in rows if not row["included"])
    check_history(ledger)
    today = [row for row in current(ledger).to_pylist() if row["state_at"] == NOW]
    proposed = {row["account_id"]: row["action"] for row in today if row["state"] == "proposed"}
    assert proposed.items() <= allowed.items()
    assert allowed.keys() - proposed.keys() <= known(day, "cleared long ago"), (
        "of whom something was taken back, only evidence that is new proposes again"
    )
    assert {row["state"] for row in today} <= {"proposed", "in_review"}


RING = signature(
    "a ring",
    "network",
    NAMED_BY[0],
    mode="live",
    status="stable",
    inauthentic="automation",
    enforcement={"action": "suspend", "duration": "7d", "policy_id": "spam"},
)
MEASURED = tuple(
    dict.fromkeys(CALIBRATION.columns)
    | {"level": "account", "scope": "signature", "scope_id": str(RING.id), "measure": measure}
    | {"market": market, "stratum": stratum, "low": 0.985, "estimate": 0.999, "measured_on": FRESH}
    for market, stratum in PLACES
    for measure in ("precision", "challenge_precision")
)


def proposed(engine: Engine, *pairs: tuple[str, float, str], openly: str = "") -> dict[str, str]:
    """Who is proposed of one network whose pairs have a weight and a kind of tie."""
    names = sorted({name for pair, _, _ in pairs for name in pair})
    network = Network(
        "n",
        tuple(Account(name, "de", TAKES_PART, frozenset()) for name in names),
        tuple(
            Link(*pair, weight, ties(kind, pair, 10 * minute))
            for minute, (pair, weight, kind) in enumerate(pairs)
        ),
        dict.fromkeys(NAMED_BY, 0.0) | {NAMED_BY[0]: 0.5, EXPLAINED_BY: 0.0},
        dict.fromkeys(openly, "co_post"),
    )
    day = Generated((network,), (RING, *EXPLANATIONS), MEASURED)
    with engine_api(engine.api_root):
        rows, _ = judge(engine, day)
    found = {row["account_id"]: row["action"] for row in rows if row["included"]}
    assert found == expected(day)
    return found


def test_a_network_that_breaks_no_rule_is_proposed(duckdb_engine: Engine) -> None:
    ring = [(f"{a}{b}", 1.0, "phone and text") for a, b in combinations("abcde", 2)]
    assert proposed(duckdb_engine, *ring) == dict.fromkeys("abcde", "suspend")


def test_what_one_tablet_holds_in_the_core_is_not_restricted(duckdb_engine: Engine) -> None:
    """Whom a declared network takes all links from still counts in what the core needs."""
    ring = [(pair, 1.0, "phone and text") for pair in ("ab", "ac", "bc")]
    tablet = [(pair, 0.1, "the tablet") for pair in ("ad", "bd", "cd")]
    newsroom = [(pair, 0.1, "text") for pair in ("af", "ag", "fg")]
    found = proposed(duckdb_engine, *ring, *tablet, *newsroom, openly="afg")
    assert found == dict.fromkeys("abcd", "challenge")
