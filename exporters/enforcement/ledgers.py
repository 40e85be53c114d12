"""The ledgers of what left and what came back: batches, receipts, appeals."""

from __future__ import annotations

import pyarrow as pa

from graph.tables import TIMESTAMP, Table, columns

BATCHES = Table(
    name="batches",
    grain="event in a batch's life",
    key=("batch_id", "event"),
    schema=columns(
        batch_id="string",
        event="string",  # proposed | approved | released | void
        at=TIMESTAMP,
        ds=pa.date32(),
        operation="string",  # apply | reverse
        accounts="int64",
        sums_sha256="string",
        requested_by="string",
        parent="string",  # the batch that this is a stage of
        actor="string",
        reason="string",
    ),
)

RECEIPTS = Table(
    name="receipts",
    grain="receipt of a row",
    key=("receipt_sha256",),
    schema=columns(
        receipt_sha256="string",  # of its canonical JSON, so that a repeated one counts once
        idempotency_key="string",
        decision_id="string",
        operation="string",
        status="string",  # applied | already | failed | skipped
        at=TIMESTAMP,
        error="string",
        taken_at=TIMESTAMP,
    ),
)

APPEALS = Table(
    name="appeals",
    grain="step of an appeal",
    key=("appeal_id", "step"),
    schema=columns(
        appeal_id="string",
        step="string",  # lodged | decided
        decision_id="string",
        lodged_at=TIMESTAMP,
        outcome="string",  # upheld | overturned | partial; null: not decided yet
        reason_code="string",
        reviewer="string",
        decided_at=TIMESTAMP,
        batch_id="string",
        network_id="string",
        signature_ids=pa.list_(pa.string()),
        lighter_id="string",  # the decision with the lighter action that a partial outcome began
    ),
)
