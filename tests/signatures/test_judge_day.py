"""A day is judged: what its published tables, features and lists say of each member."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pyarrow as pa
import pytest

from graph.config import Proposals
from graph.engines.base import Engine
from graph.features.computed import compute_features
from graph.features.tables import member_tables
from graph.frames import engine_api
from signatures.acceptance import ACCEPTED
from signatures.findings import FINDINGS
from signatures.judgement import BOUNDS, Case, judge_day
from signatures.overrides import OVERRIDDEN
from tests.graph.feature_days import (
    Fact,
    ago,
    apart,
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
EXPLAINED = "an innocent explanation matches its network: so called"
LARGE = "the network is too large to be judged without a sample"

FARM, LENT = signature("Device farm"), signature("Bulk sign-up")

PHONE, TEXT = ("shared_device", "device"), ("co_post", "content")

Row = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A network, and what was found, overridden and accepted before it is judged."""

    facts: Iterable[Fact]
    found: tuple[Row, ...] = ()
    overridden: tuple[Row, ...] = ()
    accepted: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Judged:
    """What was judged of a world: of its accounts, by name, and of its network."""

    accounts: dict[str, Row]
    score: Row


def network(ties: dict[str, tuple[str, str]], accounts: str = "abcd") -> list[Fact]:
    """Accounts of which each two share an entity of their own in each trace."""
    facts = [member(account) for account in accounts]
    for a, b in combinations(accounts, 2):
        traces = " ".join(trace for trace, _ in ties.values())
        facts.append(linked(a, b, " ".join(family for _, family in ties.values()), traces))
        for day, (entity, (trace, _)) in enumerate(ties.items()):
            facts.append(trace_link(a, b, trace))
            facts.append(
                evidence(a, b, f"{entity} of {a}{b}", ago(days=day + 1), ago(days=day), trace)
            )
    return facts


def one_phone(accounts: str) -> list[Fact]:
    """Accounts that all share one phone."""
    facts = [member(account) for account in accounts]
    for a, b in combinations(accounts, 2):
        facts += [linked(a, b, "device", "shared_device"), trace_link(a, b, "shared_device")]
        facts.append(evidence(a, b, "one phone", ago(2), ago(1), "shared_device"))
    return facts


def hidden_phone() -> list[Fact]:
    """Three that share one phone, and each two of them a text."""
    facts = [member(account) for account in "abc"]
    for a, b in combinations("abc", 2):
        facts.append(linked(a, b, "device content", "shared_device co_post"))
        facts.append(trace_link(a, b, "shared_device"))
        facts.append(evidence(a, b, "one phone", ago(2), ago(1), "shared_device"))
        facts.append(trace_link(a, b, "co_post"))
        facts.append(evidence(a, b, f"text of {a}{b}", ago(1), ago(1), "co_post"))
    return facts


def newsroom(accounts: str, allowed: str = "co_post") -> list[Fact]:
    """Accounts that openly act together."""
    return [declared(account, "newsroom", allowed) for account in accounts]


def finding(signature_id: str = str(FARM.id)) -> Row:
    """A match of a signature; of an innocent explanation if the library does not have it."""
    benign = signature_id not in {str(FARM.id), str(LENT.id)}
    found = {"subject_type": "network", "subject_id": "n", "network_id": "n", "benign": benign}
    named = {"signature_id": signature_id, "title": "so called"}
    told = {name: ["held"] for name in ("selections", "inauthentic", "reasons")}
    return found | named | told | {"mode": "live", "status": "stable", "level": "high"}


def by_ann(account: str) -> Row:
    """What Ann overrode for an account."""
    where = {"account_id": account, "network_id": "n", "signature_id": "innocent"}
    return where | {"told": "by ann", "at": datetime(2026, 11, 22, tzinfo=UTC)}


def accepted(account: str, floor: float = 0.0) -> Row:
    """An account of a lot of which a sample was accepted for a floor."""
    where = {"account_id": account, "network_id": "n", "signature_id": str(FARM.id)}
    return where | {"accepted_floor": floor}


FOUND, INNOCENT, ANOTHER = finding(), finding("innocent"), finding("another")
PHONES = network({"phone": PHONE})
TWO_TIES = network({"phone": PHONE, "text": TEXT})
OF_DEVICES = "shared_device signup_device co_post"

