"""The overrides of innocent explanations that hold at a time, and whom they are about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from graph.ledger import read_ledger
from signatures.model import Signature
from signatures.overrides import OVERRIDES, in_force, overridden_accounts
from signatures.snapshots import SNAPSHOTS


def read_overridden(home: Path, library: Sequence[Signature], at: datetime) -> pa.Table:
    """The accounts for which an innocent explanation is overridden; columns of OVERRIDDEN."""
    held = in_force(read_ledger(home, OVERRIDES).to_pylist(), library, at)
    names = pa.array(sorted({row["snapshot_sha256"] for row in held}), pa.string())
    snapshots = read_ledger(home, SNAPSHOTS, pc.field("snapshot_sha256").isin(names))
    return overridden_accounts(held, snapshots)
