"""A site's lists that keep accounts or entities out of judgement, and who answers for an entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from graph.people import person_key
from graph.suggestions import nearest, several
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
    name: str,
    schema: pa.Schema,
    rows: Iterable[Mapping[str, Any]],
    day: date,
    problem: Callable[[Mapping[str, Any]], str | None] = lambda row: None,
) -> pa.Table:
    """Check a list's entries and keep those in force on a day.

    Raises ListRefused as check_entries does.
    """
    entries = list(rows)
    check_entries(name, schema, entries, problem)
    kept = [row for row in entries if row["added_at"] <= day < row["expires_at"]]
    return pa.Table.from_pylist(kept, schema=schema)


def check_entries(
    name: str,
    schema: pa.Schema,
    rows: Iterable[Mapping[str, Any]],
    problem: Callable[[Mapping[str, Any]], str | None] = lambda row: None,
) -> None:
    """Pass entries that somebody answers for, and of which `problem` says nothing.

    Raises ListRefused, naming the rows, for entries that miss a column, are approved by who added
    them, or expire more than 180 days after they were added.
    """
    wrong = [
        f"row {number}: {told}"
        for number, row in enumerate(rows, start=1)
        if (told := _unanswered(schema, row) or problem(row))
    ]
    if wrong:
        raise ListRefused(f"{name}, {several(wrong)}")


def _unanswered(schema: pa.Schema, row: Mapping[str, Any]) -> str | None:
    absent = [column for column in schema.names if row.get(column) in (None, "")]
    if absent:
        return f"{', '.join(absent)} must be given"
    if person_key(row["added_by"]) == person_key(row["approved_by"]):
        return "added_by and approved_by are the same"
    if row["expires_at"] - row["added_at"] > LONGEST_EXPIRY:
        return f"expires_at is more than {LONGEST_EXPIRY.days} days after added_at"
    return None


def unknown_trace(row: Mapping[str, Any], traces: Collection[str]) -> str | None:
    """What is wrong with the allowed_traces of an entry of declared_networks, if anything."""
    for name in row["allowed_traces"].split():
        if name not in traces:
            hint = nearest(name, traces) or f"; known: {', '.join(sorted(traces))}"
            return f"allowed_traces: there is no trace {name!r}{hint}"
    return None