WORLDS = {
    "phone and posts": World(TWO_TIES),
    "phone and open posts": World([*TWO_TIES, *newsroom("abcd")]),
    "two of four are open": World([*TWO_TIES, *newsroom("ab")]),
    "open posts": World([*network({"text": TEXT}), *newsroom("abcd")]),
    "posts hide a phone": World(hidden_phone()),
    "open posts hide a phone": World([*hidden_phone(), *newsroom("abc")]),
    "open phones": World([*PHONES, *newsroom("abcd", OF_DEVICES)]),
    "open sign-ups": World(
        [*network({"first": ("signup_device", "signup")}), *newsroom("abcd", OF_DEVICES)]
    ),
    "measured": World(PHONES, (FOUND,)),
    "explained": World(PHONES, (FOUND, INNOCENT)),
    "borrowed": World(PHONES, (finding(str(LENT.id)),)),
    "overridden": World(PHONES, (FOUND, INNOCENT), tuple(map(by_ann, "abc"))),
    "explained twice": World(PHONES, (FOUND, INNOCENT, ANOTHER), tuple(map(by_ann, "abcd"))),
}
"""Judged as one day: a judgement takes Spark half a minute, of however few networks."""

assert FARM.enforcement is not None
CEILING = Proposals(max_accounts=3, min_accounts=2)
NEEDED = dict(CEILING.floors)[FARM.enforcement.action]
TOO_LARGE = {
    "in the lot": World(TWO_TIES, (FOUND,), (), tuple(accepted(each, NEEDED) for each in "abc")),
    "for less": World(
        TWO_TIES, (FOUND,), (), tuple(accepted(each, NEEDED - 0.01) for each in "abcd")
    ),
    "not looked at": World(one_phone("abcd"), (FOUND,)),
    "looked at": World(one_phone("abcd"), (FOUND,), (), (accepted("a"),)),
}
"""The same of networks of one account too many."""

BOUND = {"lower": 0.9, "challenge_lower": 0.9, "measured": 0.97}
MEASURED = [
    BOUND | {"signature_id": str(FARM.id), "borrowed": False},
    BOUND | {"signature_id": str(LENT.id), "borrowed": True},
]


def judged(engine: Engine, worlds: dict[str, World], limits: Proposals) -> dict[str, Judged]:
    """Judge all worlds as networks of one day."""

    def frame(kind: str, schema: pa.Schema) -> Any:
        rows = [
            row
            for name, world in worlds.items()
            for _, row in apart([(kind, row) for row in getattr(world, kind)], name)
        ]
        return engine.from_arrow(pa.Table.from_pylist(rows, schema=schema))

    facts = [fact for name, world in worlds.items() for fact in apart(world.facts, name)]
    with engine_api(engine.api_root):
        tables = member_tables(engine, day_tables(engine, day_of(facts)))
        networks, accounts = compute_features(engine, tables)
        nobody = engine.from_arrow(pa.table({"account_id": pa.array([], pa.string())}))
        case = Case(
            networks=networks,
            accounts=accounts,
            findings=frame("found", FINDINGS.schema),
            library=[FARM, LENT],
            protected=nobody,
            cleared=nobody,
            called_benign=nobody,
            accepted=frame("accepted", ACCEPTED),
            overridden=frame("overridden", OVERRIDDEN),
            core_cut=0.25,
            limits=limits,
        )
        bounds = engine.from_arrow(pa.Table.from_pylist(MEASURED, schema=BOUNDS))
        judgement = judge_day(engine, tables, case, bounds)
        rows = engine.to_arrow(judgement.accounts).to_pylist()
        scores = {row["network_id"]: row for row in engine.to_arrow(judgement.scores).to_pylist()}

    def accounts_of(world: str) -> dict[str, Row]:
        mine = (row for row in rows if row["network_id"] == f"{world}/n")
        return {row["account_id"].removeprefix(f"{world}/"): row for row in mine}

    return {name: Judged(accounts_of(name), scores[f"{name}/n"]) for name in worlds}


@pytest.fixture(scope="module")
def day(any_engine: Engine) -> dict[str, Judged]:
    return judged(any_engine, WORLDS, Proposals())


@pytest.fixture(scope="module")
def too_large(any_engine: Engine) -> dict[str, Judged]:
    return judged(any_engine, TOO_LARGE, CEILING)


Day = dict[str, Judged]


def test_a_phone_and_posts_are_two_observations(day: Day) -> None:
    rows = day["phone and posts"].accounts
    assert all(row["independent"] and row["is_core"] for row in rows.values())
    assert not any(ONE_OBSERVATION in row["reasons"] for row in rows.values())


