"""Findings: which signatures match which networks and accounts, and why, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from graph.engines.base import Engine
from graph.feature import Subject
from graph.frames import DataFrame
from graph.tables import Table, columns
from graph.union import union_all
from signatures.evaluation import Doubles, Rows, Subjects
from signatures.model import Selection, Signature, feature_of
from signatures.words import in_words

FINDINGS = Table(
    name="findings",
    grain="network or account, and signature that matches it",
    key=("subject_type", "subject_id", "signature_id"),
    schema=columns(
        subject_type="string",  # network | account
        subject_id="string",
        network_id="string",
        signature_id="string",
        title="string",
        benign="bool",
        mode="string",
        status="string",
        level="string",
        selections=pa.list_(pa.string()),  # those that hold
        inauthentic=pa.list_(pa.string()),  # what the held ones show beyond coordination
        reasons=pa.list_(pa.string()),
    ),
)

SIZE = "accounts"
"""The feature that is the number of a network's members, by which shares of them are told."""

IDS: dict[Subject, str] = {"network": "network_id", "account": "account_id"}


def find(
    engine: Engine, networks: DataFrame, accounts: DataFrame, library: Sequence[Signature]
) -> DataFrame:
    """Apply all signatures in one scan a subject type; columns of FINDINGS.

    `networks` and `accounts` are the features, wide. A deprecated signature finds nothing.
    """
    active = sorted(
        (each for each in library if each.status != "deprecated"), key=lambda each: str(each.id)
    )
    wide: dict[Subject, DataFrame] = {"network": networks, "account": accounts}
    found = [
        _find_of(engine, subject, frame, [each for each in active if each.subject == subject])
        for subject, frame in wide.items()
    ]
    return union_all(found)


def _find_of(
    engine: Engine, subject: Subject, features: DataFrame, signatures: Sequence[Signature]
) -> DataFrame:
    ids = sorted({"network_id", IDS[subject]})
    named = sorted(_features_of(signatures) | ({SIZE} if subject == "network" else set()))
    tell = partial(_tell, subject=subject, signatures=signatures, named=named)
    return engine.map_arrow(features.select(*ids, *named), tell, FINDINGS.schema)


def _features_of(signatures: Iterable[Signature]) -> set[str]:
    return {
        feature
        for each in signatures
        for feature in (
            *each.evidence,
            *(name for part in each.parts.values() for name in part.features),
        )
    }


def _tell(
    batches: Iterable[pa.RecordBatch],
    subject: Subject,
    signatures: Sequence[Signature],
    named: Sequence[str],
) -> Iterator[pa.RecordBatch]:
    """Write the rows of what matches; only those are looked at one by one."""
    for batch in batches:
        subjects = Subjects(
            {name: batch.column(name).to_numpy(zero_copy_only=False) for name in named}
        )
        rows: list[dict[str, Any]] = []
        for signature in signatures:
            matching = subjects.that_match(signature)
            if len(matching):
                rows += _findings(subject, signature, batch, subjects, matching)
        yield pa.RecordBatch.from_pylist(rows, schema=FINDINGS.schema)


def _findings(
    subject: Subject,
    signature: Signature,
    batch: pa.RecordBatch,
    subjects: Subjects,
    matching: Rows,
) -> Iterator[dict[str, Any]]:
    """The rows of the subjects that a signature matches."""
    selections = signature.detection.selections
    columns = {
        feature: subjects.columns[feature][matching]
        for each in selections.values()
        for feature in each.features
    }
    if SIZE in subjects.columns:
        columns[SIZE] = subjects.columns[SIZE][matching]
    held = {name: _held(each, columns) for name, each in selections.items()}
    values: dict[str, list[float]] = {name: column.tolist() for name, column in columns.items()}
    ids, networks = (
        batch.column(name).take(pa.array(matching)).to_pylist()
        for name in (IDS[subject], "network_id")
    )
    told = {
        "subject_type": subject,
        "signature_id": str(signature.id),
        "title": signature.title,
        "benign": signature.benign,
        "mode": signature.mode,
        "status": signature.status,
        "level": signature.level,
    }
    for number in range(len(matching)):
        names = [name for name in selections if held[name][number]]
        chosen = [selections[name] for name in names]
        yield {
            **told,
            "subject_id": ids[number],
            "network_id": networks[number],
            "selections": names,
            "inauthentic": sorted({each.inauthentic for each in chosen if each.inauthentic}),
            "reasons": list(_reasons(chosen, values, number)),
        }


def _held(selection: Selection, columns: Mapping[str, Doubles]) -> list[bool]:
    """Whether a selection holds, for each subject of the columns."""
    truths = [compare(columns[name], bound) for name, compare, bound in selection.comparisons]
    held: list[bool] = np.logical_and.reduce(truths).tolist()
    return held


def _reasons(
    chosen: Iterable[Selection], values: Mapping[str, Sequence[float]], number: int
) -> Iterator[str]:
    """What selections that hold rest on, with the values of the subject of this number.

    Each feature is told once.
    """
    told: set[str] = set()
    for selection in chosen:
        fresh = [name for name in selection.features if name not in told]
        told.update(fresh)
        if fresh:
            accounts = values[SIZE][number] if SIZE in values else None
            yield "; ".join(
                in_words(feature_of(name), values[name][number], accounts) for name in fresh
            )
