"""Decisions move as the table of DECISIONS.md says, and in no other way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signatures.decisions import DECISIONS
from signatures.life_cycle import (
    STATES,
    TRANSITIONS,
    TransitionError,
    check_history,
    check_transition,
    current,
    decision_id,
    moved,
    opened,
)

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)

PAGE = """
    (new): proposed in_review
    in_review: proposed rejected
    proposed: in_review superseded approved
    approved: released proposed
    released: applied failed reversed
    failed: proposed
    applied: expired appealed reversed
    upheld: expired appealed reversed
    appealed: upheld overturned
    overturned: reversed
    rejected: proposed
"""
"""The table as the design has it, copied by hand: the oracle."""

LEGAL = {
    (None if before.strip() == "(new)" else before.strip(), after)
    for before, afters in (line.split(":") for line in PAGE.strip().splitlines())
    for after in afters.split()
}


def wanted(account: str = "a1", state: str = "proposed", **other: Any) -> dict[str, Any]:
    """A new decision's row as its maker gives it."""
    return {
        "account_id": account,
        "network_id": "n1",
        "snapshot_sha256": "0" * 64,
        "route": "calibrated",
        "action": "suspend",
        "duration_s": None,
        "policy_id": "spam.v1",
        "subject_role": "actor",
        "signature_ids": ["s1"],
        "market": "de",
        "ds": date(2026, 11, 22),
        "state": state,
        "reason": "because",
        **other,
    }


def open_one(ledger: pa.Table, **other: Any) -> pa.Table:
    return opened([wanted(**other)], ledger, by="scoring", at=AT, actor="score_networks")


NOTHING = DECISIONS.schema.empty_table()


def move(ledger: pa.Table, after: str, by: str) -> pa.Table:
    """The ledger after its only decision moved."""
    rows = moved(current(ledger), after, by=by, at=AT, actor="somebody", reason=None)
    return pa.concat_tables([ledger, rows])


@pytest.mark.parametrize("before", [None, *STATES])
@pytest.mark.parametrize("after", STATES)
def test_exactly_the_transitions_of_the_table_are_legal(before: str | None, after: str) -> None:
    if (before, after) in LEGAL:
        check_transition(before, after)
    else:
        with pytest.raises(TransitionError):
            check_transition(before, after)


def test_a_transition_has_its_causes() -> None:
    check_transition("released", "applied", "receipt")
    with pytest.raises(TransitionError, match="by receipt, not by clock"):
        check_transition("released", "applied", "clock")


def test_an_illegal_transition_says_what_is_legal() -> None:
    with pytest.raises(TransitionError, match="from failed to applied: it may go to proposed"):
        check_transition("failed", "applied")
    with pytest.raises(TransitionError, match="nothing, it has ended"):
        check_transition("reversed", "proposed")


def test_a_decision_is_called_the_same_in_a_rerun_and_in_another_network() -> None:
    first, again = open_one(NOTHING), open_one(NOTHING, network_id="n2")
    assert first.column("decision_id") == again.column("decision_id")
    assert first.column("decision_id")[0].as_py() == decision_id("a1", "spam.v1", "suspend", 1)


def test_a_decision_cannot_begin_twice() -> None:
    with pytest.raises(TransitionError, match="is proposed: it cannot begin again"):
        open_one(open_one(NOTHING))


@pytest.mark.parametrize(
    ("path", "episode"),
    [
        ([("approved", "approvals"), ("released", "release"), ("reversed", "retraction")], 2),
        (
            [
                ("approved", "approvals"),
                ("released", "release"),
                ("applied", "receipt"),
                ("expired", "clock"),
            ],
            2,
        ),
    ],
)
def test_the_episode_rises_after_a_reversal_or_an_expiry(
    path: list[tuple[str, str]], episode: int
) -> None:
    ledger = open_one(NOTHING)
    for after, by in path:
        with pytest.raises(TransitionError):
            open_one(ledger)
        ledger = move(ledger, after, by)
    assert open_one(ledger).column("episode").to_pylist() == [episode]
    assert open_one(ledger, policy_id="other").column("episode").to_pylist() == [1]


