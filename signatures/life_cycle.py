"""The life of a decision: which state may follow which, and by what.

A ledger only grows: a decision moves by a new row with the next number. Whoever writes one makes it
here, so that no row stands in a ledger that the table of transitions does not allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from graph.canonical import canonical_sha256
from graph.engines.base import Engine
from graph.frames import DataFrame, F
from signatures.decisions import DECISIONS


@dataclass(frozen=True)
class Transition:
    """One row of the table: `before` is None for a new decision, `by` what may cause it."""

    before: str | None
    after: str
    by: tuple[str, ...]


TRANSITIONS = (
    Transition(None, "proposed", ("scoring", "reviewers", "partial")),
    Transition(None, "in_review", ("scoring", "reviewers", "partial")),
    Transition("in_review", "proposed", ("reviewers",)),
    Transition("in_review", "rejected", ("reviewers",)),
    Transition("proposed", "in_review", ("guard", "benign")),
    Transition("proposed", "superseded", ("other_action",)),
    Transition("proposed", "approved", ("approvals",)),
    Transition("approved", "released", ("release",)),
    Transition("approved", "proposed", ("void",)),
    Transition("released", "applied", ("receipt",)),
    Transition("released", "failed", ("receipt",)),
    Transition("released", "reversed", ("retraction",)),
    Transition("failed", "proposed", ("retry",)),
    Transition("applied", "expired", ("clock",)),
    Transition("applied", "appealed", ("appeal",)),
    Transition("applied", "reversed", ("retraction",)),
    Transition("upheld", "expired", ("clock",)),
    Transition("upheld", "appealed", ("appeal",)),
    Transition("upheld", "reversed", ("retraction",)),
    Transition("appealed", "upheld", ("appeal_outcome",)),
    Transition("appealed", "overturned", ("appeal_outcome",)),
    Transition("overturned", "reversed", ("receipt",)),
    Transition("rejected", "proposed", ("new_evidence",)),
)
"""DECISIONS, Life of a decision. Any other transition is an error."""

BY: Mapping[tuple[str | None, str], tuple[str, ...]] = {
    (each.before, each.after): each.by for each in TRANSITIONS
}

STATES = tuple(sorted({each.after for each in TRANSITIONS}))

ENFORCED = ("applied", "appealed", "upheld")
"""What receipts say is in force; having exported is not enough."""

STANDS = ("proposed", "approved", "released", "failed", *ENFORCED)
"""Proposed, on its way, or in force; with all others nothing happens unless a person decides it."""

WHY_NOT: Mapping[str, str] = {
    "in_review": "its decision waits for a reviewer",
    "rejected": "reviewers rejected its decision",
    "superseded": "another decision took the place of its own",
    "overturned": "its decision was overturned on appeal",
    "reversed": "its decision was taken back",
    "expired": "the action against it has expired",
}
"""Why an account is not proposed, by the state of its decision."""

CLEARED = ("overturned", "reversed")
"""After these an account reaches only review for a while."""

ENDED = ("reversed", "expired")
"""After these the same action against the same account is a new episode."""

CLOSED = ("rejected", "superseded", *ENDED)
"""Nothing is under way any more; a rejected decision may be proposed again on new evidence."""


PATH_BACK: Mapping[str, tuple[str, str]] = {
    "failed": ("proposed", "retry"),
    "approved": ("proposed", "void"),
    "proposed": ("in_review", "guard"),
    "in_review": ("rejected", "reviewers"),
}
"""How people end a decision that nobody carried out: the next state and by what, in order."""


class TransitionError(Exception):
    """A decision that would move in a way that its life does not have."""


def check_transition(before: str | None, after: str, by: str | None = None) -> None:
    """Pass a legal transition; raises TransitionError, naming what is legal, for any other.

    Where `by` is given, it must be one of the causes that the table has for it.
    """
    causes = BY.get((before, after))
    start = before or "(new)"
    if causes is None:
        legal = [each.after for each in TRANSITIONS if each.before == before]
        raise TransitionError(
            f"a decision cannot go from {start} to {after}: "
            f"it may go to {', '.join(legal) or 'nothing, it has ended'}"
        )
    if by is not None and by not in causes:
        raise TransitionError(
            f"a decision goes from {start} to {after} by {' or '.join(causes)}, not by {by}"
        )


def decision_id(account_id: str, policy_id: str, action: str, episode: int) -> str:
    """What a decision is called: the same tomorrow, in a rerun, and on another network's id."""
    return canonical_sha256(
        {"account_id": account_id, "action": action, "episode": episode, "policy_id": policy_id}
    )


def current(ledger: pa.Table) -> pa.Table:
    """The row of each decision that tells its state, in the order of decision_id."""
    if ledger.num_rows == 0:
        return ledger
    ordered = ledger.sort_by([("decision_id", "ascending"), ("number", "ascending")])
    ids = ordered.column("decision_id").combine_chunks()
    last = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1))
    return ordered.filter(pa.concat_arrays([last, pa.array([True])]))


