"""People decide by verdicts: two of them, on the same frozen members, under one policy."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from signatures.decided_by_people import became_of, decided_by_people, waiting_for_override
from signatures.decisions import DECISIONS
from signatures.investigated import (
    Investigated,
    KeptOut,
    agreed,
    benign_members,
    investigated,
    policy_actions,
)
from signatures.judged_members import JudgedMembers
from signatures.labels import LABELS, LabelRefused, check_labels, valid_labels
from signatures.life_cycle import check_history, current, moved
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


def decide(
    ledger: pa.Table,
    *rows: dict[str, Any],
    kept_out: KeptOut | None = None,
    members: JudgedMembers | None = None,
    at: datetime = NOON,
) -> pa.Table:
    judged = found(*rows, kept_out=kept_out, members=members)
    benign = benign_members(labels(*rows), snapshot())
    moved = decided_by_people(judged.proposed, benign, ledger, DAY, at)
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


def bot_in(ledger: pa.Table) -> dict[str, Any]:
    """The latest decision on the bot."""
    rows = [row for row in current(ledger).to_pylist() if row["account_id"] == "bot"]
    return max(rows, key=lambda row: row["episode"])


def test_a_cleared_account_that_waits_for_review_is_proposed_by_those_who_looked_then() -> None:
    """Scoring found something new, and sent it to review; the verdicts came after that."""
    later = [row | {"labelled_at": NOON + HOUR} for row in TWO]
    ledger = decide(waiting("suspend"), *later, kept_out=cleared())
    assert (bot_in(ledger)["state"], bot_in(ledger)["route"]) == ("proposed", "investigated")
    early = decide(waiting("suspend"), *TWO, kept_out=cleared())
    assert bot_in(early)["state"] == "in_review", "they looked before it came to review"


def test_a_cleared_account_that_nobody_sent_to_review_reaches_only_that() -> None:
    action, _ = policy_actions(load())[POLICY]
    over = pa.Table.from_pylist(
        [waiting(action).to_pylist()[0] | {"state": "reversed"}], schema=DECISIONS.schema
    )
    known = KeptOut(cleared={"bot": NOON - HOUR}, new={("frozen", "bot")})
    judged = found(*TWO, kept_out=known)
    begun = decided_by_people(judged.proposed, set(), over, DAY, NOON + HOUR)
    ledger = pa.concat_tables([over, begun])
    assert (bot_in(ledger)["state"], bot_in(ledger)["episode"]) == ("in_review", 2)
    assert "look at that first" in bot_in(ledger)["reason"]
    assert "1 cleared or called benign, and in review now" in "".join(became_of(judged, begun))
    rerun = decided_by_people(judged.proposed, set(), ledger, DAY, NOON + 2 * HOUR)
    assert rerun.num_rows == 0, "the same verdicts are no second look"


def test_what_was_looked_at_is_proposed_with_its_own_action() -> None:
    ledger = decide(waiting("terminate"), *TWO)
    (bot,) = (row for row in current(ledger).to_pylist() if row["account_id"] == "bot")
    assert (bot["state"], bot["action"]) == ("proposed", "terminate")


def test_what_people_call_benign_is_rejected_and_its_accounts_are_clear() -> None:
    benign = verdict("1", "reviewer 1", label="benign")
    ledger = decide(waiting("suspend"), benign)
    assert current(ledger).column("state").to_pylist() == ["rejected"]
    assert set(benign_accounts(labels(benign), snapshot())) == set(ROLES)
    assert agreed(labels(benign)) == {}


def test_a_benign_verdict_on_some_members_rejects_theirs_alone() -> None:
    guest = verdict("1", "reviewer 1", label="benign", members=["guest"])
    assert current(decide(waiting("suspend"), guest)).column("state").to_pylist() == ["in_review"]
    bot = verdict("1", "reviewer 1", label="benign", members=["bot"])
    assert current(decide(waiting("suspend"), bot)).column("state").to_pylist() == ["rejected"]


def test_nobody_is_held_for_hijacked_by_a_role_alone() -> None:
    """A long-standing account that took up the others' devices is not locked out for that."""
    unnamed = found_on(signature_ids=[])
    judged = found(*TWO, members=unnamed)
    assert {row["account_id"] for row in judged.proposed} == {"bot"}
    (why,) = (reason for reason in judged.left_out if "hijacked" in reason)
    assert why == (
        "hijacked by its role, and neither policy inauthentic_accounts nor a signature that "
        "matches speaks of account takeovers"
    )
    security = [row | {"policy_id": "account_security"} for row in TWO]
    assert proposed(*security, members=unnamed) == {"stolen": "secure_account"}


def test_a_decision_of_people_has_the_market_and_the_signatures_of_the_day_that_they_judged() -> (
    None
):
    begun = current(decide(DECISIONS.schema.empty_table(), *TWO)).to_pylist()
    assert {row["account_id"] for row in begun} == {"bot", "stolen"}
    for row in begun:
        assert (row["market"], row["signature_ids"]) == ("de", [str(TAKEOVER.id)])
    kept = bot_in(decide(waiting("suspend"), *TWO))
    assert (kept["market"], kept["signature_ids"]) == ("de", ["s"]), "what scoring wrote stays"


