"""The ledger of decisions: what was proposed for an account, and everything that became of it."""

from __future__ import annotations

import pyarrow as pa

from graph.tables import TIMESTAMP, Table, columns

DECISIONS = Table(
    name="decisions",
    grain="transition of a decision",
    key=("decision_id", "number"),
    schema=columns(
        decision_id="string",
        number="int64",  # 1, 2, ... of the decision; its state is that of the largest
        account_id="string",
        network_id="string",
        snapshot_sha256="string",  # what was judged, in the ledger `snapshots`
        route="string",  # calibrated | investigated
        action="string",
        duration_s="int64",  # null: indefinite
        policy_id="string",
        episode="int64",
        subject_role="string",
        signature_ids=pa.list_(pa.string()),
        overridden_signature_ids=pa.list_(pa.string()),  # benign ones that match (overrides.py)
        market="string",
        ds=pa.date32(),
        state="string",
        state_at=TIMESTAMP,
        actor="string",
        reason="string",
        batch_id="string",
    ),
)
