"""The lines of receipts.jsonl, as enforcement sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from graph.canonical import canonical_sha256
from graph.engines.base import InputError
from graph.frames import DataFrame
from graph.tables import TIMESTAMP, columns
from jobs.batches.changes import Changes
from jobs.errors import DataStop

STATUSES = ("applied", "already", "failed", "skipped")
FIELDS = ("idempotency_key", "status", "at", "error")
AHEAD = timedelta(minutes=5)
"""How far another machine's clock may be ahead of this one's, or behind."""


LINES = columns(
    line="int64",  # its number in the file, from 1
    problem="string",  # why it cannot be taken; null: it is a receipt
    receipt_sha256="string",
    idempotency_key="string",
    status="string",
    at=TIMESTAMP,
    error="string",
)


def read_receipts(changes: Changes, path: Path) -> DataFrame:
    """The lines of a file, one row each: see LINES."""
    if not path.is_file():
        raise InputError(f"{path} does not exist")
    latest = changes.now + AHEAD

    def batches() -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                rows.append({"line": number, **_row(line, latest)})
                if len(rows) == 10_000:
                    yield pa.RecordBatch.from_pylist(rows, schema=LINES)
                    rows = []
        yield pa.RecordBatch.from_pylist(rows, schema=LINES)

    return changes.engine.from_arrow(pa.Table.from_batches(batches(), schema=LINES))


def _row(line: bytes, latest: datetime) -> dict[str, Any]:
    try:
        return _receipt(line, latest)
    except DataStop as refusal:
        return {"problem": str(refusal)}


def _receipt(line: bytes, latest: datetime) -> dict[str, Any]:
    """A line of receipts.jsonl as a row; raises DataStop for what is none."""
    try:
        content = json.loads(line.decode())
        at = datetime.fromisoformat(content["at"])
        key, status, error = content["idempotency_key"], content["status"], content.get("error")
        strange = set(content) - set(FIELDS)
        digest = canonical_sha256(content)
        has_zone = at.tzinfo is not None
        at = at.astimezone(UTC)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise DataStop(f"is no receipt: write {', '.join(FIELDS)} as JSON") from None
    if strange:
        raise DataStop(f"a receipt has no {', '.join(sorted(strange))}: it has {', '.join(FIELDS)}")
    if status not in STATUSES:
        raise DataStop(f"status must be one of {', '.join(STATUSES)}")
    if not isinstance(key, str):
        raise DataStop("idempotency_key must be a text, that of the row it is about")
    if not has_zone or at > latest:
        raise DataStop(f"at is {content['at']}: it must have a zone and not be to come")
    return {
        "receipt_sha256": digest,
        "idempotency_key": key,
        "status": status,
        "at": at,
        "error": None if error is None else str(error)[:1000],
    }
