"""What reviewers have said that holds at a time, and the snapshots that it judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from graph.ledger import read_ledger
from jobs.forgotten import Recalled
from signatures.decisions import DECISIONS
from signatures.labels import LABELS, valid_labels
from signatures.snapshots import SNAPSHOTS
from signatures.verdict_standing import (
    account_verdicts,
    benign_accounts,
    clearing_verdicts,
    standing_verdicts,
)


@dataclass(frozen=True)
class Verdicts:
    """What reviewers have said, and the rows of the snapshots that they judged.

    labels: those that hold. clearing: those that keep accounts out, which they do for longer.
    benign: whom these are about, and when that was last said.
    """

    labels: pa.Table
    clearing: pa.Table
    snapshots: pa.Table
    benign: Mapping[str, datetime]

    @property
    def benign_rows(self) -> pa.Table:
        """Whom they keep out, as a table: account_id."""
        return pa.table({"account_id": pa.array(sorted(self.benign), pa.string())})

    def of_accounts(self, home: Path) -> pa.Table:
        """What they say of each account in one word; columns of ACCOUNT_VERDICTS."""
        judged = {
            *self.labels.column("subject_id").to_pylist(),
            *self.snapshots.column("account_id").to_pylist(),
        }
        about = pc.field("account_id").isin(pa.array(sorted(judged), pa.string()))
        decisions = read_ledger(home, DECISIONS, about)
        return account_verdicts(self.labels, self.snapshots, decisions)


def read_verdicts(recalled: Recalled, at: datetime, cleared: timedelta) -> Verdicts:
    """Read the verdicts that count at a time; in memory, bounded by what people judge.

    `cleared` is proposals.cleared: how long a benign one keeps accounts out.
    """
    ledger = recalled.read(LABELS)
    labels = standing_verdicts(valid_labels(ledger, at), at)
    clearing = clearing_verdicts(ledger, at, cleared)
    named = {
        *labels.column("snapshot_sha256").to_pylist(),
        *clearing.column("snapshot_sha256").to_pylist(),
    }
    judged = pc.field("snapshot_sha256").isin(pa.array(sorted(named - {None}), pa.string()))
    snapshots = recalled.read(SNAPSHOTS, judged)
    return Verdicts(labels, clearing, snapshots, benign_accounts(clearing, snapshots))


VERDICT_COLUMNS = ("given", "reviewer", "source", "says", "policy", "of members", "holds", "reason")


def verdicts_on(home: Path, subject: str, at: datetime) -> list[tuple[object, ...]]:
    """What reviewers say of an account or network, oldest first; columns of VERDICT_COLUMNS.

    Blind labels are left out: who reviews a sample must not know of the others. `holds` is false of
    a verdict that was withdrawn, replaced, or has expired.
    """
    ledger = read_ledger(home, LABELS)
    standing = standing_verdicts(valid_labels(ledger, at), at)
    held = set(standing.column("label_id").to_pylist())
    about = ledger.filter(pc.equal(ledger.column("subject_id"), subject)).to_pylist()
    return [
        (
            f"{row['labelled_at']:%Y-%m-%d %H:%M:%S}",
            row["reviewer"],
            row["source"],
            row["label"],
            row["policy_id"],
            len(row["members"]) if row["members"] else "all",
            row["label_id"] in held,
            row["reason"],
        )
        for row in sorted(about, key=lambda row: (row["labelled_at"], row["label_id"]))
        if not row["blind"]
    ]
