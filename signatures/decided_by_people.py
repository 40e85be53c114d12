"""What people's verdicts move in the ledger of decisions, and what is told of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from signatures.decisions import DECISIONS
from signatures.investigated import REVIEWERS, Investigated, Row
from signatures.judged_members import KnownMember
from signatures.life_cycle import CLOSED, ENDED, current, moved, opened

CLEARED_BEFORE = "the account was cleared or called benign before: look at that first"
"""What the reviewers are told of an account that reaches only review."""


def decided_by_people(
    proposed: Sequence[Row],
    benign: set[tuple[str, str]],
    ledger: pa.Table,
    day: date,
    at: datetime,
) -> pa.Table:
    """The rows to append to DECISIONS for what reviewers decided; none in a rerun.

    `proposed` are rows of `investigated`, `benign` those of `benign_members`. What waits for review
    is proposed, with the action that was looked at, or rejected; what never was in review begins as
    proposed, and of a cleared account, or one that is innocently explained, in review. What was
    sent back to review waits for a verdict or an override given after that, and of a cleared
    account for two verdicts. What is explained moves in no way.
    """
    known = current(ledger).to_pylist()
    standing: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for decision in known:
        standing[decision["account_id"], decision["policy_id"]].append(decision)
    changes = [ledger.slice(0, 0)]
    begun: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in proposed:
        decisions = standing[row["account_id"], row["policy_id"]]
        under_way = [each for each in decisions if each["state"] not in CLOSED]
        waiting = [each for each in under_way if each["state"] == "in_review"]
        if waiting:
            looked_at = [each for each in waiting if _was_looked_at(each, row)]
            resting = [{**each, **_rests_on(each, row["known"])} for each in looked_at]
            changes.append(_moved(resting, "proposed", row["agreed"].reviewers, at))
        elif not under_way and not any(_is_in_the_way(each, row) for each in decisions):
            begun[tuple(row["agreed"].reviewers)].append(_begins(row, day))
    for reviewers, rows in sorted(begun.items()):
        actor = ", ".join(reviewers)
        changes.append(opened(rows, ledger, by="reviewers", at=at, actor=actor))
    rejected = [
        each
        for each in known
        if each["state"] == "in_review" and (each["snapshot_sha256"], each["account_id"]) in benign
    ]
    changes.append(_moved(rejected, "rejected", ["reviewers"], at))
    return pa.concat_tables(changes)


def _was_looked_at(decision: Row, row: Row) -> bool:
    """Whether nothing explains the account, and people spoke after its decision came to review."""
    return not row["known"].explanations and not _came_to_review_since(decision, row)


def _came_to_review_since(decision: Row, row: Row) -> bool:
    """Whether a decision came to review after these verdicts, which so are no look at it.

    Whoever overrode what explains the account looked at it, too.
    """
    if row["is_cleared"]:
        return bool(decision["state_at"] >= row["agreed"].both_at)
    judged_at = max(filter(None, (row["agreed"].last_at, row["known"].overridden_at)))
    return bool(decision["route"] == "investigated" and decision["state_at"] >= judged_at)


def _is_in_the_way(decision: Row, row: Row) -> bool:
    """Whether an earlier decision keeps the same from beginning; a cleared account has another."""
    over = row["is_cleared"] and decision["state"] in ENDED
    return bool(decision["action"] == row["action"] and not over)


def _rests_on(decision: Row, known: KnownMember) -> dict[str, Any]:
    """What guards look at, of a decision that people propose; what scoring wrote of it stays."""
    return {
        "signature_ids": decision["signature_ids"] or list(known.signature_ids),
        "market": decision["market"] or known.market,
        "overridden_signature_ids": list(known.overridden_signature_ids),
    }


def _moved(rows: Sequence[Row], after: str, reviewers: Sequence[str], at: datetime) -> pa.Table:
    told = {"proposed": "abusive", "rejected": "benign"}[after]
    route = {"route": "investigated"} if after == "proposed" else {}
    table = pa.Table.from_pylist([{**row, **route} for row in rows], schema=DECISIONS.schema)
    actor = ", ".join(reviewers)
    reason = f"reviewers call the snapshot {told}"
    return moved(table, after, by="reviewers", at=at, actor=actor, reason=reason)


def _begins(row: Row, day: date) -> dict[str, Any]:
    kept = ("account_id", "network_id", "snapshot_sha256", "action", "duration_s", "policy_id")
    known: KnownMember = row["known"]
    waits_for = [CLEARED_BEFORE] if row["is_cleared"] else []
    if known.explanations:
        waits_for += [
            f"an innocent explanation matches: {known.explained_by}",
            f"it is proposed once that is overridden by {known.way_out}",
        ]
    return {
        **{name: row[name] for name in kept},
        "route": "investigated",
        "subject_role": row["role"],
        "signature_ids": list(known.signature_ids),
        "overridden_signature_ids": list(known.overridden_signature_ids),
        "market": known.market,
        "ds": day,
        "state": "in_review" if waits_for else "proposed",
        "reason": "; ".join(["reviewers call the snapshot abusive", *waits_for]),
    }


def waiting_for_override(found: Investigated, ledger: pa.Table) -> dict[str, str]:
    """By account: what explains it, of those whose decision waits in review for an override.

    `ledger` has all rows up to now.
    """
    in_review = {
        (each["account_id"], each["policy_id"])
        for each in current(ledger).to_pylist()
        if each["state"] == "in_review"
    }
    return {
        row["account_id"]: row["known"].explained_by
        for row in found.proposed
        if row["known"].explanations and (row["account_id"], row["policy_id"]) in in_review
    }


def became_of(
    found: Investigated, moved: pa.Table, explained: Mapping[str, str] | None = None
) -> Iterator[str]:
    """What became of the networks that reviewers call abusive.

    `moved` has the rows of today, `explained` is what waiting_for_override says.
    """
    if found.networks:
        explained = explained or {}
        today = moved.select(["account_id", "state"]).to_pylist()
        now, in_review = (
            {row["account_id"] for row in today if row["state"] == state}
            for state in ("proposed", "in_review")
        )
        cleared = in_review - explained.keys()
        left_out = {
            **found.left_out,
            "cleared or called benign, and in review now": len(cleared),
            f"wait for an override of what explains them ({_titles(explained)})": len(explained),
            "decided on before": len(found.proposed) - len(now | cleared | explained.keys()),
        }
        yield (
            f"networks that {REVIEWERS} reviewers agree on: {found.networks}; accounts proposed: "
            f"{len(now)}; left out: {_counted(left_out)}"
        )
    if found.open:
        yield f"networks with a verdict that is no decision yet: {_counted(found.open)}"
    if found.alone:
        yield (
            f"accounts called abusive on their own: {found.alone}; this proposes nobody: two "
            "reviewers must judge them as members of a network"
        )


def _titles(explained: Mapping[str, str]) -> str:
    return "; ".join(sorted(set(explained.values())))


def _counted(counts: Mapping[str, int]) -> str:
    told = [f"{number} {reason}" for reason, number in sorted(counts.items()) if number]
    return "; ".join(told) or "none"
