"""A day is judged: what its published tables, features and lists say of each member."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pyarrow as pa
import pytest

from graph.config import Proposals
from graph.engines.base import Engine
from graph.features.computed import compute_features
from graph.features.tables import member_tables
from signatures.acceptance import ACCEPTED
from signatures.findings import FINDINGS
from signatures.judgement import BOUNDS, Case, Judgement, judge_day
from signatures.overrides import OVERRIDDEN
from tests.graph.feature_days import (
    Fact,
    ago,
    day_of,
    day_tables,
    declared,
    evidence,
    linked,
    member,
    trace_link,
)
from tests.signatures.reviewed import signature

DECLARED = "a declared network exempts all traces that link it"
ONE_OBSERVATION = "fewer than two independent families link it to core members"

FARM = signature("Device farm")
LIMITS = Proposals()
NOTHING: list[dict[str, Any]] = []

PHONE, TEXT = ("shared_device", "device"), ("co_post", "content")


def network(ties: dict[str, tuple[str, str]], accounts: str = "abcd") -> Iterable[Fact]:
    """Accounts of which each two share an entity of their own in each trace."""
    yield from map(member, accounts)
    for a, b in combinations(accounts, 2):
        traces = " ".join(trace for trace, _ in ties.values())
        yield linked(a, b, " ".join(family for _, family in ties.values()), traces)
        for day, (entity, (trace, _)) in enumerate(ties.items()):
            yield trace_link(a, b, trace)
            yield evidence(a, b, f"{entity} of {a}{b}", ago(days=day + 1), ago(days=day), trace)


def judged(engine: Engine, *facts: Fact) -> dict[str, dict[str, Any]]:
    """What is judged of each account of a day without a matching signature."""
    found = engine.to_arrow(judgement(engine, facts).accounts).to_pylist()
    return {row["account_id"]: row for row in found}


def judgement(
    engine: Engine,
    facts: Iterable[Fact],
    findings: list[dict[str, Any]] = NOTHING,
    bounds: list[dict[str, Any]] = NOTHING,
    overridden: list[dict[str, Any]] = NOTHING,
    accepted: list[dict[str, Any]] = NOTHING,
    limits: Proposals = LIMITS,
) -> Judgement:
    tables = member_tables(engine, day_tables(engine, day_of(facts)))
    networks, accounts = compute_features(engine, tables)
    nobody = engine.from_arrow(pa.table({"account_id": pa.array([], pa.string())}))
    case = Case(
        networks=networks,
        accounts=accounts,
        findings=engine.from_arrow(pa.Table.from_pylist(findings, schema=FINDINGS.schema)),
        library=[FARM],
        protected=nobody,
        cleared=nobody,
        called_benign=nobody,
        accepted=engine.from_arrow(pa.Table.from_pylist(accepted, schema=ACCEPTED)),
        overridden=engine.from_arrow(pa.Table.from_pylist(overridden, schema=OVERRIDDEN)),
        core_cut=0.25,
        limits=limits,
    )
    measured = engine.from_arrow(pa.Table.from_pylist(bounds, schema=BOUNDS))
    return judge_day(engine, tables, case, measured)


def test_a_phone_and_posts_are_two_observations(engine: Engine) -> None:
    rows = judged(engine, *network({"phone": PHONE, "text": TEXT}))
    assert all(row["independent"] and row["is_core"] for row in rows.values())
    assert not any(ONE_OBSERVATION in row["reasons"] for row in rows.values())


def test_what_a_declared_network_does_openly_is_no_observation(engine: Engine) -> None:
    """A newsroom that posts together also shares phones: of its accounts only the phones count."""
    newsroom = [declared(account, "newsroom", "co_post") for account in "abcd"]
    rows = judged(engine, *network({"phone": PHONE, "text": TEXT}), *newsroom)
    for row in rows.values():
        assert row["is_core"] and row["core_links"] == 3, "phones still link it to all others"
        assert not row["independent"] and ONE_OBSERVATION in row["reasons"]
        assert DECLARED not in row["reasons"], "its phones are not exempted"


def test_links_to_others_than_its_accounts_still_count(engine: Engine) -> None:
    """Only two are declared; what each does with the two others is as it was."""
    pair = [declared(account, "newsroom", "co_post") for account in "ab"]
    rows = judged(engine, *network({"phone": PHONE, "text": TEXT}), *pair)
    assert all(row["independent"] for row in rows.values())


def test_an_account_that_only_open_posts_link_is_left_alone(engine: Engine) -> None:
    newsroom = [declared(account, "newsroom", "co_post") for account in "abcd"]
    rows = judged(engine, *network({"text": TEXT}), *newsroom)
    for row in rows.values():
        assert DECLARED in row["reasons"] and not row["reviewed"]
        assert (row["is_core"], row["core_links"]) == (False, 0)


def test_nobody_is_held_in_the_core_by_what_is_exempted(engine: Engine) -> None:
    """Without the open posts one phone holds each of three; the posts had hidden that."""
    ties = [
        fact
        for a, b in combinations("abc", 2)
        for fact in (
            linked(a, b, "device content", "shared_device co_post"),
            trace_link(a, b, "shared_device"),
            evidence(a, b, "one phone", ago(2), ago(1), "shared_device"),
            trace_link(a, b, "co_post"),
            evidence(a, b, f"text of {a}{b}", ago(1), ago(1), "co_post"),
        )
    ]
    facts = [*map(member, "abc"), *ties]
    dropped_by = {name: row["dropped_by"] for name, row in judged(engine, *facts).items()}
    assert "device:one phone" not in dropped_by["a"]
    newsroom = [declared(account, "newsroom", "co_post") for account in "abc"]
    dropped_by = {
        name: row["dropped_by"] for name, row in judged(engine, *facts, *newsroom).items()
    }
    assert all("device:one phone" in holders for holders in dropped_by.values())


def test_a_trace_on_devices_is_never_exempted(engine: Engine) -> None:
    allowed = "shared_device signup_device co_post"
    newsroom = [declared(account, "newsroom", allowed) for account in "abcd"]
    rows = judged(engine, *network({"phone": PHONE}), *newsroom)
    assert all(row["is_core"] and row["core_links"] == 3 for row in rows.values())
    signups = network({"first": ("signup_device", "signup")})
    rows = judged(engine, *signups, *newsroom)
    assert all(row["is_core"] and DECLARED not in row["reasons"] for row in rows.values())


def finding(benign: bool) -> dict[str, Any]:
    found = {"subject_type": "network", "subject_id": "n", "network_id": "n", "benign": benign}
    named = {"signature_id": "innocent" if benign else str(FARM.id), "title": "so called"}
    told = {name: ["held"] for name in ("selections", "inauthentic", "reasons")}
    return found | named | told | {"mode": "live", "status": "stable", "level": "high"}


def score(engine: Engine, *findings: dict[str, Any], borrowed: bool = False) -> dict[str, Any]:
    """The score of a network that a signature of a measured precision of 0.97 names."""
    bound = {"signature_id": str(FARM.id), "lower": 0.9, "challenge_lower": 0.9, "measured": 0.97}
    bounds = [bound | {"borrowed": borrowed}]
    facts = network({"phone": PHONE})
    scores = judgement(engine, facts, [finding(benign=False), *findings], bounds).scores
    row: dict[str, Any] = engine.to_arrow(scores).to_pylist()[0]
    return row


def test_a_measured_precision_is_the_likelihood_of_networks_like_those_measured(
    engine: Engine,
) -> None:
    """Those that something explains were not among them; a borrowed one is of other networks."""
    measured = score(engine)
    assert (measured["likelihood"], measured["calibrated"]) == (0.97, True)
    explained = score(engine, finding(benign=True))
    assert explained["disposition"] == "explained"
    assert explained["likelihood"] < 0.5 and not explained["calibrated"]
    assert explained["priority"] < measured["priority"] / 2
    borrowed = score(engine, borrowed=True)
    assert explained["likelihood"] < borrowed["likelihood"] < 0.97 and not borrowed["calibrated"]


EXPLAINED = "an innocent explanation matches its network: so called"


def by_ann(account: str) -> dict[str, Any]:
    """What Ann overrode for an account."""
    where = {"account_id": account, "network_id": "n", "signature_id": "innocent"}
    return where | {"told": "by ann", "at": datetime(2026, 11, 22, tzinfo=UTC)}


def test_an_override_lets_those_through_whom_the_reviewer_looked_at(engine: Engine) -> None:
    """It measures nothing: the network is as likely abuse as it was with its explanation."""
    overridden = [by_ann(name) for name in "abc"]
    found = [finding(benign=False), finding(benign=True)]
    before = judgement(engine, network({"phone": PHONE}), found)
    (old,) = engine.to_arrow(before.scores).to_pylist()
    after = judgement(engine, network({"phone": PHONE}), found, overridden=overridden)
    (new,) = engine.to_arrow(after.scores).to_pylist()
    rows = {row["account_id"]: row for row in engine.to_arrow(after.accounts).to_pylist()}
    for name in "abc":
        assert EXPLAINED not in rows[name]["reasons"] and rows[name]["reviewed"]
        assert rows[name]["overridden"] == ["by ann"]
        assert rows[name]["overridden_signature_ids"] == ["innocent"]
    assert EXPLAINED in rows["d"]["reasons"] and not rows["d"]["reviewed"]
    assert (rows["d"]["overridden"], rows["d"]["overridden_signature_ids"]) == ([], [])
    assert (old["disposition"], new["disposition"]) == ("explained", "review")
    assert old["likelihood"] == new["likelihood"] and not new["calibrated"]


@pytest.mark.embedded
def test_another_explanation_still_keeps_them_out(engine: Engine) -> None:
    overridden = [by_ann(name) for name in "abcd"]
    another = finding(benign=True) | {"signature_id": "another"}
    found = [finding(benign=False), finding(benign=True), another]
    after = judgement(engine, network({"phone": PHONE}), found, overridden=overridden)
    for row in engine.to_arrow(after.accounts).to_pylist():
        assert EXPLAINED in row["reasons"] and row["overridden"] == ["by ann"]


LARGE = "the network is too large to be judged without a sample"
SMALL_CEILING = Proposals(max_accounts=3, min_accounts=2)


def sampled(engine: Engine, floor: float, names: str = "abc") -> dict[str, dict[str, Any]]:
    """A network of four, one too many, of which a sample accepted some accounts for a floor."""
    accepted = [
        {"account_id": name, "network_id": "n", "signature_id": str(FARM.id)}
        | {"accepted_floor": floor}
        for name in names
    ]
    facts = network({"phone": PHONE, "text": TEXT})
    found = judgement(
        engine, facts, [finding(benign=False)], accepted=accepted, limits=SMALL_CEILING
    )
    return {row["account_id"]: row for row in engine.to_arrow(found.accounts).to_pylist()}


def test_a_sample_lets_through_who_was_in_the_lot(engine: Engine) -> None:
    """Who joined later waits for another one; who was sampled for a lighter action, too."""
    assert FARM.enforcement is not None
    needed = dict(SMALL_CEILING.floors)[FARM.enforcement.action]
    rows = sampled(engine, needed)
    assert {name for name, row in rows.items() if LARGE in row["reasons"]} == {"d"}
    rows = sampled(engine, needed - 0.01, "abcd")
    assert all(LARGE in row["reasons"] for row in rows.values())


@pytest.mark.embedded
def test_of_a_sampled_network_it_is_known_what_drops_its_members(engine: Engine) -> None:
    """Of networks that are too large nobody looks; one phone holds all of this one."""
    facts = [
        *map(member, "abc"),
        *(linked(a, b, "device", "shared_device") for a, b in combinations("abc", 2)),
        *(trace_link(a, b, "shared_device") for a, b in combinations("abc", 2)),
        *(
            evidence(a, b, "one phone", ago(2), ago(1), "shared_device")
            for a, b in combinations("abc", 2)
        ),
    ]
    limits = Proposals(max_accounts=2, min_accounts=2)
    found = [finding(benign=False)]
    row = {"account_id": "a", "network_id": "n", "signature_id": str(FARM.id)}

    def holders(accepted: list[dict[str, Any]]) -> list[list[str]]:
        accounts = judgement(engine, facts, found, accepted=accepted, limits=limits).accounts
        return [each["dropped_by"] for each in engine.to_arrow(accounts).to_pylist()]

    assert holders([]) == [[], [], []]
    assert all("device:one phone" in each for each in holders([row]))