def test_a_move_keeps_everything_but_its_own_columns() -> None:
    ledger = move(open_one(NOTHING), "approved", "approvals")
    first, second = ledger.to_pylist()
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"number", "state", "actor", "reason"}
    assert (second["number"], second["batch_id"]) == (2, None)


def test_one_illegal_move_refuses_all() -> None:
    two = pa.concat_tables([open_one(NOTHING), open_one(NOTHING, account="a2", state="in_review")])
    with pytest.raises(TransitionError, match=r"^decision [0-9a-f]{64}: .* from in_review"):
        moved(two, "approved", by="approvals", at=AT, actor="x", reason=None)
    with pytest.raises(TransitionError, match="twice at once"):
        moved(pa.concat_tables([two.slice(0, 1)] * 2), "approved", by="approvals", at=AT, actor="x",
              reason=None)  # fmt: skip


MOVES = st.sampled_from([(each.after, by) for each in TRANSITIONS for by in each.by])
WILD = st.tuples(st.sampled_from(STATES), st.sampled_from([by for t in TRANSITIONS for by in t.by]))
ATTEMPTS = st.lists(
    st.tuples(st.sampled_from(["a1", "a2"]), MOVES | WILD, st.booleans()), max_size=60
)


Attempt = tuple[str, tuple[str, str], bool]


@given(ATTEMPTS)
def test_no_attempts_write_a_life_outside_the_table(
    attempts: list[Attempt],
) -> None:
    ledger = NOTHING
    for each in attempts:
        ledger = pa.concat_tables([ledger, attempt(ledger, *each)])
    lives: dict[str, list[str | None]] = {}
    for row in ledger.to_pylist():
        life = lives.setdefault(row["decision_id"], [None])
        assert row["number"] == len(life)
        life.append(row["state"])
    for life in lives.values():
        assert set(pairwise(life)) <= LEGAL
    check_history(ledger)


def attempt(ledger: pa.Table, account: str, move: tuple[str, str], begin: bool) -> pa.Table:
    """What an attempt adds to the ledger: nothing where it is refused."""
    state, cause = move
    act: Callable[[], pa.Table]
    if begin:
        row = wanted(account, state)
        act = lambda: opened([row], ledger, by=cause, at=AT, actor="x")  # noqa: E731
    else:
        known = current(ledger)
        mine = pa.Table.from_pylist(
            [row for row in known.to_pylist() if row["account_id"] == account], DECISIONS.schema
        )
        act = lambda: moved(mine, state, by=cause, at=AT, actor="x", reason=None)  # noqa: E731
    try:
        return act()
    except TransitionError:
        return NOTHING


@given(ATTEMPTS, st.randoms())
def test_the_current_row_is_the_last_whatever_the_order_of_rows(
    attempts: list[Attempt], random: Any
) -> None:
    ledger = NOTHING
    last: dict[str, dict[str, Any]] = {}
    for each in attempts:
        rows = attempt(ledger, *each)
        last.update({row["decision_id"]: row for row in rows.to_pylist()})
        ledger = pa.concat_tables([ledger, rows])
    order = list(range(ledger.num_rows))
    random.shuffle(order)
    found = current(ledger.take(pa.array(order, pa.int64())))
    assert found.to_pylist() == [last[name] for name in sorted(last)]


@pytest.mark.parametrize("harm", ["skip a state", "skip a number", "begin in the middle"])
def test_a_ledger_that_was_tampered_with_is_found(harm: str) -> None:
    ledger = move(move(open_one(NOTHING), "approved", "approvals"), "released", "release")
    rows = ledger.to_pylist()
    if harm == "skip a state":
        rows[1]["state"] = "applied"
    elif harm == "skip a number":
        rows[2]["number"] = 4
    else:
        del rows[0]
    with pytest.raises(TransitionError, match=rows[0]["decision_id"]):
        check_history(pa.Table.from_pylist(rows, DECISIONS.schema))
