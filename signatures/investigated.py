"""The investigated route: people decided, by verdicts on the same frozen members.

Two different reviewers who call the same snapshot abusive under the same policy propose its actors,
and its hijacked accounts where they or a signature speak of account takeovers. It needs no
signature and no calibration, because one-off operations never have a sample (DECISIONS, Route);
every guard and cap applies to it as well, and so does an innocent explanation that nobody overrode
by name. What becomes of it in the ledger is in signatures/decided_by_people.py.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from graph.people import person_key
from signatures.judged_members import JudgedMembers
from signatures.ladder import LADDER, SECURE
from signatures.model import Signature
from signatures.verdict_standing import said_in_snapshots

REVIEWERS = 2

COMPROMISED = "compromised"

UNNAMED_TAKEOVER = (
    "hijacked by its role, and neither policy {} nor a signature that matches speaks of account "
    "takeovers"
)
"""Why a network's hijacked account is not secured: to lock somebody out takes more than a role."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Agreed:
    """What reviewers agree on of a snapshot.

    members: those meant by all; None for all of them. last_at is when the last verdict was given,
    both_at since when enough different reviewers have given one.
    """

    policy_id: str
    reviewers: list[str]
    members: set[str] | None
    last_at: datetime
    both_at: datetime


@dataclass(frozen=True)
class KeptOut:
    """Whom verdicts do not simply propose.

    protected: nobody acts on them. cleared: when people last decided or said something in their
    favour; they reach only review, by verdicts given after that on evidence that is new. new: the
    snapshots and accounts with such evidence.
    """

    protected: Set[str] = frozenset()
    cleared: Mapping[str, datetime] = field(default_factory=dict)
    new: Set[tuple[str, str]] = frozenset()

    def reason(self, account: str, snapshot: str, agreed: Agreed) -> str | None:
        """Why these verdicts move nothing for an account; None where they may."""
        if account in self.protected:
            return "protected"
        if account not in self.cleared:
            return None
        if agreed.both_at <= self.cleared[account]:
            return "cleared or called benign, and not judged by two since"
        if (snapshot, account) not in self.new:
            return "cleared or called benign, and judged on nothing new"
        return None


@dataclass(frozen=True)
class Investigated:
    """What the route proposes, and what it leaves out.

    proposed: rows as decided_by_people takes them, one an account and policy. networks: how many
    snapshots reviewers agree on. left_out: how many of their accounts are not proposed, by reason.
    open: how many snapshots somebody calls abusive and nobody can act on yet, by reason. alone: how
    many accounts are called abusive under a policy without their network, which proposes nobody.
    """

    proposed: list[dict[str, Any]]
    networks: int
    left_out: Mapping[str, int]
    open: Mapping[str, int]
    alone: int


def policy_actions(library: Sequence[Signature]) -> dict[str, tuple[str, int | None]]:
    """The action and duration (seconds; None: indefinite) that each policy stands for.

    Of several signatures of one policy the lightest action counts, then the shortest duration.
    """
    actions: dict[str, tuple[str, int | None]] = {}
    for each in library:
        given = each.enforcement
        if given is None or given.action == SECURE:
            continue
        duration = None if given.duration is None else given.duration // 1_000_000
        found = (given.action, duration)
        known = actions.get(given.policy_id)
        if known is None or _weight(found) < _weight(known):
            actions[given.policy_id] = found
    return actions


@dataclass(frozen=True)
class Takeovers:
    """What speaks of account takeovers: the signatures that secure accounts, and their policies."""

    policies: Set[str]
    signature_ids: Set[str]

    @classmethod
    def of(cls, library: Sequence[Signature]) -> Takeovers:
        """Those of a library."""
        securing = {
            str(each.id): each.enforcement.policy_id
            for each in library
            if each.enforcement is not None and each.enforcement.action == SECURE
        }
        return cls(set(securing.values()), securing.keys())

    def named(self, policy_id: str, signature_ids: Iterable[str]) -> bool:
        """Whether a policy, or a signature that matches a network, says that it takes accounts."""
        return policy_id in self.policies or not self.signature_ids.isdisjoint(signature_ids)


def _weight(action: tuple[str, int | None]) -> tuple[int, float]:
    name, duration = action
    return LADDER.index(name), float("inf") if duration is None else duration


def agreed(labels: pa.Table) -> dict[str, Agreed]:
    """What is agreed on of snapshots that two reviewers call abusive.

    `labels` are those that hold (labels.valid_labels). A snapshot that anybody calls benign as a
    whole is not agreed upon, nor one with two policies: both go to review. Whom a verdict on some
    members calls benign is still among its members.
    """
    found = {}
    for snapshot, rows in _by_snapshot(labels).items():
        if _open_because(rows) is None:
            abusive = _abusive(rows)
            last: dict[str, datetime] = {}
            for row in abusive:
                given, by = row["labelled_at"], person_key(row["reviewer"])
                last[by] = max(given, last.get(by, given))
            times = sorted(last.values(), reverse=True)
            (policy,) = _policies(abusive)
            found[snapshot] = Agreed(
                policy,
                _reviewers(abusive),
                _members(abusive),
                last_at=times[0],
                both_at=times[REVIEWERS - 1],
            )
    return found