def test_what_a_declared_network_does_openly_is_no_observation(day: Day) -> None:
    """A newsroom that posts together also shares phones: of its accounts only the phones count."""
    for row in day["phone and open posts"].accounts.values():
        assert row["is_core"] and row["core_links"] == 3, "phones still link it to all others"
        assert not row["independent"] and ONE_OBSERVATION in row["reasons"]
        assert DECLARED not in row["reasons"], "its phones are not exempted"


def test_links_to_others_than_its_accounts_still_count(day: Day) -> None:
    """Only two are declared; what each does with the two others is as it was."""
    assert all(row["independent"] for row in day["two of four are open"].accounts.values())


def test_an_account_that_only_open_posts_link_is_left_alone(day: Day) -> None:
    for row in day["open posts"].accounts.values():
        assert DECLARED in row["reasons"] and not row["reviewed"]
        assert (row["is_core"], row["core_links"]) == (False, 0)


def test_nobody_is_held_in_the_core_by_what_is_exempted(day: Day) -> None:
    """Without the open posts one phone holds each of three; the posts had hidden that."""

    def holders(world: str) -> dict[str, list[str]]:
        return {name: row["dropped_by"] for name, row in day[world].accounts.items()}

    assert holder("one phone", "posts hide a phone") not in holders("posts hide a phone")["a"]
    phone = holder("one phone", "open posts hide a phone")
    assert all(phone in each for each in holders("open posts hide a phone").values())


def holder(device: str, world: str) -> str:
    return f"device:{world}/{device}"


def test_a_trace_on_devices_is_never_exempted(day: Day) -> None:
    phones = day["open phones"].accounts
    assert all(row["is_core"] and row["core_links"] == 3 for row in phones.values())
    signups = day["open sign-ups"].accounts
    assert all(row["is_core"] and DECLARED not in row["reasons"] for row in signups.values())


def test_a_measured_precision_is_the_likelihood_of_networks_like_those_measured(day: Day) -> None:
    """Those that something explains were not among them; a borrowed one is of other networks."""
    measured, explained, borrowed = (
        day[world].score for world in ("measured", "explained", "borrowed")
    )
    assert (measured["likelihood"], measured["calibrated"]) == (0.97, True)
    assert explained["disposition"] == "explained"
    assert explained["likelihood"] < 0.5 and not explained["calibrated"]
    assert explained["priority"] < measured["priority"] / 2
    assert explained["likelihood"] < borrowed["likelihood"] < 0.97 and not borrowed["calibrated"]


def test_an_override_lets_those_through_whom_the_reviewer_looked_at(day: Day) -> None:
    """It measures nothing: the network is as likely abuse as it was with its explanation."""
    rows = day["overridden"].accounts
    for name in "abc":
        assert EXPLAINED not in rows[name]["reasons"] and rows[name]["reviewed"]
        assert rows[name]["overridden"] == ["by ann"]
        assert rows[name]["overridden_signature_ids"] == ["innocent"]
    assert EXPLAINED in rows["d"]["reasons"] and not rows["d"]["reviewed"]
    assert (rows["d"]["overridden"], rows["d"]["overridden_signature_ids"]) == ([], [])
    old, new = day["explained"].score, day["overridden"].score
    assert (old["disposition"], new["disposition"]) == ("explained", "review")
    assert old["likelihood"] == new["likelihood"] and not new["calibrated"]


def test_another_explanation_still_keeps_them_out(day: Day) -> None:
    for row in day["explained twice"].accounts.values():
        assert EXPLAINED in row["reasons"] and row["overridden"] == ["by ann"]


def test_a_sample_lets_through_who_was_in_the_lot(too_large: Day) -> None:
    """Who joined later waits for another one; who was sampled for a lighter action, too."""
    rows = too_large["in the lot"].accounts
    assert {name for name, row in rows.items() if LARGE in row["reasons"]} == {"d"}
    assert all(LARGE in row["reasons"] for row in too_large["for less"].accounts.values())


def test_of_a_sampled_network_it_is_known_what_drops_its_members(too_large: Day) -> None:
    """Of networks that are too large nobody looks; one phone holds all of this one."""
    assert not any(row["dropped_by"] for row in too_large["not looked at"].accounts.values())
    phone = holder("one phone", "looked at")
    assert all(phone in row["dropped_by"] for row in too_large["looked at"].accounts.values())
