"""Labels: what reviewers said of accounts and networks, and which of it holds on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


class LabelRefused(Exception):
    """A label that cannot be used; says which, and what is wrong with it."""


def check_labels(rows: Iterable[Mapping[str, Any]]) -> None:
    """Pass rows with LABELS' columns; raises LabelRefused, naming the label, for a wrong one."""
    for number, row in enumerate(rows, start=1):
        if problem := _problem(row):
            raise LabelRefused(f"labels, row {number} ({row.get('label_id')}): {problem}")


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
    if row["subject_type"] == "network" and not row.get("snapshot_sha256"):
        return "a label of a network needs the snapshot that it judges"
    return None


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