def _by_snapshot(labels: pa.Table) -> dict[str, list[Row]]:
    """The verdicts on snapshots that somebody calls abusive, in the order of the snapshots."""
    verdicts: dict[str, list[Row]] = defaultdict(list)
    for row in labels.to_pylist():
        if row["subject_type"] == "network" and row["snapshot_sha256"]:
            verdicts[row["snapshot_sha256"]].append(row)
    called = {name for name, rows in verdicts.items() if any(map(_is_abusive, rows))}
    return {name: rows for name, rows in sorted(verdicts.items()) if name in called}


def _is_abusive(row: Row) -> bool:
    return bool(row["label"] == "abusive")


def _abusive(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if _is_abusive(row) and (row["policy_id"] or "").strip()]


def _policies(abusive: Iterable[Row]) -> set[str]:
    return {row["policy_id"].strip() for row in abusive}


def _reviewers(rows: Iterable[Row]) -> list[str]:
    """The people who gave verdicts, each once, however they spell their names."""
    spelled = sorted((row["reviewer"].strip() for row in rows), reverse=True)
    return sorted({person_key(name): name for name in spelled}.values())


def _open_because(rows: Sequence[Row]) -> str | None:
    """Why the verdicts on a snapshot are no decision yet; None when they are one."""
    abusive = _abusive(rows)
    if any(row["label"] == "benign" and not row["members"] for row in rows):
        return "a reviewer calls it benign"
    if not abusive:
        return "no verdict names a policy"
    if len(_policies(abusive)) > 1:
        return "reviewers name different policies"
    if len(_reviewers(abusive)) < REVIEWERS:
        return "one reviewer calls these members abusive under a policy, another must"
    return None


def _members(rows: Iterable[Row]) -> set[str] | None:
    named = [set(row["members"]) for row in rows if row["members"]]
    return set.intersection(*named) if named else None


def benign_members(labels: pa.Table, snapshots: pa.Table) -> set[tuple[str, str]]:
    """Snapshot and account of members whom a reviewer calls benign there and nobody abusive."""
    said = said_in_snapshots(labels, snapshots)
    return {key for key, words in said.items() if "benign" in words and "abusive" not in words}


def investigated(
    labels: pa.Table,
    snapshots: pa.Table,
    library: Sequence[Signature],
    kept_out: KeptOut,
    members: JudgedMembers,
) -> Investigated:
    """What the route proposes, and why it leaves out others.

    `snapshots` has SNAPSHOTS' columns, `members` what tables say of their accounts. Only actors are
    restricted, and only hijacked accounts secured, of a network that the reviewers' policy or a
    signature names as one of account takeovers.
    """
    actions, takeovers = policy_actions(library), Takeovers.of(library)
    proposed = {}
    left_out: Counter[str] = Counter()
    decided = agreed(labels)
    for row in snapshots.to_pylist():
        if row["snapshot_sha256"] not in decided:
            continue
        found = decided[row["snapshot_sha256"]]
        policy = found.policy_id
        known = members.of(row)
        action, duration = _action(
            row["role"], actions.get(policy), takeovers.named(policy, known.signature_ids)
        )
        reason = kept_out.reason(row["account_id"], row["snapshot_sha256"], found)
        if reason is not None:
            left_out[reason] += 1
        elif found.members is not None and row["account_id"] not in found.members:
            left_out["not meant by all reviewers"] += 1
        elif row["role"] is None:
            left_out["of unknown role: it was frozen without tables of its day"] += 1
        elif row["role"] == "actor" and action is None:
            left_out[f"under policy {policy}, for which no signature has an action"] += 1
        elif row["role"] == COMPROMISED and action is None:
            left_out[UNNAMED_TAKEOVER.format(policy)] += 1
        elif action is None:
            left_out[f"of role {row['role']}"] += 1
        else:
            proposed[row["account_id"], policy] = {
                **row,
                "action": action,
                "duration_s": duration,
                "policy_id": policy,
                "agreed": found,
                "known": known,
                "is_cleared": row["account_id"] in kept_out.cleared,
            }
    waiting = Counter(filter(None, map(_open_because, _by_snapshot(labels).values())))
    return Investigated(
        [proposed[key] for key in sorted(proposed)], len(decided), left_out, waiting, _alone(labels)
    )


def _alone(labels: pa.Table) -> int:
    """How many accounts a verdict calls abusive under a policy, of whatever network."""
    rows = [row for row in labels.to_pylist() if row["source"] == "investigation"]
    named = {row["subject_id"] for row in _abusive(rows) if row["subject_type"] == "account"}
    return len(named)


def _action(
    role: str | None, of_policy: tuple[str, int | None] | None, is_takeover: bool
) -> tuple[str | None, int | None]:
    if role == COMPROMISED and is_takeover:
        return SECURE, None
    if role == "actor" and of_policy is not None:
        return of_policy
    return None, None
