"""A site's lists that keep accounts or entities out of judgement, and who answers for an entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from graph.tables import columns

PROTECTED_ACCOUNTS = columns(
    account_id="string",
    reason="string",
    added_by="string",
    approved_by="string",
    added_at=pa.date32(),
    expires_at=pa.date32(),
)
"""The optional input `protected_accounts`: one row per account; key account_id."""

DECLARED_NETWORKS = columns(
    account_id="string",
    network="string",
    owner="string",
    allowed_traces="string",  # names of traces, separated by spaces
    added_by="string",
    approved_by="string",
    added_at=pa.date32(),
    expires_at=pa.date32(),
)
"""The optional input `declared_networks`: accounts that openly act together; key network, account.

It exempts from the allowed traces only, and never from one on devices.
"""

SENSITIVE_ENTITIES = columns(
    entity_type="string",
    entity_id="string",
    kind="string",  # csam | graphic | extremism
    added_by="string",
    approved_by="string",
    added_at=pa.date32(),
    expires_at=pa.date32(),
)
"""The optional input `sensitive_entities`: what people must not see; key entity_type, entity_id."""

LONGEST_EXPIRY = timedelta(days=180)


class ListRefused(Exception):
    """A list has an entry that could hide too much, or that nobody answers for."""


def in_force(
    name: str, schema: pa.Schema, rows: Iterable[Mapping[str, Any]], day: date
) -> pa.Table:
    """Check a list's entries and keep those in force on a day.

    Raises ListRefused, naming the row, for an entry that misses a column, is approved by who added
    it, or expires more than 180 days after it was added.
    """
    kept = []
    for number, row in enumerate(rows, start=1):
        check_entry(name, schema, number, row)
        if row["added_at"] <= day < row["expires_at"]:
            kept.append(row)
    return pa.Table.from_pylist(kept, schema=schema)


def check_entry(name: str, schema: pa.Schema, number: int, row: Mapping[str, Any]) -> None:
    """Pass an entry that somebody answers for; raises ListRefused for any other."""
    absent = [column for column in schema.names if row.get(column) in (None, "")]
    if absent:
        raise ListRefused(f"{name}, row {number}: {', '.join(absent)} must be given")
    if row["added_by"] == row["approved_by"]:
        raise ListRefused(f"{name}, row {number}: added_by and approved_by are the same")
    if row["expires_at"] - row["added_at"] > LONGEST_EXPIRY:
        raise ListRefused(
            f"{name}, row {number}: expires_at is more than {LONGEST_EXPIRY.days} days "
            "after added_at"
        )
