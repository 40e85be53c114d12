"""From judged accounts to the ledger: which decisions begin today, and which move on.

Scoring proposes, or asks for review; it never decides. What it writes are transitions of the life
cycle (signatures/life_cycle.py), all rows of a day in memory: about 2 KB for each account that is
proposed or reviewed.
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from graph.profiles import STANDING
from signatures.decisions import DECISIONS
from signatures.ladder import LADDER, RESTRICTIONS, SECURE
from signatures.life_cycle import CLEARED, CLOSED, ENFORCED, current, moved, opened
from signatures.overrides import EXPLANATIONS

ACTOR = "score-networks"
"""Who is named in the ledger for what scoring does."""

RERUN = "a rerun of a day of which decisions have left already"
HELD_FOR_HIJACKED = "an earlier day held the account for hijacked"
"""Why an account that could be proposed goes to review."""

SAMPLED = "two reviewers call every account of a sample of the network abusive"
"""Why what waited for its large network to be sampled is proposed."""

NOT_FOUND_AGAIN = "the account is judged otherwise now"
"""Why what scoring proposed goes to review."""

FAVOURABLE = ("rejected", *CLEARED)
"""States after which an account is only judged on evidence that is new."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """One day's judged accounts and what is known of them from before.

    `accounts` are rows of accounts that are included or reviewed, or whose decision is proposed:
    account_id, network_id, snapshot_sha256, market, role, included, reviewed, network_explained,
    account_explained, the titles of what explains (overrides.EXPLANATIONS), action,
    declared_action, duration_s, policy_id, signature_id, cleared, called_benign,
    overridden_signature_ids, accepted_at and accepted_by (null: no sample of its
    large network was accepted), reasons, why. `evidence` has the JSON of accounts that were judged
    before, by snapshot and account; `benign` the snapshots on which reviewers called an account
    benign, by account.
    """

    day: date
    at: datetime
    accounts: Sequence[Row]
    ledger: pa.Table
    evidence: Mapping[tuple[str, str], str]
    benign: Mapping[str, Set[str]] = field(default_factory=dict)


@dataclass
class _Plan:
    favourable: Mapping[str, Set[str]]  # snapshots of decisions that ended so, by account
    opened: list[dict[str, Any]] = field(default_factory=list)
    superseded: list[Row] = field(default_factory=list)
    explained: dict[str, list[Row]] = field(default_factory=dict)  # by what explains them
    again: list[Row] = field(default_factory=list)
    accepted: dict[str, list[Row]] = field(default_factory=dict)  # by who judged the sample
    outdone: set[str] = field(default_factory=set)  # of these, by another action
    unconfirmed: list[Row] = field(default_factory=list)


def transitions(judged: Judged) -> pa.Table:
    """The rows to append to DECISIONS; none where a rerun finds what is there already.

    What scoring proposed and this day does not find again goes to review. A rerun of a day of which
    decisions have left sends there all else that it finds, too.
    """
    standing: dict[str, list[Row]] = defaultdict(list)
    known = current(judged.ledger).to_pylist()
    for decision in known:
        standing[decision["account_id"]].append(decision)
    plan = _Plan(favourable=_favourable(judged))
    left = has_left(judged.ledger, judged.day)
    for account in sorted(judged.accounts, key=lambda row: str(row["account_id"])):
        _plan(plan, account, standing[account["account_id"]], judged, left)
    plan.unconfirmed = _unconfirmed(plan, known, judged)
    accepted = [
        _moved(rows, "proposed", "reviewers", judged, SAMPLED, by_whom)
        for by_whom, rows in sorted(plan.accepted.items())
    ]
    outdone = [
        row for rows in accepted for row in rows.to_pylist() if row["decision_id"] in plan.outdone
    ]
    return pa.concat_tables(
        [
            opened(plan.opened, judged.ledger, by="scoring", at=judged.at, actor=ACTOR),
            _moved(plan.superseded, "superseded", "other_action", judged, "another action instead"),
            *(
                _moved(rows, "in_review", "benign", judged, why)
                for why, rows in sorted(plan.explained.items())
            ),
            _moved(plan.again, "proposed", "new_evidence", judged, "evidence that is new"),
            *accepted,
            _moved(outdone, "superseded", "other_action", judged, "another action instead"),
            _moved(plan.unconfirmed, "in_review", "guard", judged, NOT_FOUND_AGAIN),
        ]
    )


def has_left(ledger: pa.Table, day: date) -> bool:
    """Whether decisions of a day were released: what people signed and others have."""
    of_day = pc.equal(ledger.column("ds"), pa.scalar(day, pa.date32()))
    released = pc.equal(ledger.column("state"), "released")
    return bool(pc.any(pc.and_(of_day, released)).as_py())


def _favourable(judged: Judged) -> Mapping[str, Set[str]]:
    """All snapshots on which an account was rejected or cleared, whatever became of it since."""
    found = {name: set(snapshots) for name, snapshots in judged.benign.items()}
    for row in judged_before(judged.ledger).select(["account_id", "snapshot_sha256"]).to_pylist():
        found.setdefault(row["account_id"], set()).add(row["snapshot_sha256"])
    return found


def _unconfirmed(plan: _Plan, known: Sequence[Row], judged: Judged) -> list[Row]:
    """What scoring proposed and does not find any more: of this day, or in a network today.

    On a later day an account may be in no network, because its network rests: what was found of it
    then still stands.
    """
    found = {
        (row["account_id"], row["policy_id"], row["action"])
        for row in judged.accounts
        if row["included"]
    }
    judged_today = {row["account_id"] for row in judged.accounts}
    explained = itertools.chain.from_iterable(plan.explained.values())
    moved_on = {row["decision_id"] for row in (*plan.superseded, *explained)}
    return [
        row
        for row in known
        if (row["state"], row["route"]) == ("proposed", "calibrated")
        and (
            row["ds"] == judged.day
            or (row["ds"] < judged.day and row["account_id"] in judged_today)
        )
        and (row["account_id"], row["policy_id"], row["action"]) not in found
        and row["decision_id"] not in moved_on
    ]


def _plan(plan: _Plan, account: Row, of_account: Sequence[Row], judged: Judged, left: bool) -> None:
    if account["network_explained"] or account["account_explained"]:
        sent_back = [each for each in of_account if each["state"] == "proposed"]
        plan.explained.setdefault(_explained_because(account), []).extend(sent_back)
        return
    decisions = [each for each in of_account if each["policy_id"] == account["policy_id"]]
    proposed = [each for each in decisions if each["state"] == "proposed"]
    action = action_at_stake(account)
    if action is None:
        return
    same = [each for each in decisions if each["action"] == action]
    under_way = [each for each in decisions if each["state"] not in CLOSED]
    rejected = [each for each in same if each["state"] == "rejected"]
    # A superseded decision has ended and has no further episode.
    if any(each["state"] == "superseded" for each in same):
        return
    if not _anything_new(account, plan.favourable, judged):
        return
    may_be_proposed = account["included"] and not _is_cleared(account) and not left
    if may_be_proposed and not _held_for_hijacked(action, of_account):
        if rejected:
            plan.again += [{**row, **_subject(account, judged)} for row in rejected]
            return
        if waiting := [each for each in under_way if _waited_for_sample(each, account)]:
            _accept(plan, account, action, waiting, judged)
        elif len(proposed) == len(under_way) and not any(each in same for each in under_way):
            plan.superseded += proposed
            plan.opened.append(_row(account, action, "proposed", judged))
    elif not under_way and not rejected:
        why = HELD_FOR_HIJACKED if may_be_proposed else RERUN
        plan.opened.append(_row(account, action, "in_review", judged, why))


def _explained_because(account: Row) -> str:
    """Why what was proposed of an explained account goes to review, with what explains it."""
    titles = {title for name in EXPLANATIONS.values() for title in account[name]}
    return f"an innocent explanation matches: {', '.join(sorted(titles))}"


def _accept(plan: _Plan, account: Row, action: str, waiting: Sequence[Row], judged: Judged) -> None:
    """Propose what waited for a sample; where less than that is left, the lighter action instead.

    What drops a member of a large network is only looked at once its lot is accepted.
    """
    rows = [{**row, **_subject(account, judged)} for row in waiting]
    plan.accepted.setdefault(account["accepted_by"], []).extend(rows)
    if all(row["action"] != action for row in waiting):
        plan.outdone.update(row["decision_id"] for row in waiting)
        plan.opened.append(_row(account, action, "proposed", judged))


def _waited_for_sample(decision: Row, account: Row) -> bool:
    """Whether a decision came to review before two reviewers accepted the account's network."""
    at, waits = account["accepted_at"], decision["state"] == "in_review"
    return bool(waits and decision["route"] == "calibrated" and at and decision["state_at"] < at)


