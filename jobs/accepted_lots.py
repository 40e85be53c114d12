"""The accounts of large networks that reviewers accepted by a sample, as of a time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from graph.config import Proposals
from graph.ledger import read_ledger
from jobs.printing import print_table
from signatures.acceptance import ACCEPTANCE_LOTS, accepted
from signatures.labels import LABELS, valid_labels

COLUMNS = ("network", "accounts", "reviewers", "on", "actions with a floor of at most")


def read_accepted(home: Path, limits: Proposals, at: datetime) -> pa.Table:
    """The accounts of accepted lots; columns of ACCEPTED.

    Labels count as long as a calibration does. In memory: the lots that somebody has judged.
    """
    labels = valid_labels(read_ledger(home, LABELS), at)
    labels = labels.filter(pc.is_valid(labels.column("sample_id")))
    named = pa.array(sorted(set(labels.column("sample_id").to_pylist())), pa.string())
    lots = read_ledger(home, ACCEPTANCE_LOTS, pc.field("sample_id").isin(named))
    return accepted(lots, labels, at, timedelta(microseconds=limits.calibration_fresh))


def print_accepted(home: Path, limits: Proposals, subject: str) -> None:
    """Print which accepted samples speak for an account, or for accounts of a network."""
    rows = read_accepted(home, limits, datetime.now(UTC)).to_pylist()
    lots = Counter(
        tuple(row[name] for name in ("network_id", "accepted_by", "accepted_at", "accepted_floor"))
        for row in rows
        if subject in (row["account_id"], row["network_id"])
    )
    told = [
        (network, accounts, by, f"{at:%Y-%m-%d}", floor)
        for (network, by, at, floor), accounts in sorted(lots.items())
    ]
    if told:
        print_table("Accepted samples of a network above proposals.max_accounts", COLUMNS, told)
