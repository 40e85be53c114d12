"""What verdicts that hold say of each account: the rule for joiners, mergers and splits.

A verdict binds the members of its moment and goes where they go. So after a merge or a split each
account keeps what was said of it, and who joined later is unreviewed (DECISIONS, Verdicts and
labels).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from graph.tables import TIMESTAMP
from signatures.labels import valid_labels

BENIGN_HOLDS = timedelta(days=90)
"""How long a benign verdict holds that says nothing of its end: accounts change hands.

Whom it calls benign is cleared for longer (proposals.cleared, `clearing_verdicts`).
"""

UNREVIEWED, MIXED = "unreviewed", "mixed"

ACCOUNT_VERDICTS = pa.schema([("account_id", pa.string()), ("verdict", pa.string())])
"""Accounts of which a verdict that holds says something; verdict is that of `together`."""


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


def said_of_accounts(labels: pa.Table, snapshots: pa.Table) -> dict[str, set[str]]:
    """By account: all that is said of it, alone or with the members of a network.

    `labels` are those that hold (labels.valid_labels), `snapshots` has SNAPSHOTS' columns.
    """
    said: dict[str, set[str]] = defaultdict(set)
    for row in labels.to_pylist():
        if row["subject_type"] == "account":
            said[row["subject_id"]].add(row["label"])
    for (_, account), words in said_in_snapshots(labels, snapshots).items():
        said[account] |= words
    return dict(said)


def said_in_snapshots(labels: pa.Table, snapshots: pa.Table) -> dict[tuple[str, str], set[str]]:
    """By snapshot and account: all that is said of it as a member; as `said_of_accounts`."""
    of_snapshots: dict[str, list[tuple[str, set[str] | None]]] = defaultdict(list)
    for row in labels.to_pylist():
        if row["subject_type"] == "network" and row["snapshot_sha256"]:
            members = None if row["members"] is None else set(row["members"])
            of_snapshots[row["snapshot_sha256"]].append((row["label"], members))
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in snapshots.select(["snapshot_sha256", "account_id"]).to_pylist():
        name, account = row["snapshot_sha256"], row["account_id"]
        for label, members in of_snapshots.get(name, ()):
            if members is None or account in members:
                said[name, account].add(label)
    return dict(said)


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
    of_snapshots: dict[str, list[tuple[datetime, set[str] | None]]] = defaultdict(list)
    for row in benign.sort_by("labelled_at").to_pylist():
        if row["subject_type"] == "account":
            found[row["subject_id"]] = row["labelled_at"]
        elif row["snapshot_sha256"]:
            members = None if row["members"] is None else set(row["members"])
            of_snapshots[row["snapshot_sha256"]].append((row["labelled_at"], members))
    for row in snapshots.select(["snapshot_sha256", "account_id"]).to_pylist():
        name = row["account_id"]
        for at, members in of_snapshots.get(row["snapshot_sha256"], ()):
            if members is None or name in members:
                found[name] = max(at, found.get(name, at))
    return found


def together(said: Iterable[str]) -> str:
    """One word for several: abusive, benign, mixed (both), unsure, or unreviewed for none."""
    words = set(said)
    if {"abusive", "benign"} <= words or MIXED in words:
        return MIXED
    return next((word for word in ("abusive", "benign", "unsure") if word in words), UNREVIEWED)


def account_verdicts(labels: pa.Table, snapshots: pa.Table) -> pa.Table:
    """What is said of each account in one word; columns of ACCOUNT_VERDICTS."""
    said = said_of_accounts(labels, snapshots)
    rows = [{"account_id": name, "verdict": together(said[name])} for name in sorted(said)]
    return pa.Table.from_pylist(rows, schema=ACCOUNT_VERDICTS)