def _held_for_hijacked(action: str, decisions: Sequence[Row]) -> bool:
    """Whether a restriction would meet somebody who was, or may have been, a victim before.

    Where the hijacker stays, the days before the break leave the look-back.
    """
    held = any(each["action"] == SECURE and each["state"] != "rejected" for each in decisions)
    return held and action in RESTRICTIONS


def action_at_stake(account: Row) -> str | None:
    """What is proposed for an account that is included, or what a reviewer would decide on.

    None for who is neither, e.g. because no signature names its network: scoring has nothing to
    say of it, whatever people have proposed.
    """
    if account["included"]:
        return str(account["action"])
    if not account["reviewed"]:
        return None
    if account["role"] == "compromised":
        return SECURE
    declared = account["declared_action"]
    return declared if declared in LADDER else None


def _anything_new(account: Row, favourable: Mapping[str, Set[str]], judged: Judged) -> bool:
    """Whether an account that was rejected or cleared has evidence absent from what was judged."""
    name = account["account_id"]
    before = favourable.get(name, set())
    if not before and not _is_cleared(account):
        return True
    return _has_new(name, account["snapshot_sha256"], before, judged.evidence)


def _is_cleared(account: Row) -> bool:
    return bool(account["cleared"] or account["called_benign"])


def _has_new(
    name: str, snapshot: str, before: Set[str], evidence: Mapping[tuple[str, str], str]
) -> bool:
    def entities(snapshot: str) -> set[tuple[str, str, str]]:
        return _entities(evidence.get((snapshot, name)))

    return bool(entities(snapshot).difference(*map(entities, before)))


