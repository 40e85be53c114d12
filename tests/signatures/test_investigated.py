"""People decide by verdicts: two of them, on the same frozen members, under one policy."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from signatures.decisions import DECISIONS
from signatures.investigated import (
    agreed,
    benign_accounts,
    benign_snapshots,
    decided_by_people,
    investigated,
    policy_actions,
)
from signatures.labels import LABELS, LabelRefused, check_labels, valid_labels
from signatures.life_cycle import check_history, current, moved
from signatures.loading import load
from signatures.snapshots import SNAPSHOTS

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = "inauthentic_accounts"


def verdict(label_id: str, reviewer: str, **changed: Any) -> dict[str, Any]:
    return {
        "label_id": label_id,
        "subject_type": "network",
        "subject_id": "n",
        "snapshot_sha256": "frozen",
        "label": "abusive",
        "policy_id": POLICY,
        "source": "investigation",
        "reviewer": reviewer,
        "labelled_at": NOON,
        "members": None,
    } | changed


def labels(*rows: dict[str, Any]) -> pa.Table:
    check_labels(rows)
    return pa.Table.from_pylist(list(rows), schema=LABELS.schema)


ROLES = {"bot": "actor", "stolen": "compromised", "star": "target", "guest": "bystander"}


def snapshot() -> pa.Table:
    rows = [
        {
            "snapshot_sha256": "frozen",
            "account_id": name,
            "network_id": "n",
            "ds": DAY,
            "role": role,
        }
        for name, role in ROLES.items()
    ]
    return pa.Table.from_pylist(rows, schema=SNAPSHOTS.schema)


def proposed(*rows: dict[str, Any], kept_out: set[str] | None = None) -> dict[str, str]:
    found = investigated(labels(*rows), snapshot(), load(), kept_out or set())
    return {row["account_id"]: row["action"] for row in found.proposed}


TWO = (verdict("1", "reviewer 1"), verdict("2", "reviewer 2"))


def test_two_reviewers_restrict_actors_and_secure_the_hijacked() -> None:
    action, _ = policy_actions(load())[POLICY]
    assert proposed(*TWO) == {"bot": action, "stolen": "secure_account"}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(TWO[:1], id="one reviewer"),
        pytest.param((TWO[0], verdict("2", "reviewer 1")), id="the same reviewer twice"),
        pytest.param((TWO[0], verdict("2", "Reviewer 1")), id="the same reviewer in capitals"),
        pytest.param((TWO[0], verdict("2", "reviewer 2", policy_id="spam")), id="two policies"),
        pytest.param((*TWO, verdict("3", "reviewer 3", label="benign")), id="a third disagrees"),
        pytest.param(
            (TWO[0], verdict("2", "reviewer 2", snapshot_sha256="later")), id="other members"
        ),
    ],
)
def test_anything_less_proposes_nobody(rows: tuple[dict[str, Any], ...]) -> None:
    assert proposed(*rows) == {}


def test_a_verdict_may_name_some_members_only() -> None:
    some = verdict("3", "reviewer 2", members=["stolen", "star"])
    assert proposed(TWO[0], some) == {"stolen": "secure_account"}


def test_protected_and_cleared_accounts_stay_out() -> None:
    assert proposed(*TWO, kept_out={"bot"}) == {"stolen": "secure_account"}


def test_who_is_left_out_is_counted_with_the_reason() -> None:
    found = investigated(labels(*TWO), snapshot(), load(), {"stolen"})
    assert (found.networks, dict(found.open)) == (1, {})
    assert found.left_out == {
        "protected, cleared, or called benign": 1,
        "of role target": 1,
        "of role bystander": 1,
    }


def test_an_unknown_role_and_a_policy_without_action_are_told() -> None:
    unknown = snapshot().set_column(4, "role", pa.nulls(4, pa.string()))
    found = investigated(labels(*TWO), unknown, load(), set())
    assert found.proposed == []
    assert found.left_out == {"of unknown role: it was frozen without tables of its day": 4}
    of_nobody = [row | {"policy_id": "house_rules"} for row in TWO]
    found = investigated(labels(*of_nobody), snapshot(), load(), set())
    assert found.left_out["under policy house_rules, for which no signature has an action"] == 1


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (TWO[:1], "one reviewer calls these members abusive under a policy, another must"),
        ([TWO[0] | {"policy_id": None}], "no verdict names a policy"),
        ([TWO[0], TWO[1] | {"policy_id": "spam"}], "reviewers name different policies"),
        ([*TWO, verdict("3", "reviewer 3", label="benign")], "a reviewer calls it benign"),
    ],
)
def test_verdicts_that_decide_nothing_yet_are_told(rows: list[dict[str, Any]], why: str) -> None:
    found = investigated(labels(*rows), snapshot(), load(), set())
    assert (found.networks, dict(found.open)) == (0, {why: 1})


def test_a_policy_stands_for_its_lightest_action() -> None:
    for action, duration in policy_actions(load()).values():
        assert action != "secure_account" and (duration is None or duration > 0)


def test_labels_hold_until_they_are_withdrawn_replaced_or_expired() -> None:
    later, rows = NOON + timedelta(days=1), list(TWO)
    assert valid_labels(labels(*rows), NOON - timedelta(seconds=1)).num_rows == 0
    assert valid_labels(labels(*rows), later).num_rows == 2
    rows[0] = rows[0] | {"withdrawn_at": later}
    assert valid_labels(labels(*rows), later).num_rows == 1
    rows[1] = rows[1] | {"supersedes": "1", "expires_at": later}
    told = valid_labels(labels(*rows), later - timedelta(seconds=1))
    assert told.column("label_id").to_pylist() == ["2"]
    assert valid_labels(labels(*rows), later).num_rows == 0


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"label": "guilty"}, "'guilty' is none of abusive, benign, unsure"),
        ({"snapshot_sha256": None}, "needs the snapshot that it judges"),
        ({"source": "sample"}, "needs its sampling_probability"),
        ({"reviewer": ""}, "reviewer must be given"),
        ({"role": "boss"}, "'boss' is none of actor"),
    ],
)
def test_a_wrong_label_is_named_and_refused(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(LabelRefused, match=rf"row 1 \(1\): .*{problem}"):
        labels(verdict("1", "reviewer 1") | changed)


def waiting(action: str) -> pa.Table:
    row = {
        "decision_id": "d",
        "number": 1,
        "account_id": "bot",
        "network_id": "n",
        "snapshot_sha256": "frozen",
        "route": "calibrated",
        "action": action,
        "policy_id": POLICY,
        "episode": 1,
        "subject_role": "actor",
        "signature_ids": ["s"],
        "ds": DAY,
        "state": "in_review",
        "state_at": NOON,
        "actor": "score-networks",
    }
    return pa.Table.from_pylist([row], schema=DECISIONS.schema)


def decide(ledger: pa.Table, *rows: dict[str, Any]) -> pa.Table:
    told = labels(*rows)
    found = investigated(told, snapshot(), load(), set())
    moved = decided_by_people(found.proposed, benign_snapshots(told), ledger, DAY, NOON)
    after = pa.concat_tables([ledger, moved])
    check_history(after)
    return after


def test_what_waits_for_review_is_proposed_on_the_route_of_people() -> None:
    action, _ = policy_actions(load())[POLICY]
    ledger = decide(waiting(action), *TWO)
    by_account = {row["account_id"]: row for row in current(ledger).to_pylist()}
    bot = by_account["bot"]
    assert (bot["decision_id"], bot["state"], bot["route"]) == ("d", "proposed", "investigated")
    assert bot["actor"] == "reviewer 1, reviewer 2"
    assert by_account["stolen"]["state"] == "proposed"
    assert decide(ledger, *TWO).num_rows == ledger.num_rows, "a rerun adds nothing"


def test_what_comes_back_to_review_waits_for_another_look() -> None:
    """A benign match may send it back; the verdicts from before must not propose it for ever."""
    ledger = decide(waiting("suspend"), *TWO)
    (bot,) = (row for row in current(ledger).to_pylist() if row["account_id"] == "bot")
    evening = NOON + timedelta(hours=6)
    back = pa.Table.from_pylist([bot], schema=DECISIONS.schema)
    back = moved(back, "in_review", by="benign", at=evening, actor="scoring", reason="a choir")
    ledger = pa.concat_tables([ledger, back])
    assert decide(ledger, *TWO).num_rows == ledger.num_rows, "nobody looked again"
    again = verdict("3", "reviewer 2", labelled_at=evening + timedelta(hours=1))
    assert decide(ledger, *TWO, again).num_rows == ledger.num_rows + 1


def test_what_was_looked_at_is_proposed_with_its_own_action() -> None:
    ledger = decide(waiting("terminate"), *TWO)
    (bot,) = (row for row in current(ledger).to_pylist() if row["account_id"] == "bot")
    assert (bot["state"], bot["action"]) == ("proposed", "terminate")


def test_what_people_call_benign_is_rejected_and_its_accounts_are_clear() -> None:
    benign = verdict("1", "reviewer 1", label="benign")
    ledger = decide(waiting("suspend"), benign)
    assert current(ledger).column("state").to_pylist() == ["rejected"]
    assert benign_accounts(labels(benign), snapshot()) == set(ROLES)
    assert agreed(labels(benign)) == {}
