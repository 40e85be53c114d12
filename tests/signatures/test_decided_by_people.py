"""What people's verdicts move in the ledger of decisions, and what waits for an override."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from signatures.decided_by_people import became_of, decided_by_people, waiting_for_override
from signatures.decisions import DECISIONS
from signatures.investigated import (
    KeptOut,
    agreed,
    benign_members,
    policy_actions,
)
from signatures.judged_members import JudgedMembers
from signatures.life_cycle import check_history, current, moved
from signatures.loading import load
from signatures.verdict_standing import benign_accounts
from tests.signatures.test_investigated import (
    DAY,
    HOUR,
    MATCHES,
    NOON,
    POLICY,
    ROLES,
    TAKEOVER,
    TWO,
    cleared,
    found,
    found_on,
    labels,
    proposed,
    snapshot,
    verdict,
)


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


def test_a_decision_rests_on_an_override_in_another_network_of_the_account_as_well() -> None:
    """Without it the explanation would stand there, so its withdrawal must stop the batch."""
    moved_on = {"overridden_signature_ids": ["fans"], "overridden_at": NOON, "network_id": "other"}
    bot = bot_in(decide(NOTHING, *TWO, members=found_on(**moved_on)))
    assert (bot["state"], bot["overridden_signature_ids"]) == ("proposed", ["fans"])


def test_how_many_wait_for_an_override_is_told() -> None:
    judged = found(*TWO, members=EXPLAINED)
    begun = decided_by_people(judged.proposed, set(), NOTHING, DAY, NOON)
    explained = waiting_for_override(judged, begun)
    assert explained == dict.fromkeys(("bot", "stolen"), "Fan community")
    (told,) = became_of(judged, begun, explained)
    assert "accounts proposed: 0" in told
    assert "2 wait for an override of what explains them (Fan community)" in told
    assert "decided on before" not in told
