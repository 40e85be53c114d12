"""Labels: what reviewers said of accounts and networks, and which of it holds on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc

from graph.feature import Subject
from graph.tables import TIMESTAMP, Table, columns
from signatures.roles import ROLES

LABELS = Table(
    name="labels",
    grain="what one reviewer said of an account or a network, once",
    key=("label_id",),
    schema=columns(
        label_id="string",
        subject_type="string",  # account | network
        subject_id="string",
        snapshot_sha256="string",  # what was judged; null where no snapshot was looked at
        label="string",  # abusive | benign | unsure
        abuse_type="string",
        policy_id="string",
        role="string",
        source="string",  # sample | investigation | appeal | report | external
        sample_id="string",
        sampling_probability="float64",  # of a sample: that the subject was drawn
        blind="bool",
        reviewer="string",
        labelled_at=TIMESTAMP,
        supersedes="string",  # label_id that this one replaces
        withdrawn_at=TIMESTAMP,
        expires_at=TIMESTAMP,
        reason="string",
        members=pa.list_(pa.string()),  # of a network: only these are meant; null: all of them
    ),
)

VALUES = ("abusive", "benign", "unsure")
SOURCES = ("sample", "investigation", "appeal", "report", "external")

REQUIRED = ("label_id", "subject_type", "subject_id", "label", "source", "reviewer", "labelled_at")


ENDS = ("withdrawn_at", "expires_at")
"""What may be added to a label after it was given."""


class LabelRefused(Exception):
    """A label that cannot be used; says which, and what is wrong with it."""


def check_labels(rows: Iterable[Mapping[str, Any]]) -> None:
    """Pass rows with LABELS' columns; raises LabelRefused, naming the label, for a wrong one."""
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        problem = _problem(row)
        if problem is None and row["label_id"] in seen:
            problem = "its label_id stands in another row, too"
        if problem:
            raise LabelRefused(f"labels, row {number} ({row.get('label_id')}): {problem}")
        seen.add(row["label_id"])


def _problem(row: Mapping[str, Any]) -> str | None:
    absent = [name for name in REQUIRED if row.get(name) in (None, "")]
    if absent:
        return f"{', '.join(absent)} must be given"
    choices: dict[str, tuple[str, ...]] = {
        "subject_type": get_args(Subject),
        "label": VALUES,
        "source": SOURCES,
        "role": (*ROLES, ""),
    }
    for name, known in choices.items():
        if (row.get(name) or known[-1]) not in known:
            return f"{name} {row[name]!r} is none of {', '.join(filter(None, known))}"
    probability = row.get("sampling_probability")
    if row["source"] == "sample" and not (probability and 0 < probability <= 1):
        return "a label of a sample needs its sampling_probability, above 0 and at most 1"
    if row["source"] == "sample" and not row.get("sample_id"):
        return "a label of a sample needs its sample_id"
    # A sample freezes what it drew itself; it also draws what nobody would take a snapshot of.
    needs_snapshot = row["subject_type"] == "network" and row["source"] != "sample"
    if needs_snapshot and not row.get("snapshot_sha256"):
        return "a label of a network needs the snapshot that it judges"
    if row.get("supersedes") == row["label_id"]:
        return "it supersedes itself"
    return None


def new_labels(
    known: Iterable[Mapping[str, Any]], given: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rows to append to the ledger for an input that may repeat what it has.

    An end that was added to a known label becomes a row that withdraws it, because a ledger only
    grows. Raises LabelRefused for any other change to a known label.
    """
    by_id = {row["label_id"]: row for row in known}
    rows = []
    for row in given:
        before = by_id.get(row["label_id"])
        if before is None:
            rows.append(dict(row))
            continue
        changed = [name for name in LABELS.columns if row[name] != before[name]]
        if any(name not in ENDS or before[name] is not None for name in changed):
            raise LabelRefused(
                f"label {row['label_id']}: the ledger has it with another {', '.join(changed)}: "
                "give a new label that supersedes it"
            )
        ended = _ending(row, changed)
        if changed and ended["label_id"] not in by_id:
            rows.append(ended)
    return rows


def _ending(row: Mapping[str, Any], changed: Sequence[str]) -> dict[str, Any]:
    """The row that ends a label at the time that was added to it."""
    at = min((row[name] for name in changed), default=None)
    return {
        **row,
        "label_id": f"{row['label_id']}.ended",
        "labelled_at": at,
        "supersedes": row["label_id"],
        "withdrawn_at": at,
    }


def valid_labels(ledger: pa.Table, at: datetime) -> pa.Table:
    """The labels that hold at a time: given by then, not withdrawn, superseded or expired.

    Several labels of one subject are all kept: they may differ, and then a person must look.
    """
    moment = pa.scalar(at, TIMESTAMP)
    given = ledger.filter(pc.less_equal(ledger.column("labelled_at"), moment))
    holds = pc.and_(
        _is_later(given, "withdrawn_at", moment), _is_later(given, "expires_at", moment)
    )
    replaced = given.column("supersedes").drop_null()
    not_replaced = pc.invert(
        pc.is_in(given.column("label_id"), value_set=replaced.combine_chunks())
    )
    return given.filter(pc.and_(holds, not_replaced))


def _is_later(rows: pa.Table, column: str, moment: pa.Scalar) -> pa.ChunkedArray:
    """Whether a time is after the moment, or is not set."""
    times = rows.column(column)
    return pc.or_(pc.is_null(times), pc.fill_null(pc.greater(times, moment), False))
