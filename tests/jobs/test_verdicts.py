"""What reviewers said is read from the ledger as it counts at a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from jobs.forgotten import Recalled
from jobs.verdicts import read_verdicts
from signatures.labels import LABELS
from signatures.snapshots import SNAPSHOTS
from tests.ledger_rows import append_to_ledger
from tests.signatures.label_rows import label

GIVEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
BENIGN = {"label": "benign", "labelled_at": GIVEN, "source": "investigation"}
NETWORK = {"subject_type": "network", "subject_id": "n1", "snapshot_sha256": "s"}


def test_who_was_called_benign_is_kept_out_for_as_long_as_the_guard_of_a_batch_asks(
    tmp_path: Path,
) -> None:
    """A verdict on a family ends after 90 days, and its members stay cleared until day 180."""
    snapshot = [
        {"snapshot_sha256": "s", "account_id": name, "network_id": "n1", "ds": date(2026, 11, 20)}
        for name in ("ben", "cal")
    ]
    given = [label(label_id="family", expires_at=GIVEN + timedelta(days=90), **NETWORK, **BENIGN)]
    append_to_ledger(
        tmp_path, SNAPSHOTS, pa.Table.from_pylist(snapshot, schema=SNAPSHOTS.schema), "run"
    )
    append_to_ledger(tmp_path, LABELS, pa.Table.from_pylist(given, schema=LABELS.schema), "pull")

    def benign(days: int) -> tuple[int, set[str]]:
        found = read_verdicts(Recalled(tmp_path), GIVEN + timedelta(days=days), timedelta(days=180))
        return found.of_accounts(tmp_path).num_rows, set(found.benign)

    assert benign(89) == (2, {"ben", "cal"})
    assert benign(120) == (0, {"ben", "cal"})
    assert benign(180) == (0, set())
