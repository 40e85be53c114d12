"""What verdicts that hold say of each account: the rule for joiners, mergers and splits.

A verdict binds the members of its moment and goes where they go. So after a merge or a split each
account keeps what was said of it, and who joined later is unreviewed (DECISIONS, Verdicts and
labels).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from graph.tables import TIMESTAMP
from signatures.labels import valid_labels
from signatures.life_cycle import CLEARED, by_account
from signatures.roles import ACTOR

BENIGN_HOLDS = timedelta(days=90)
"""How long a benign verdict holds that says nothing of its end: accounts change hands.

Whom it calls benign is cleared for longer (proposals.cleared, `clearing_verdicts`).
"""

UNREVIEWED, MIXED, REVERSED = "unreviewed", "mixed", "reversed"

ACCOUNT_VERDICTS = pa.schema([("account_id", pa.string()), ("verdict", pa.string())])
"""Accounts of which a verdict that holds says something, and what: see `account_verdicts`."""


def standing_verdicts(labels: pa.Table, at: datetime) -> pa.Table:
    """The labels that still say something of their subjects at a time; both have LABELS' columns.

    `labels` are those that hold then (labels.valid_labels). To measure, an older benign one of a
    sample counts all the same: what was drawn then was benign.
    """
    ends = pc.is_valid(labels.column("expires_at"))
    recent = pc.greater(labels.column("labelled_at"), pa.scalar(at - BENIGN_HOLDS, TIMESTAMP))
    other = pc.not_equal(labels.column("label"), "benign")
    return labels.filter(pc.or_(other, pc.or_(ends, recent)))


def clearing_verdicts(labels: pa.Table, at: datetime, cleared: timedelta) -> pa.Table:
    """The benign verdicts that still clear whom they are about; both have LABELS' columns.

    Each does so for `cleared` (proposals.cleared) from the day it was given, and until the end that
    it names where that is later, unless it was withdrawn or replaced. `labels` is the whole ledger.
    """
    moment = pa.scalar(at, TIMESTAMP)
    endless = pa.nulls(labels.num_rows, TIMESTAMP)
    place = labels.schema.get_field_index("expires_at")
    kept = labels.set_column(place, "expires_at", endless)
    kept = kept.append_column("ends", labels.column("expires_at"))
    given = valid_labels(kept, at)
    recent = pc.greater(given.column("labelled_at"), pa.scalar(at - cleared, TIMESTAMP))
    holds = pc.fill_null(pc.greater(given.column("ends"), moment), False)
    benign = pc.equal(given.column("label"), "benign")
    return given.filter(pc.and_(benign, pc.or_(recent, holds))).select(labels.column_names)


def said_in_snapshots(labels: pa.Table, snapshots: pa.Table) -> dict[tuple[str, str], set[str]]:
    """By snapshot and account: all that is said of it as a member, whatever part it had.

    `labels` are those that hold (labels.valid_labels), `snapshots` has SNAPSHOTS' columns.
    """
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    for member, label in _on_members(labels, snapshots):
        said[member["snapshot_sha256"], member["account_id"]].add(label["label"])
    return dict(said)


def _on_members(
    labels: pa.Table, snapshots: pa.Table
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each member of a snapshot with each label of a network that is about it."""
    given: dict[str, list[tuple[dict[str, Any], set[str] | None]]] = defaultdict(list)
    for row in labels.to_pylist():
        if row["subject_type"] == "network" and row["snapshot_sha256"]:
            members = None if row["members"] is None else set(row["members"])
            given[row["snapshot_sha256"]].append((row, members))
    for member in snapshots.select(["snapshot_sha256", "account_id", "role"]).to_pylist():
        for label, members in given.get(member["snapshot_sha256"], ()):
            if members is None or member["account_id"] in members:
                yield member, label


