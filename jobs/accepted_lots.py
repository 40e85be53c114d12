"""The accounts of large networks that reviewers accepted by a sample, as of a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from graph.config import Proposals
from graph.ledger import read_ledger
from signatures.acceptance import ACCEPTANCE_LOTS, accepted
from signatures.labels import LABELS, valid_labels


def read_accepted(home: Path, limits: Proposals, at: datetime) -> pa.Table:
    """The accounts of accepted lots; columns of ACCEPTED.

    Labels count as long as a calibration does. In memory: the lots that somebody has judged.
    """
    labels = valid_labels(read_ledger(home, LABELS), at)
    labels = labels.filter(pc.is_valid(labels.column("sample_id")))
    named = pa.array(sorted(set(labels.column("sample_id").to_pylist())), pa.string())
    lots = read_ledger(home, ACCEPTANCE_LOTS, pc.field("sample_id").isin(named))
    return accepted(lots, labels, at, timedelta(microseconds=limits.calibration_fresh))
