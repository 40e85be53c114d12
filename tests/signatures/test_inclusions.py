"""Who may be proposed: every condition of DECISIONS, broken one at a time."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.config import Proposals
from graph.engines.base import Engine
from graph.frames import engine_api
from signatures.inclusions import BORROWED, HIJACKED, LOW_PRECISION, OBSTACLES, judge
from signatures.ladder import LADDER, RESTRICTIONS

LIMITS = Proposals()

PROPOSED: dict[str, Any] = {
    "name": "",
    "role": "actor",
    "size": 40,
    "is_core": True,
    "core_links": 12,
    "independent": True,
    "is_firm": True,
    "drops": 0,
    "signature_id": "s",
    "mode": "live",
    "status": "stable",
    "inauthentic_kinds": 1,
    "declared_action": "suspend",
    "tied_otherwise": True,
    "network_explained": False,
    "account_explained": False,
    "network_explanations": [],
    "account_explanations": [],
    "protected": False,
    "cleared": False,
    "called_benign": False,
    "declared": False,
    "lower": 0.985,
    "challenge_lower": 0.985,
    "borrowed": False,
    "accepted_floor": None,
}


def _type_of(value: Any) -> pa.DataType:
    return pa.list_(pa.string()) if value == [] else pa.scalar(value).type


SCHEMA = pa.schema(
    [
        (name, pa.float64() if name.endswith(("lower", "floor")) else _type_of(value))
        for name, value in PROPOSED.items()
    ]
)


def judged(engine: Engine, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    table = pa.Table.from_pylist([PROPOSED | row for row in rows], schema=SCHEMA)
    found: list[dict[str, Any]] = engine.to_arrow(
        judge(engine.from_arrow(table), LIMITS)
    ).to_pylist()
    return found


def test_who_meets_all_conditions_is_included(engine: Engine) -> None:
    (row,) = judged(engine, {})
    assert (row["included"], row["action"], row["reasons"]) == (True, "suspend", [])


BROKEN: dict[str, dict[str, Any]] = {
    "no_signature": {"signature_id": None, "mode": None, "status": None, "declared_action": None},
    "shadow": {"mode": "shadow"},
    "not_stable": {"status": "experimental"},
    "explained": {"network_explained": True, "network_explanations": ["Campus", "Office"]},
    "account_explained": {"account_explained": True, "account_explanations": ["First owner"]},
    "not_inauthentic": {"inauthentic_kinds": 0},
    "content_alone": {"tied_otherwise": False},
    "role": {"role": "target"},
    "victims_signature": {"declared_action": "secure_account"},
    "small": {"size": 4},
    "large": {"size": 1001},
    "not_measured": {"lower": None, "challenge_lower": None},
    "below_floor": {"lower": 0.79, "challenge_lower": 0.79},
    "not_core": {"is_core": False, "challenge_lower": 0.79},
    "one_observation": {"independent": False, "challenge_lower": 0.79},
    "few_neighbours": {"core_links": 1, "challenge_lower": 0.79},
    "dropped": {"drops": 1, "challenge_lower": 0.79},
    "loose": {"independent": False, "is_firm": False},
    "protected": {"protected": True},
    "cleared": {"cleared": True},
    "called_benign": {"called_benign": True},
    "declared": {"declared": True},
}


NAMES = {"explained": ": Campus, Office", "account_explained": ": First owner"}
"""How the reasons of these cases end."""


def test_every_obstacle_has_a_case() -> None:
    assert [each.name for each in OBSTACLES] == list(BROKEN)


def test_who_breaks_one_condition_is_left_out_and_told_why(engine: Engine) -> None:
    rows = judged(engine, *({**case, "name": name} for name, case in BROKEN.items()))
    told = {row["name"]: row for row in rows}
    for obstacle in OBSTACLES:
        assert not told[obstacle.name]["included"], obstacle.name
        expected = obstacle.reason + NAMES.get(obstacle.name, "")
        assert expected in told[obstacle.name]["reasons"]


@pytest.mark.parametrize(
    ("lower", "action"),
    [(0.995, "suspend"), (0.97, "limit_reach"), (0.94, "remove_engagement"), (0.85, "challenge")],
)
def test_a_lower_bound_buys_the_heaviest_action_it_can(
    engine: Engine, lower: float, action: str
) -> None:
    (row,) = judged(engine, {"lower": lower})
    assert (row["included"], row["action"]) == (True, action)


def test_a_borrowed_precision_buys_a_challenge_at_most(engine: Engine) -> None:
    (row,) = judged(engine, {"lower": 0.999, "borrowed": True})
    assert row["action"] == "challenge"


@pytest.mark.parametrize("lower", [0.85, 0.999])
@pytest.mark.parametrize(
    "weak", [{"is_core": False}, {"independent": False}, {"core_links": 1}, {"drops": 3}]
)
def test_links_that_carry_no_restriction_leave_a_challenge(
    engine: Engine, weak: dict[str, Any], lower: float
) -> None:
    """Whatever was measured: a precision that buys more must not let anybody go."""
    (row,) = judged(engine, weak | {"lower": lower})
    assert (row["included"], row["action"]) == (True, "challenge")


def test_who_gets_less_than_is_declared_is_told_why(engine: Engine) -> None:
    cases = [
        ({}, []),
        ({"drops": 2}, ["a single entity or neighbour holds it in the core"]),
        ({"lower": 0.97}, [LOW_PRECISION]),
        ({"borrowed": True}, [BORROWED]),
        ({"role": "compromised"}, [HIJACKED]),
        ({"role": "compromised", "declared_action": "secure_account"}, []),
        ({"lower": 0.97, "declared_action": "limit_reach"}, []),
        ({"protected": True, "lower": 0.97}, []),
    ]
    rows = judged(engine, *({**case, "name": str(place)} for place, (case, _) in enumerate(cases)))
    told = {row["name"]: row["lighter_because"] for row in rows}
    assert [told[str(place)] for place in range(len(cases))] == [why for _, why in cases]


def test_a_challenge_needs_no_bound_of_restrictions(engine: Engine) -> None:
    """Of a signature whose accounts are all linked weakly, only challenges are ever measured."""
    actor, hijacked = judged(engine, {"lower": None}, {"lower": None, "role": "compromised"})
    assert (actor["included"], actor["action"]) == (True, "challenge")
    assert not hijacked["included"]


def test_a_challenge_has_a_bound_of_its_own(engine: Engine) -> None:
    """It reaches accounts with weaker links, among whom more may be innocent."""
    weakly, well = judged(
        engine,
        {"lower": 0.85, "challenge_lower": 0.75},
        {"lower": 0.92, "challenge_lower": 0.75},
    )
    assert not weakly["included"]
    assert well["action"] == "remove_engagement"


def test_who_may_be_restricted_does_not_depend_on_what_was_measured(engine: Engine) -> None:
    bounds = (None, 0.5, 0.85, 0.99)
    weak = {"drops": 1}
    rows = judged(engine, *({"lower": lower, "challenge_lower": lower} for lower in bounds))
    assert [row["restrictable"] for row in rows] == [True] * 4
    rows = judged(engine, *(weak | {"lower": lower, "challenge_lower": lower} for lower in bounds))
    assert [row["restrictable"] for row in rows] == [False] * 4


def test_a_hijacked_account_is_secured_and_never_restricted(engine: Engine) -> None:
    hijacked = {"role": "compromised", "is_core": False, "independent": False}
    included, borrowed = judged(engine, hijacked, hijacked | {"borrowed": True})
    assert (included["included"], included["action"]) == (True, "secure_account")
    assert not borrowed["included"]


@st.composite
def anybody(draw: st.DrawFn) -> dict[str, Any]:
    choices: dict[str, list[Any]] = {
        "role": ["actor", "compromised", "target", "originator", "bystander"],
        "size": [1, 5, 40, 1000, 1001],
        "core_links": [0, 1, 2, 50],
        "drops": [0, 1],
        "mode": ["live", "shadow", None],
        "status": ["stable", "test", None],
        "signature_id": ["s", None],
        "inauthentic_kinds": [0, 2, None],
        "declared_action": [*LADDER, "secure_account", None],
        "lower": [None, 0.0, 0.8, 0.95, 0.98, 1.0],
        "challenge_lower": [None, 0.0, 0.8, 0.98],
    }
    row = {name: draw(st.sampled_from(values)) for name, values in choices.items()}
    flags = [name for name, value in PROPOSED.items() if isinstance(value, bool)]
    return row | {name: draw(st.booleans()) for name in flags}


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(anybody(), min_size=50, max_size=50))
def test_the_rules_hold_for_anybody(duckdb_engine: Engine, rows: list[dict[str, Any]]) -> None:
    with engine_api(duckdb_engine.api_root):
        found = judged(duckdb_engine, *rows)
    for row in found:
        if not row["included"]:
            assert row["reasons"]
            continue
        floor = dict(LIMITS.floors)[row["action"]]
        assert row["challenge_lower" if row["action"] == "challenge" else "lower"] >= floor
        assert row["mode"] == "live" and row["status"] == "stable"
        assert row["inauthentic_kinds"] and row["tied_otherwise"]
        assert not (row["network_explained"] or row["account_explained"])
        assert not (row["protected"] or row["cleared"] or row["called_benign"] or row["declared"])
        assert LIMITS.min_accounts <= row["size"] <= LIMITS.max_accounts
        if row["action"] == "challenge" and not row["is_firm"]:
            assert row["restrictable"]
        if row["action"] in RESTRICTIONS:
            assert row["role"] == "actor" and row["is_core"] and row["independent"]
            assert row["core_links"] >= 2 and row["drops"] == 0 and not row["borrowed"]
        else:
            assert row["role"] == {"secure_account": "compromised"}.get(row["action"], "actor")


def test_a_sample_of_a_large_network_must_show_what_the_action_needs(engine: Engine) -> None:
    floors = (0.98, 0.97, None)
    rows = judged(engine, *({"size": 1001, "accepted_floor": floor} for floor in floors))
    assert [row["included"] for row in rows] == [True, False, False]
