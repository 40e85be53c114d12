"""What scoring writes to the ledger of decisions, and that it never decides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signatures.decisions import DECISIONS
from signatures.life_cycle import check_history, current, moved
from signatures.proposals import (
    Judged,
    cleared_since,
    standing,
    transitions,
    with_new_evidence,
)

DAY = date(2026, 11, 22)
TOMORROW = DAY + timedelta(days=1)
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)

INCLUDED: dict[str, Any] = {
    "account_id": "u1",
    "network_id": "n1",
    "snapshot_sha256": "first",
    "market": "de",
    "role": "actor",
    "included": True,
    "reviewed": False,
    "network_explained": False,
    "account_explained": False,
    "network_explanations": [],
    "account_explanations": [],
    "action": "suspend",
    "declared_action": "suspend",
    "duration_s": None,
    "policy_id": "inauthentic_accounts",
    "signature_id": "s1",
    "cleared": False,
    "called_benign": False,
    "overridden_signature_ids": [],
    "accepted_at": None,
    "accepted_by": None,
    "reasons": [],
    "why": ["43 members", "97% of the members used a device which another member used"],
}
REVIEWED = INCLUDED | {
    "included": False,
    "reviewed": True,
    "action": None,
    "reasons": ["the signature is not stable yet"],
}
NOTHING = DECISIONS.schema.empty_table()


def scored(
    ledger: pa.Table,
    *accounts: dict[str, Any],
    evidence: Mapping[str, list[str]] | None = None,
    benign: Mapping[str, set[str]] | None = None,
    day: date = DAY,
) -> pa.Table:
    """The ledger after one more day; `evidence` names the devices in each snapshot."""

    told = {}
    for snapshot in ("first", "second", "third"):
        for account in ("u1", "u2"):
            devices = (evidence or {}).get(snapshot, ["phone"])
            seen = [
                {"trace": "shared_device", "entity_type": "device", "entity_id": device}
                for device in devices
            ]
            told[snapshot, account] = json.dumps({"for": seen})
    rows = transitions(Judged(day, NOW, accounts, ledger, told, benign or {}))
    after = pa.concat_tables([ledger, rows])
    check_history(after)
    return after


def states(ledger: pa.Table) -> dict[tuple[str, str], str]:
    return {(row["account_id"], row["action"]): row["state"] for row in current(ledger).to_pylist()}


def moves(ledger: pa.Table, *steps: tuple[str, str]) -> pa.Table:
    """The ledger after all its decisions moved by these steps: state and cause."""
    for state, by in steps:
        rows = moved(current(ledger), state, by=by, at=NOW, actor="someone", reason=None)
        ledger = pa.concat_tables([ledger, rows])
    return ledger


def test_who_is_included_is_proposed_with_plain_reasons() -> None:
    (row,) = scored(NOTHING, INCLUDED).to_pylist()
    assert (row["state"], row["route"], row["action"]) == ("proposed", "calibrated", "suspend")
    assert row["reason"].startswith("43 members; 97% of the members")
    assert (row["number"], row["episode"], row["signature_ids"]) == (1, 1, ["s1"])


def test_who_should_be_looked_at_is_in_review_with_what_is_missing() -> None:
    (row,) = scored(NOTHING, REVIEWED).to_pylist()
    assert (row["state"], row["reason"]) == ("in_review", "the signature is not stable yet")


def test_a_rerun_and_the_next_day_on_another_network_id_add_nothing() -> None:
    ledger = scored(NOTHING, INCLUDED, REVIEWED | {"account_id": "u2"})
    tomorrow = {"network_id": "n9", "snapshot_sha256": "second"}
    again = scored(ledger, INCLUDED | tomorrow, REVIEWED | tomorrow | {"account_id": "u2"})
    assert again.num_rows == ledger.num_rows == 2


def test_another_action_for_the_same_policy_supersedes_the_proposal() -> None:
    ledger = scored(scored(NOTHING, INCLUDED), INCLUDED | {"action": "challenge"})
    assert states(ledger) == {("u1", "suspend"): "superseded", ("u1", "challenge"): "proposed"}


def test_an_innocent_explanation_brings_a_proposal_back_to_review() -> None:
    explained = {"included": False, "network_explained": True, "action": None}
    explained["network_explanations"] = ["Activists", "Campus"]
    ledger = scored(scored(NOTHING, INCLUDED), INCLUDED | explained)
    assert states(ledger) == {("u1", "suspend"): "in_review"}
    reason = ledger.to_pylist()[-1]["reason"]
    assert reason == "an innocent explanation matches: Activists, Campus"


def test_so_does_an_explanation_of_the_account_alone() -> None:
    explained = {"included": False, "account_explained": True, "action": None}
    ledger = scored(scored(NOTHING, INCLUDED), INCLUDED | explained)
    assert states(ledger) == {("u1", "suspend"): "in_review"}


@pytest.mark.parametrize("policy", [None, "spam"])
def test_so_does_one_of_a_network_that_no_signature_of_the_policy_names_any_more(
    policy: str | None,
) -> None:
    explained = {"included": False, "network_explained": True, "action": None, "policy_id": policy}
    ledger = scored(scored(NOTHING, INCLUDED), INCLUDED | explained)
    assert states(ledger) == {("u1", "suspend"): "in_review"}


def test_who_was_held_for_hijacked_is_never_restricted_without_a_reviewer() -> None:
    """A hijacker who stays makes an account look like an actor, once its past is out of sight."""
    hijacked = {"role": "compromised", "action": "secure_account"}
    ledger = scored(NOTHING, INCLUDED | hijacked)
    ledger = moves(ledger, ("approved", "approvals"), ("released", "release"))
    later = scored(ledger, INCLUDED, day=TOMORROW)
    assert states(later) == {("u1", "secure_account"): "released"}, "one thing at a time"
    ledger = moves(ledger, ("applied", "receipt"), ("expired", "clock"))
    later = scored(ledger, INCLUDED, day=TOMORROW)
    assert states(later) == {("u1", "secure_account"): "expired", ("u1", "suspend"): "in_review"}
    assert later.to_pylist()[-1]["reason"] == "an earlier day held the account for hijacked"


def test_who_was_called_benign_is_looked_at_again_only_on_evidence_that_is_new() -> None:
    again = REVIEWED | {"called_benign": True, "snapshot_sha256": "second"}
    benign = {"u1": {"first"}}
    assert scored(NOTHING, again, benign=benign).num_rows == 0
    new = scored(NOTHING, again, benign=benign, evidence={"second": ["phone", "tablet"]})
    assert states(new) == {("u1", "suspend"): "in_review"}


def test_what_was_approved_or_released_is_left_alone() -> None:
    ledger = moves(scored(NOTHING, INCLUDED), ("approved", "approvals"))
    assert scored(ledger, INCLUDED | {"action": "challenge"}).num_rows == ledger.num_rows


def test_what_was_rejected_returns_only_on_evidence_that_is_new() -> None:
    ledger = moves(scored(NOTHING, REVIEWED), ("rejected", "reviewers"))
    seen = {"first": ["phone"], "second": ["phone"], "third": ["phone", "tablet"]}
    same = scored(ledger, INCLUDED | {"snapshot_sha256": "second"}, evidence=seen)
    assert same.num_rows == ledger.num_rows
    new = scored(ledger, INCLUDED | {"snapshot_sha256": "third"}, evidence=seen)
    assert states(new) == {("u1", "suspend"): "proposed"}


def test_what_was_rejected_twice_returns_on_nothing_that_either_reviewer_saw() -> None:
    seen = {"first": ["phone"], "second": ["tablet"], "third": ["phone", "tablet"]}
    ledger = moves(scored(NOTHING, REVIEWED), ("rejected", "reviewers"))
    ledger = scored(ledger, INCLUDED | {"snapshot_sha256": "second"}, evidence=seen)
    assert current(ledger).to_pylist()[0]["snapshot_sha256"] == "second"  # what is judged next
    ledger = moves(ledger, ("in_review", "guard"), ("rejected", "reviewers"))
    again = scored(ledger, INCLUDED | {"snapshot_sha256": "third"}, evidence=seen)
    assert again.num_rows == ledger.num_rows


def test_a_cleared_account_reaches_only_review_and_only_on_new_evidence() -> None:
    steps = [("approved", "approvals"), ("released", "release"), ("reversed", "retraction")]
    ledger = moves(scored(NOTHING, INCLUDED), *steps)
    cleared = REVIEWED | {"cleared": True, "snapshot_sha256": "second"}
    assert scored(ledger, cleared, evidence={}).num_rows == ledger.num_rows
    again = scored(ledger, cleared, evidence={"second": ["tablet"]})
    last = again.to_pylist()[-1]
    assert (last["state"], last["episode"], last["number"]) == ("in_review", 2, 1)


def test_what_was_cleared_under_one_policy_is_not_new_under_another() -> None:
    steps = [("approved", "approvals"), ("released", "release"), ("reversed", "retraction")]
    ledger = moves(scored(NOTHING, INCLUDED), *steps)
    other = REVIEWED | {"cleared": True, "policy_id": "spam", "snapshot_sha256": "second"}
    assert scored(ledger, other).num_rows == ledger.num_rows
    assert scored(ledger, other, evidence={"second": ["tablet"]}).num_rows == ledger.num_rows + 1


def test_the_ledger_tells_what_is_in_force_and_who_was_cleared() -> None:
    half_a_year = timedelta(days=180)
    ledger = moves(scored(NOTHING, INCLUDED), ("approved", "approvals"), ("released", "release"))
    assert standing(ledger, half_a_year).num_rows == 0, "to have exported is not enough"
    applied = moves(ledger, ("applied", "receipt"))
    assert standing(applied, half_a_year).to_pylist() == [
        {"account_id": "u1", "prior_decisions": 1, "cleared_until": None}
    ]
    reversed_again = moves(applied, ("reversed", "retraction"))
    assert standing(reversed_again, half_a_year).to_pylist() == [
        {"account_id": "u1", "prior_decisions": 0, "cleared_until": NOW + half_a_year}
    ]


def test_an_account_is_cleared_since_people_said_so_and_for_a_while() -> None:
    steps = [("approved", "approvals"), ("released", "release"), ("applied", "receipt")]
    ledger = moves(scored(NOTHING, INCLUDED), *steps, ("appealed", "appeal"))
    ledger = moves(ledger, ("overturned", "appeal_outcome"))
    later = moved(current(ledger), "reversed", by="receipt", at=NOW + timedelta(days=9), actor="x",
                  reason=None)  # fmt: skip
    ledger = pa.concat_tables([ledger, later])
    span = timedelta(days=180)
    assert cleared_since(ledger, span, NOW + timedelta(days=10)) == {"u1": NOW}
    assert cleared_since(ledger, span, NOW + timedelta(days=190)) == {}


def test_what_reviewers_looked_at_is_compared_with_what_ended_well() -> None:
    steps = [("approved", "approvals"), ("released", "release"), ("reversed", "retraction")]
    ledger = moves(scored(NOTHING, INCLUDED), *steps)
    devices = {"first": "phone", "second": "phone", "third": "tablet"}
    evidence = {
        (snapshot, "u1"): json.dumps(
            {"for": [{"trace": "shared_device", "entity_type": "device", "entity_id": device}]}
        )
        for snapshot, device in devices.items()
    }
    judged = Judged(DAY, NOW, [], ledger, evidence)
    looked_at = [(snapshot, "u1") for snapshot in devices]
    assert with_new_evidence(looked_at, judged) == {("third", "u1")}


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "account_id": st.sampled_from(["u1", "u2"]),
                "included": st.booleans(),
                "reviewed": st.booleans(),
                "network_explained": st.booleans(),
                "cleared": st.booleans(),
                "called_benign": st.booleans(),
                "role": st.sampled_from(["actor", "compromised", "bystander"]),
                "action": st.sampled_from(["suspend", "challenge"]),
                "declared_action": st.sampled_from(["suspend", "secure_account"]),
                "snapshot_sha256": st.sampled_from(["first", "second"]),
            }
        ),
        max_size=8,
    ),
    st.lists(st.sampled_from(["reviewers", "approvals", "none"]), max_size=8),
)
def test_days_in_any_order_stay_inside_the_life_cycle(
    days: list[dict[str, Any]], others: list[str]
) -> None:
    ledger = NOTHING
    for day, other in zip(days, [*others, *["none"] * len(days)], strict=False):
        ledger = scored(ledger, INCLUDED | day, evidence={"second": ["tablet"]})
        rows = current(ledger)
        if other == "reviewers":
            rows = rows.filter(pa.compute.equal(rows.column("state"), "in_review"))
            ledger = _append(ledger, rows, "rejected", "reviewers")
        if other == "approvals":
            rows = rows.filter(pa.compute.equal(rows.column("state"), "proposed"))
            ledger = _append(ledger, rows, "approved", "approvals")
    check_history(ledger)


def _append(ledger: pa.Table, rows: pa.Table, state: str, by: str) -> pa.Table:
    made = moved(rows, state, by=by, at=NOW, actor="someone", reason=None)
    return pa.concat_tables([ledger, made])
