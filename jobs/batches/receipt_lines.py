"""The lines of receipts.jsonl, as enforcement sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
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


def read_receipts(changes: Changes, path: Path) -> DataFrame:
    """The receipts of a file, one row a line; raises DataStop, naming a line that is none."""
    if not path.is_file():
        raise InputError(f"{path} does not exist")
    latest = changes.now + AHEAD
    schema = columns(
        receipt_sha256="string", idempotency_key="string", status="string", at=TIMESTAMP,
        error="string",
    )  # fmt: skip

    def batches() -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                rows.append(_receipt(f"{path.name}, line {number}", line, latest))
                if len(rows) == 10_000:
                    yield pa.RecordBatch.from_pylist(rows, schema=schema)
                    rows = []
        yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return changes.engine.from_arrow(pa.Table.from_batches(batches(), schema=schema))


def _receipt(place: str, line: str, latest: datetime) -> dict[str, Any]:
    """A line of receipts.jsonl as a row; raises DataStop for what is none."""
    try:
        content = json.loads(line)
        at = datetime.fromisoformat(content["at"])
        key, status, error = content["idempotency_key"], content["status"], content.get("error")
        strange = set(content) - set(FIELDS)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataStop(f"{place}: is no receipt: write {', '.join(FIELDS)} as JSON") from None
    if strange:
        raise DataStop(
            f"{place}: a receipt has no {', '.join(sorted(strange))}: it has {', '.join(FIELDS)}"
        )
    if status not in STATUSES:
        raise DataStop(f"{place}: status must be one of {', '.join(STATUSES)}")
    if not isinstance(key, str):
        raise DataStop(f"{place}: idempotency_key must be a text, that of the row it is about")
    if at.tzinfo is None or at > latest:
        raise DataStop(f"{place}: at is {content['at']}: it must have a zone and not be to come")
    return {
        "receipt_sha256": canonical_sha256(content),
        "idempotency_key": key,
        "status": status,
        "at": at,
        "error": None if error is None else str(error)[:1000],
    }
