"""What reviewers have said that holds at a time, and the snapshots that it judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from graph.ledger import read_ledger
from signatures.labels import LABELS, valid_labels
from signatures.snapshots import SNAPSHOTS
from signatures.verdict_standing import account_verdicts, benign_accounts, standing_verdicts


@dataclass(frozen=True)
class Verdicts:
    """Labels that hold, the rows of the snapshots they judge, and whom they call benign, when."""

    labels: pa.Table
    snapshots: pa.Table
    benign: Mapping[str, datetime]

    @property
    def benign_rows(self) -> pa.Table:
        """Whom they call benign, as a table: account_id."""
        return pa.table({"account_id": pa.array(sorted(self.benign), pa.string())})

    @property
    def of_accounts(self) -> pa.Table:
        """What they say of each account in one word; columns of ACCOUNT_VERDICTS."""
        return account_verdicts(self.labels, self.snapshots)


def read_verdicts(home: Path, at: datetime) -> Verdicts:
    """Read the verdicts that hold at a time; in memory, bounded by what people judge."""
    labels = standing_verdicts(valid_labels(read_ledger(home, LABELS), at), at)
    named = labels.column("snapshot_sha256").drop_null().combine_chunks()
    judged = pc.field("snapshot_sha256").isin(named.cast(pa.string()))
    snapshots = read_ledger(home, SNAPSHOTS, judged)
    return Verdicts(labels, snapshots, benign_accounts(labels, snapshots))


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
