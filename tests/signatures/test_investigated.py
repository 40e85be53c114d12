"""People decide by verdicts: two of them, on the same frozen members, under one policy."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from signatures.decided_by_people import became_of
from signatures.decisions import DECISIONS
from signatures.investigated import (
    Investigated,
    KeptOut,
    investigated,
    policy_actions,
)
from signatures.judged_members import JudgedMembers
from signatures.labels import LABELS, LabelRefused, check_labels, valid_labels
from signatures.loading import load
from signatures.snapshots import SNAPSHOTS
from signatures.verdict_standing import benign_accounts

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


TAKEOVER = next(
    each for each in load() if each.enforcement and each.enforcement.action == "secure_account"
)
MATCHES = {
    "network_id": "n",
    "market": "de",
    "signature_ids": [str(TAKEOVER.id)],
    "network_explanations": [],
    "account_explanations": [],
    "overridden_signature_ids": [],
    "overridden_at": None,
}


def found_on(day: date = DAY, **changed: Any) -> JudgedMembers:
    """What the tables of a day say of every member: a signature of takeovers names the network."""
    return JudgedMembers(DAY, {day: {name: MATCHES | changed for name in ROLES}})


def found(
    *rows: dict[str, Any],
    kept_out: KeptOut | None = None,
    members: JudgedMembers | None = None,
    frozen: pa.Table | None = None,
) -> Investigated:
    told, frozen = labels(*rows), frozen or snapshot()
    return investigated(told, frozen, load(), kept_out or KeptOut(), members or found_on())


def proposed(
    *rows: dict[str, Any],
    kept_out: KeptOut | None = None,
    members: JudgedMembers | None = None,
) -> dict[str, str]:
    called_benign = KeptOut(cleared=benign_accounts(labels(*rows), snapshot()))
    judged = found(*rows, kept_out=kept_out or called_benign, members=members)
    return {row["account_id"]: row["action"] for row in judged.proposed}


TWO = (verdict("1", "reviewer 1"), verdict("2", "reviewer 2"))


def test_two_reviewers_restrict_actors_and_secure_the_hijacked() -> None:
    action, _ = policy_actions(load())[POLICY]
    assert proposed(*TWO) == {"bot": action, "stolen": "secure_account"}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(TWO[:1], id="one reviewer"),
        pytest.param((TWO[0], verdict("2", "reviewer 1")), id="the same reviewer twice"),
        pytest.param((TWO[0], verdict("2", "Reviewer 1 ")), id="the same, spelled otherwise"),
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


def test_a_policy_is_one_policy_with_blanks_around_it() -> None:
    assert proposed(TWO[0], TWO[1] | {"policy_id": f"{POLICY} "}) == proposed(*TWO)


def test_whom_a_reviewer_calls_benign_is_kept_out_and_not_the_others() -> None:
    """A doubt of one member, by whomever, on the network or on the account, ends nothing else."""
    everybody = proposed(*TWO)
    for bystander in (
        verdict("3", "reviewer 2", label="benign", members=["guest"]),
        verdict("3", "reviewer 3", label="benign", subject_type="account", subject_id="guest"),
    ):
        assert proposed(*TWO, bystander) == everybody
    one = verdict("3", "reviewer 3", label="benign", members=["bot"])
    assert proposed(*TWO, one) == {"stolen": "secure_account"}


def test_accounts_that_are_judged_alone_are_told_to_propose_nobody() -> None:
    alone = {"subject_type": "account", "subject_id": "bot"}
    judged = found(*[row | alone for row in TWO])
    assert (judged.proposed, judged.alone) == ([], 1)
    (told,) = became_of(judged, DECISIONS.schema.empty_table())
    assert told.startswith("accounts called abusive on their own: 1; this proposes nobody")


def test_protected_accounts_stay_out() -> None:
    assert proposed(*TWO, kept_out=KeptOut(protected={"bot"})) == {"stolen": "secure_account"}


HOUR = timedelta(hours=1)


def cleared(after: timedelta = -HOUR, new: bool = True) -> KeptOut:
    """The bot was cleared so long after the verdicts; `new`: they rest on evidence that is new."""
    return KeptOut(cleared={"bot": NOON + after}, new={("frozen", "bot")} if new else set())


def test_a_cleared_account_is_judged_again_by_two_who_know_of_it_and_on_what_is_new() -> None:
    assert set(proposed(*TWO, kept_out=cleared())) == {"bot", "stolen"}
    assert set(proposed(*TWO, kept_out=cleared(new=False))) == {"stolen"}
    assert set(proposed(*TWO, kept_out=cleared(after=HOUR))) == {"stolen"}
    one_more = verdict("3", "reviewer 3", labelled_at=NOON + 2 * HOUR)
    assert set(proposed(*TWO, one_more, kept_out=cleared(after=HOUR))) == {"stolen"}
    again = verdict("4", "reviewer 1", labelled_at=NOON + 2 * HOUR)
    assert set(proposed(*TWO, one_more, again, kept_out=cleared(after=HOUR))) == {"bot", "stolen"}


def test_who_is_left_out_is_counted_with_the_reason() -> None:
    kept_out = KeptOut(protected={"stolen"}, cleared={"bot": NOON})
    judged = found(*TWO, kept_out=kept_out)
    assert (judged.networks, dict(judged.open)) == (1, {})
    assert judged.left_out == {
        "protected": 1,
        "cleared or called benign, and not judged by two since": 1,
        "of role target": 1,
        "of role bystander": 1,
    }


def test_an_unknown_role_and_a_policy_without_action_are_told() -> None:
    unknown = snapshot().set_column(4, "role", pa.nulls(4, pa.string()))
    judged = found(*TWO, frozen=unknown)
    assert judged.proposed == []
    assert judged.left_out == {"of unknown role: it was frozen without tables of its day": 4}
    of_nobody = [row | {"policy_id": "house_rules"} for row in TWO]
    judged = found(*of_nobody)
    assert judged.left_out["under policy house_rules, for which no signature has an action"] == 1


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
    judged = found(*rows)
    assert (judged.networks, dict(judged.open)) == (0, {why: 1})


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
