"""What scoring moves in the ledger when a day is run again, or a later day judges otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from signatures.decisions import DECISIONS
from signatures.life_cycle import current
from tests.signatures.test_proposals import (
    DAY,
    INCLUDED,
    NOTHING,
    NOW,
    REVIEWED,
    TOMORROW,
    moves,
    scored,
    states,
)


def test_a_rerun_sends_to_review_what_it_does_not_find_again() -> None:
    """The log was mended; what rested on the mistake must not be carried out."""
    first = scored(NOTHING, INCLUDED, INCLUDED | {"account_id": "u2"})
    again = scored(first, INCLUDED, REVIEWED | {"account_id": "u2"})
    assert states(again) == {("u1", "suspend"): "proposed", ("u2", "suspend"): "in_review"}
    assert scored(again, INCLUDED).equals(again)  # a rerun of the rerun moves nothing
    assert states(scored(first, INCLUDED)) == states(again)  # it may not even be in a network


def test_a_later_day_leaves_a_proposal_of_a_network_that_rests() -> None:
    first = scored(NOTHING, INCLUDED)
    assert scored(first, day=TOMORROW).num_rows == first.num_rows


@pytest.mark.parametrize(
    "changed",
    [
        REVIEWED | {"reasons": ["the precision of the signature is not measured, or not lately"]},
        REVIEWED | {"cleared": True},
        REVIEWED | {"role": "compromised"},
        REVIEWED | {"role": "bystander", "reviewed": False},
        INCLUDED | {"policy_id": "spam"},
    ],
)
def test_a_later_day_that_judges_otherwise_sends_a_proposal_to_review(
    changed: dict[str, Any],
) -> None:
    ledger = scored(scored(NOTHING, INCLUDED), changed, day=TOMORROW)
    of_policy = pa.compute.equal(ledger.column("policy_id"), INCLUDED["policy_id"])
    assert states(ledger.filter(of_policy))["u1", "suspend"] == "in_review"


def test_an_earlier_day_scored_anew_moves_no_later_proposal() -> None:
    first = scored(NOTHING, INCLUDED)
    again = scored(first, REVIEWED, day=DAY - timedelta(days=1))
    assert states(again) == {("u1", "suspend"): "proposed"}


BY_PEOPLE: dict[str, Any] = {
    "decision_id": "d",
    "number": 1,
    "account_id": "u1",
    "network_id": "n1",
    "snapshot_sha256": "first",
    "route": "investigated",
    "action": "secure_account",
    "policy_id": "account_security",
    "episode": 1,
    "subject_role": "compromised",
    "signature_ids": [],
    "ds": DAY,
    "state": "proposed",
    "state_at": NOW,
    "actor": "ann, bob",
}
UNNAMED = {"signature_id": None, "policy_id": None, "declared_action": None}


@pytest.mark.parametrize(
    "judged",
    [
        UNNAMED | {"role": "compromised", "reasons": ["no signature of abuse matches its network"]},
        {"role": "compromised", "reasons": ["the signature runs in shadow"]},
        {"role": "bystander", "reasons": ["its role is neither actor nor compromised"]},
        {"reasons": ["the account is protected"]},
    ],
    ids=["without a signature", "in shadow", "a bystander", "protected"],
)
def test_what_people_proposed_makes_scoring_say_nothing_that_it_would_not_say_without(
    judged: dict[str, Any],
) -> None:
    """Who is neither included nor to be reviewed is only looked at for what is proposed of it."""
    left_alone = REVIEWED | {"reviewed": False} | judged
    ledger = pa.Table.from_pylist([BY_PEOPLE], schema=DECISIONS.schema)
    assert scored(ledger, left_alone).num_rows == 1
    out = moves(ledger, *OUT)
    assert scored(out, left_alone, day=DAY).num_rows == out.num_rows, "nor after it has left"


OUT = (("approved", "approvals"), ("released", "release"))


def test_a_rerun_of_a_day_that_left_proposes_nobody_and_moves_nothing() -> None:
    left = moves(scored(NOTHING, INCLUDED), *OUT)
    heavier = INCLUDED | {"action": "terminate"}
    new = INCLUDED | {"account_id": "u2"}
    again = scored(left, heavier, new)
    assert states(again) == {("u1", "suspend"): "released", ("u2", "suspend"): "in_review"}
    (row,) = [row for row in again.to_pylist() if row["account_id"] == "u2"]
    assert row["reason"] == "a rerun of a day of which decisions have left already"
    assert states(scored(left)) == {("u1", "suspend"): "released"}


SAMPLED = INCLUDED | {"accepted_at": NOW + timedelta(hours=1), "accepted_by": "ann, bob"}


def test_what_waited_for_a_sample_is_proposed_by_its_reviewers() -> None:
    ledger = scored(NOTHING, REVIEWED)
    last = current(scored(ledger, SAMPLED)).to_pylist()[0]
    assert (last["state"], last["actor"], last["number"]) == ("proposed", "ann, bob", 2)
    assert states(scored(ledger, INCLUDED)) == {("u1", "suspend"): "in_review"}


def test_what_came_to_review_after_the_sample_waits_for_another_look() -> None:
    early = SAMPLED | {"accepted_at": NOW}
    assert states(scored(scored(NOTHING, REVIEWED), early)) == {("u1", "suspend"): "in_review"}
    (begun,) = scored(NOTHING, early).to_pylist()
    assert (begun["state"], begun["actor"]) == ("proposed", "score-networks")


def test_where_less_is_left_than_waited_for_a_sample_the_lighter_action_is_proposed() -> None:
    lighter = SAMPLED | {"action": "challenge"}
    ledger = scored(scored(NOTHING, REVIEWED), lighter)
    wanted = {("u1", "suspend"): "superseded", ("u1", "challenge"): "proposed"}
    assert states(ledger) == wanted
    assert states(scored(ledger, lighter)) == wanted
