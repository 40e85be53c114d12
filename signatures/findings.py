"""Findings: which signatures match which networks and accounts, and why, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

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
        # However many signatures match a subject, each feature is put into words once.
        words = cache(partial(_words, subjects.columns))
        found: dict[str, list[Any]] = {name: [] for name in FINDINGS.schema.names}
        for signature in signatures:
            matching = subjects.that_match(signature)
            if len(matching):
                told = _findings(subject, signature, batch, subjects, matching, words)
                for name, values in told.items():
                    found[name] += values
        yield pa.RecordBatch.from_pydict(found, FINDINGS.schema)


def _words(columns: Mapping[str, Doubles], feature: str, place: int) -> str:
    """A feature of the subject at a place, in plain words."""
    accounts = columns[SIZE].item(place) if SIZE in columns else None
    return in_words(feature_of(feature), columns[feature].item(place), accounts)


def _findings(
    subject: Subject,
    signature: Signature,
    batch: pa.RecordBatch,
    subjects: Subjects,
    matching: Rows,
    words: Callable[[str, int], str],
) -> dict[str, Sequence[Any]]:
    """The rows of the subjects that a signature matches, by column."""
    selections = signature.detection.selections
    held = zip(
        *(subjects.holds(each, matching).tolist() for each in selections.values()), strict=True
    )
    chosen = cache(partial(_chosen, selections))
    chosen_of_each = [chosen(truths) for truths in held]
    ids = pa.array(matching)
    same = {
        "subject_type": subject,
        "signature_id": str(signature.id),
        "title": signature.title,
        "benign": signature.benign,
        "mode": signature.mode,
        "status": signature.status,
        "level": signature.level,
    }
    return {
        **{name: [value] * len(matching) for name, value in same.items()},
        "subject_id": batch.column(IDS[subject]).take(ids).to_pylist(),
        "network_id": batch.column("network_id").take(ids).to_pylist(),
        "selections": [each.names for each in chosen_of_each],
        "inauthentic": [each.inauthentic for each in chosen_of_each],
        "reasons": [
            ["; ".join(words(feature, place) for feature in features) for features in each.told]
            for place, each in zip(matching.tolist(), chosen_of_each, strict=True)
        ],
    }


class _Chosen(NamedTuple):
    """The selections that hold for some subjects, and the features that each is told by."""

    names: Sequence[str]
    inauthentic: Sequence[str]
    told: Sequence[Sequence[str]]  # each feature once, with the first selection that rests on it


def _chosen(selections: Mapping[str, Selection], truths: Sequence[bool]) -> _Chosen:
    names = [name for name, held in zip(selections, truths, strict=True) if held]
    chosen = [selections[name] for name in names]
    first = {feature: each for each in reversed(chosen) for feature in each.features}
    told = [[name for name in each.features if first[name] is each] for each in chosen]
    return _Chosen(
        names,
        sorted({each.inauthentic for each in chosen if each.inauthentic}),
        [features for features in told if features],
    )