def moved(
    rows: pa.Table,
    after: str,
    *,
    by: str,
    at: datetime,
    actor: str,
    reason: str | None,
    batch_id: str | None = None,
) -> pa.Table:
    """The rows to append when decisions move to a state; `rows` are their current ones.

    Without `batch_id` they keep the one that they have. Raises TransitionError, naming a decision,
    when one of them may not move so, or stands in `rows` twice.
    """
    _check_all(rows, after, by)
    count = rows.num_rows
    changed = {
        "number": pc.add(rows.column("number"), 1),
        "state": pa.repeat(pa.scalar(after), count),
        "state_at": pa.repeat(pa.scalar(at, DECISIONS.schema.field("state_at").type), count),
        "actor": pa.repeat(pa.scalar(actor), count),
        "reason": pa.repeat(pa.scalar(reason, pa.string()), count),
    }
    if batch_id is not None:
        changed["batch_id"] = pa.repeat(pa.scalar(batch_id), count)
    arrays = [changed.get(name, rows.column(name)) for name in DECISIONS.columns]
    return pa.Table.from_arrays(arrays, schema=DECISIONS.schema)


def _check_all(rows: pa.Table, after: str, by: str) -> None:
    for state in pc.unique(rows.column("state")).to_pylist():
        try:
            check_transition(state, after, by)
        except TransitionError as error:
            first = rows.filter(pc.equal(rows.column("state"), state)).column("decision_id")[0]
            raise TransitionError(f"decision {first}: {error}") from None
    if pc.count_distinct(rows.column("decision_id")).as_py() != rows.num_rows:
        raise TransitionError(f"a decision would move to {after} twice at once")


def opened(
    rows: Iterable[Mapping[str, object]], ledger: pa.Table, *, by: str, at: datetime, actor: str
) -> pa.Table:
    """The first rows of new decisions; `rows` have the columns from account_id to reason.

    The episode, decision_id and number are set here. Raises TransitionError for a state in which no
    decision begins, and for a decision that the ledger has already in this episode.
    """
    known = current(ledger)
    states = dict(
        zip(known.column("decision_id").to_pylist(), known.column("state").to_pylist(), strict=True)
    )
    ended = episodes_ended(known)
    made = []
    for row in rows:
        account, policy = str(row["account_id"]), str(row["policy_id"])
        check_transition(None, str(row["state"]), by)
        episode = ended.get((account, policy), 0) + 1
        name = decision_id(account, policy, str(row["action"]), episode)
        if name in states:
            raise TransitionError(f"decision {name} is {states[name]}: it cannot begin again")
        states[name] = str(row["state"])
        extra = {"decision_id": name, "number": 1, "episode": episode}
        made.append({**row, **extra, "state_at": at, "actor": actor, "batch_id": None})
    return pa.Table.from_pylist(made, schema=DECISIONS.schema)


def episodes_ended(known: pa.Table) -> dict[tuple[str, str], int]:
    """How many decisions of an account and policy were reversed or expired, of current rows."""
    over = known.filter(pc.is_in(known.column("state"), pa.array(ENDED)))
    counted = over.group_by(["account_id", "policy_id"]).aggregate([("episode", "max")])
    return {
        (row["account_id"], row["policy_id"]): row["episode_max"] for row in counted.to_pylist()
    }


def check_history(ledger: pa.Table) -> None:
    """Pass a ledger in which every decision's rows follow the table and are numbered 1, 2, ...

    Raises TransitionError, naming the decision and the number, for one that does not.
    """
    ordered = ledger.sort_by([("decision_id", "ascending"), ("number", "ascending")])
    before: tuple[str, int, str] | None = None
    for name, number, state in zip(
        *(ordered.column(key).to_pylist() for key in ("decision_id", "number", "state")),
        strict=True,
    ):
        first = before is None or before[0] != name
        if number != (1 if first or before is None else before[1] + 1):
            raise TransitionError(f"decision {name}: row {number} does not follow the one before")
        try:
            check_transition(None if first or before is None else before[2], state)
        except TransitionError as error:
            raise TransitionError(f"decision {name}, row {number}: {error}") from None
        before = (name, number, state)


def by_account(ledger: pa.Table) -> dict[str, dict[str, Any]]:
    """By account: the current row of its decision.

    Of several that which stands (STANDS), then the latest, then that of the smallest id.
    """
    rows = current(ledger).to_pylist()
    rows.sort(key=lambda row: row["decision_id"], reverse=True)
    rows.sort(key=lambda row: (row["state"] in STANDS, row["state_at"]))
    return {row["account_id"]: row for row in rows}


def current_frame(ledger: DataFrame) -> DataFrame:
    """The row of each decision that tells its state, on an engine."""
    last = ledger.groupBy("decision_id").agg(F.max("number").alias("number"))
    return ledger.join(last, on=["decision_id", "number"], how="inner")


def moved_frame(
    engine: Engine,
    rows: DataFrame,
    after: str,
    *,
    by: str,
    at: datetime,
    actor: str,
    reason: str | None,
    batch_id: str | None = None,
) -> DataFrame:
    """What `moved` makes of decisions, without bringing them together; one row a decision."""

    def move(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            table = pa.Table.from_batches([batch]).cast(DECISIONS.schema)
            found = moved(table, after, by=by, at=at, actor=actor, reason=reason, batch_id=batch_id)
            yield from found.to_batches()

    return engine.map_arrow(rows.select(*DECISIONS.columns), move, DECISIONS.schema)