def seen_as_benign(labels: pa.Table, snapshots: pa.Table) -> dict[str, set[str]]:
    """By account that a verdict calls benign: the snapshots of it that were looked at.

    A verdict on an account alone names none: it knew all that was frozen by its day. `snapshots`
    has SNAPSHOTS' columns.
    """
    benign = [row for row in labels.to_pylist() if row["label"] == "benign"]
    alone: dict[str, date] = {}
    together_: dict[str, list[set[str] | None]] = defaultdict(list)
    for row in benign:
        if row["subject_type"] == "account":
            day = row["labelled_at"].date()
            alone[row["subject_id"]] = max(day, alone.get(row["subject_id"], day))
        elif row["snapshot_sha256"]:
            members = None if row["members"] is None else set(row["members"])
            together_[row["snapshot_sha256"]].append(members)
    found: dict[str, set[str]] = defaultdict(set)
    for row in snapshots.select(["snapshot_sha256", "account_id", "ds"]).to_pylist():
        account, name = row["account_id"], row["snapshot_sha256"]
        meant = any(each is None or account in each for each in together_.get(name, ()))
        if meant or (account in alone and row["ds"] <= alone[account]):
            found[account].add(name)
    return dict(found)


def benign_accounts(labels: pa.Table, snapshots: pa.Table) -> dict[str, datetime]:
    """Accounts that a reviewer calls benign, alone or in a network, and when that was last said.

    One that another reviewer calls abusive is among them, e.g. after two networks merged: it is
    mixed. `labels` are those that count, `snapshots` has SNAPSHOTS' columns.
    """
    benign = labels.filter(pc.equal(labels.column("label"), "benign"))
    found: dict[str, datetime] = {}
    for row in benign.sort_by("labelled_at").to_pylist():
        if row["subject_type"] == "account":
            found[row["subject_id"]] = row["labelled_at"]
    for member, label in _on_members(benign, snapshots):
        name, at = member["account_id"], label["labelled_at"]
        found[name] = max(at, found.get(name, at))
    return found


def together(said: Iterable[str]) -> str:
    """One word for several: that of all who say something, or mixed where they differ.

    Unsure says less than any other, and a role (see `account_verdicts`) nothing: unreviewed, as
    none at all.
    """
    words = set(said)
    firm = words & {"abusive", "benign", REVERSED}
    if len(firm) > 1 or MIXED in words:
        return MIXED
    return next(iter(firm), "unsure" if "unsure" in words else UNREVIEWED)


def account_verdicts(labels: pa.Table, snapshots: pa.Table, decisions: pa.Table) -> pa.Table:
    """What is said of each account in one word; columns of ACCOUNT_VERDICTS.

    A network is called abusive for what its actors do. Of another member that says its role there,
    e.g. `target`; one of unknown role (frozen without tables of its day) counts as an actor. What
    was called abusive before its decision was taken back is `reversed` until it is judged anew.
    `decisions` are all rows of DECISIONS on these accounts.
    """
    ended = _taken_back(decisions)
    said: dict[str, set[str]] = defaultdict(set)
    anew = set()
    for account, label, role in _each_said(labels, snapshots):
        before = account in ended and label["labelled_at"] <= ended[account]
        if label["label"] != "abusive":
            said[account].add(label["label"])
        elif role != ACTOR:
            said[account].add(role)
        else:
            said[account].add(REVERSED if before else "abusive")
        if not before:
            anew.add(account)
    rows = []
    for account, words in sorted(said.items()):
        if account in anew:
            words.discard(REVERSED)
        word = together(words)
        rows.append({"account_id": account, "verdict": min(words) if word == UNREVIEWED else word})
    return pa.Table.from_pylist(rows, schema=ACCOUNT_VERDICTS)


def _each_said(
    labels: pa.Table, snapshots: pa.Table
) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Each account that a label is about, the label, and its role in what was judged."""
    for row in labels.to_pylist():
        if row["subject_type"] == "account":
            yield row["subject_id"], row, row["role"] or ACTOR
    for member, label in _on_members(labels, snapshots):
        yield member["account_id"], label, member["role"] or ACTOR


def _taken_back(decisions: pa.Table) -> dict[str, datetime]:
    """When what was decided on an account was overturned or reversed, if nothing else stands."""
    over = {row["decision_id"] for row in by_account(decisions).values() if row["state"] in CLEARED}
    found: dict[str, datetime] = {}
    for row in decisions.to_pylist():
        if row["decision_id"] in over and row["state"] in CLEARED:
            at = row["state_at"]
            found[row["account_id"]] = min(at, found.get(row["account_id"], at))
    return found