EXPLAINED = found_on(network_explanations=["Fan community"])
NOTHING = DECISIONS.schema.empty_table()


@pytest.mark.parametrize(
    "members",
    [EXPLAINED, found_on(account_explanations=["Fan community"])],
    ids=["its network", "the account"],
)
def test_what_is_innocently_explained_waits_for_an_override(members: JudgedMembers) -> None:
    ledger = decide(NOTHING, *TWO, members=members)
    assert {row["state"] for row in ledger.to_pylist()} == {"in_review"}
    reason = bot_in(ledger)["reason"]
    assert "an innocent explanation matches: Fan community" in reason
    assert "`actorgraph signatures override 'Fan community' --" in reason
    assert reason.endswith("--ds 2026-11-22`")
    rerun = decide(ledger, *TWO, members=members, at=NOON + HOUR)
    assert rerun.num_rows == ledger.num_rows, "however often scoring runs"
    again = [verdict(each, f"reviewer {each}", labelled_at=NOON + HOUR) for each in "34"]
    assert decide(rerun, *TWO, *again, members=members).num_rows == ledger.num_rows


def test_so_does_what_waits_for_review_already() -> None:
    ledger = decide(waiting("suspend"), *TWO, members=EXPLAINED)
    assert bot_in(ledger)["state"] == "in_review"
    assert bot_in(ledger)["number"] == 1


def test_once_it_is_overridden_the_next_scoring_proposes_it_and_says_what_it_rests_on() -> None:
    ledger = decide(NOTHING, *TWO, members=EXPLAINED)
    overridden = {"overridden_signature_ids": ["fans"], "overridden_at": NOON + HOUR}
    after = decide(ledger, *TWO, members=found_on(**overridden), at=NOON + 2 * HOUR)
    assert (bot_in(after)["state"], bot_in(after)["number"]) == ("proposed", 2)
    assert bot_in(after)["overridden_signature_ids"] == ["fans"]
    back = moved(current(after), "in_review", by="benign", at=NOON + 3 * HOUR, actor="scoring",
                 reason="another explains it")  # fmt: skip
    after = pa.concat_tables([after, back])
    waits = decide(after, *TWO, members=found_on(**overridden), at=NOON + 4 * HOUR)
    assert bot_in(waits)["state"] == "in_review", "an older override is no look at what came later"
    overridden["overridden_at"] = NOON + 5 * HOUR
    again = decide(waits, *TWO, members=found_on(**overridden), at=NOON + 6 * HOUR)
    assert bot_in(again)["state"] == "proposed"


def test_what_was_overridden_before_the_verdicts_is_proposed_at_once() -> None:
    overridden = found_on(overridden_signature_ids=["fans"], overridden_at=NOON - HOUR)
    bot = bot_in(decide(NOTHING, *TWO, members=overridden))
    assert (bot["state"], bot["overridden_signature_ids"]) == ("proposed", ["fans"])


def test_an_explanation_of_the_judged_day_and_one_of_today_both_hold() -> None:
    """Else it would depend on the day of the next scoring whether an innocent network is hit."""
    tomorrow = DAY + timedelta(days=1)
    nothing = {name: MATCHES for name in ROLES}
    fans = {name: MATCHES | {"network_explanations": ["Fan community"]} for name in ROLES}
    for by_day in ({DAY: fans}, {DAY: fans, tomorrow: nothing}, {DAY: nothing, tomorrow: fans}):
        members = JudgedMembers(tomorrow, by_day)
        assert bot_in(decide(NOTHING, *TWO, members=members))["state"] == "in_review"
    both = JudgedMembers(tomorrow, {DAY: fans, tomorrow: fans})
    reason = bot_in(decide(NOTHING, *TWO, members=both))["reason"]
    assert reason.count("signatures override") == 1 and reason.endswith("2026-11-23`")


def test_an_override_in_another_network_is_not_what_a_decision_rests_on() -> None:
    moved_on = {"overridden_signature_ids": ["fans"], "overridden_at": NOON, "network_id": "other"}
    bot = bot_in(decide(NOTHING, *TWO, members=found_on(**moved_on)))
    assert bot["overridden_signature_ids"] == []


def test_how_many_wait_for_an_override_is_told() -> None:
    judged = found(*TWO, members=EXPLAINED)
    begun = decided_by_people(judged.proposed, set(), NOTHING, DAY, NOON)
    explained = waiting_for_override(judged, begun)
    assert explained == dict.fromkeys(("bot", "stolen"), "Fan community")
    (told,) = became_of(judged, begun, explained)
    assert "accounts proposed: 0" in told
    assert "2 wait for an override of what explains them (Fan community)" in told
    assert "decided on before" not in told