def with_new_evidence(looked_at: Iterable[tuple[str, str]], judged: Judged) -> set[tuple[str, str]]:
    """Of snapshots and accounts, those with evidence absent from what ended in their favour."""
    before = _favourable(judged)
    return {
        (snapshot, name)
        for snapshot, name in looked_at
        if _has_new(name, snapshot, before.get(name, set()), judged.evidence)
    }


def cleared_since(ledger: pa.Table, cleared: timedelta, now: datetime) -> dict[str, datetime]:
    """Accounts whose decision was overturned or taken back lately, and when the last one was.

    That is when people said so; that a reversal was carried out later says nothing new.
    """
    began: dict[str, datetime] = {}
    for row in ledger.filter(pc.is_in(ledger.column("state"), pa.array(CLEARED))).to_pylist():
        name, at = row["decision_id"], row["state_at"]
        began[name] = min(at, began.get(name, at))
    found: dict[str, datetime] = {}
    for row in current(ledger).to_pylist():
        if row["state"] in CLEARED and row["state_at"] + cleared > now:
            name, at = row["account_id"], began[row["decision_id"]]
            found[name] = max(at, found.get(name, at))
    return found


def _entities(evidence: str | None) -> set[tuple[str, str, str]]:
    if evidence is None:
        return set()
    return {
        (each["trace"], each["entity_type"], each["entity_id"])
        for each in json.loads(evidence)["for"]
    }


def _row(
    account: Row, action: str, state: str, judged: Judged, review: str = RERUN
) -> dict[str, Any]:
    why = account["why"] if state == "proposed" else account["reasons"] or [review]
    return {
        **_subject(account, judged),
        "account_id": account["account_id"],
        "route": "calibrated",
        "action": action,
        "policy_id": account["policy_id"],
        "state": state,
        "reason": "; ".join(why),
    }


def _subject(account: Row, judged: Judged) -> dict[str, Any]:
    """What a decision rests on, as the day has it."""
    return {
        "network_id": account["network_id"],
        "snapshot_sha256": account["snapshot_sha256"],
        "duration_s": account["duration_s"],
        "subject_role": account["role"],
        "signature_ids": [account["signature_id"]],
        "overridden_signature_ids": account["overridden_signature_ids"],
        "market": account["market"],
        "ds": judged.day,
    }


def judged_before(known: pa.Table) -> pa.Table:
    """Current rows of decisions that ended in favour of the account, or will."""
    return known.filter(pc.is_in(known.column("state"), pa.array(FAVOURABLE)))


def standing(ledger: pa.Table, cleared: timedelta) -> pa.Table:
    """What the ledger says of accounts: columns of graph.profiles.STANDING.

    Only decisions in force count as earlier ones; `cleared` is how long a reversal protects.
    """
    known = current(ledger)
    enforced = known.filter(pc.is_in(known.column("state"), pa.array(ENFORCED)))
    over = known.filter(pc.is_in(known.column("state"), pa.array(CLEARED)))
    counted = enforced.group_by("account_id").aggregate([([], "count_all")])
    until = over.group_by("account_id").aggregate([("state_at", "max")])
    joined = counted.join(until, keys="account_id", join_type="full outer")
    columns = [
        joined.column("account_id"),
        pc.fill_null(joined.column("count_all"), 0),
        pc.add(joined.column("state_at_max"), pa.scalar(cleared, pa.duration("us"))),
    ]
    return pa.Table.from_arrays(columns, names=STANDING.names).cast(STANDING)


def _moved(
    rows: Sequence[Row], after: str, by: str, judged: Judged, reason: str, actor: str = ACTOR
) -> pa.Table:
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=DECISIONS.schema)
    return moved(table, after, by=by, at=judged.at, actor=actor, reason=reason)
