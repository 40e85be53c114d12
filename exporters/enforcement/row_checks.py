"""What must hold of a batch's rows: form, keys, counts, and the same rows in both files."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from exporters.enforcement.checks import check_columns
from exporters.enforcement.fields import (
    ACCOUNTS,
    CSV_NAME,
    EVIDENCE,
    NETWORKS,
    RESTRICTIONS,
    RowFile,
)
from exporters.enforcement.manifest import Manifest
from exporters.enforcement.reading import csv_rows, json_rows, side_by_side

MOST_PROBLEMS = 20
"""Problems that are told of a file; more would say nothing new."""


@dataclass
class _Seen:
    """What is kept of a file's rows until all of them were read."""

    rows: int = 0
    keys: dict[tuple[str, ...], list[pa.Array]] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch, file: RowFile) -> None:
        self.rows += len(batch)
        for key in file.unique:
            parts = [batch.column(name).cast(pa.string()) for name in key]
            joined = pc.binary_join_element_wise(*parts, "\0") if len(parts) > 1 else parts[0]
            self.keys.setdefault(key, []).append(joined)

    def count(self, batch: pa.RecordBatch, names: dict[str, str]) -> None:
        for told, column in names.items():
            counter = self.counts.setdefault(told, Counter())
            for each in pc.value_counts(batch.column(column)).to_pylist():
                counter[each["values"] or ""] += each["counts"]

    def repeated(self, file: RowFile) -> Iterator[str]:
        for key, arrays in self.keys.items():
            values = pa.chunked_array(arrays)
            different = pc.count_distinct(values).as_py()
            if different != len(values):
                yield (
                    f"{file.name}: {len(values)} rows have only {different} different "
                    f"{' and '.join(key)}"
                )


class _Decisions:
    """The ids of a batch's decisions, 64 bytes each, and sorted once all are there."""

    def __init__(self) -> None:
        self._parts: list[npt.NDArray[np.bytes_]] = []
        self._sorted: npt.NDArray[np.bytes_] | None = None

    def add(self, ids: pa.Array) -> None:
        self._parts.append(_as_bytes(ids))

    def repeated(self) -> bool:
        known = self._known()
        return bool((known[1:] == known[:-1]).any())

    def have(self, ids: pa.Array) -> bool:
        """Whether all of these are among them."""
        known, wanted = self._known(), _as_bytes(ids.unique())
        places = np.searchsorted(known, wanted)
        return bool((places < len(known)).all() and (known[places] == wanted).all())

    def _known(self) -> npt.NDArray[np.bytes_]:
        if self._sorted is None:
            parts = self._parts or [np.array([], "S64")]
            self._sorted = np.concatenate(parts)
            self._sorted.sort()
            self._parts = []
        return self._sorted


def _as_bytes(ids: pa.Array) -> npt.NDArray[np.bytes_]:
    return np.array([one or "" for one in ids.to_pylist()], "S64")


def check_rows(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Say what is wrong with the rows of a batch, a line each."""
    decisions = _Decisions()
    for file, found in (
        (ACCOUNTS, _accounts(folder, manifest, decisions)),
        (NETWORKS, _file(folder, manifest, NETWORKS)),
        (EVIDENCE, _file(folder, manifest, EVIDENCE, decisions)),
    ):
        told = 0
        try:
            for problem in found:
                yield problem
                told += 1
                if told == MOST_PROBLEMS:
                    yield f"{file.name}: and perhaps more"
                    break
        except (pa.ArrowInvalid, pa.ArrowKeyError, FileNotFoundError, UnicodeDecodeError) as error:
            yield f"{file.name}: cannot be read as it is declared: {str(error).splitlines()[0]}"


def _accounts(folder: Path, manifest: Manifest, decisions: _Decisions) -> Iterator[str]:
    seen = _Seen()
    both = side_by_side(
        json_rows(folder / ACCOUNTS.name, ACCOUNTS), csv_rows(folder / CSV_NAME, ACCOUNTS)
    )
    for batch, cells in both:
        if batch is None or cells is None or not batch.equals(cells):
            row = seen.rows + 1
            yield f"{ACCOUNTS.name} and {CSV_NAME}: other rows, at or soon after row {row}"
            if batch is None:
                break
        yield from check_columns(batch, ACCOUNTS, seen.rows + 1)
        yield from _meaning(batch, manifest, seen.rows)
        seen.add(batch, ACCOUNTS)
        seen.count(batch, {"action": "action", "policy": "policy_id", "market": "market"})
        decisions.add(batch.column("decision_id"))
    yield from seen.repeated(ACCOUNTS)
    if decisions.repeated():
        yield f"{ACCOUNTS.name}: a decision, and so its idempotency_key, stands in it twice"
    yield from _counts(seen, manifest, ACCOUNTS)
    told = manifest.counts
    for name, counter in seen.counts.items():
        if dict(counter) != getattr(told, name):
            yield f"{ACCOUNTS.name}: other counts by {name} than the manifest's"
    if seen.rows != told.rows:
        yield f"{ACCOUNTS.name}: {seen.rows} rows, the manifest counts {told.rows}"


def _file(
    folder: Path, manifest: Manifest, file: RowFile, decisions: _Decisions | None = None
) -> Iterator[str]:
    seen = _Seen()
    for batch in json_rows(folder / file.name, file):
        yield from check_columns(batch, file, seen.rows + 1)
        if "batch_id" in file.names:
            yield from _all_equal(batch, file, "batch_id", manifest.batch_id)
        if decisions is not None and not decisions.have(batch.column("decision_id")):
            yield f"{file.name}: tells of decisions that {ACCOUNTS.name} does not have"
        seen.add(batch, file)
    yield from seen.repeated(file)
    yield from _counts(seen, manifest, file)
    if file is NETWORKS and seen.rows != manifest.counts.networks:
        yield f"{file.name}: {seen.rows} rows, the manifest counts {manifest.counts.networks}"


def _counts(seen: _Seen, manifest: Manifest, file: RowFile) -> Iterator[str]:
    entry = next((entry for entry in manifest.files if entry.name == file.name), None)
    if entry is None or entry.rows != seen.rows:
        told = "none" if entry is None else entry.rows
        yield f"{file.name}: {seen.rows} rows, the manifest's list of files has {told}"


def _all_equal(batch: pa.RecordBatch, file: RowFile, name: str, value: str) -> Iterator[str]:
    if not pc.all(pc.fill_null(pc.equal(batch.column(name), value), False)).as_py():
        yield f"{file.name}: {name} is not {value} in every row"


def _meaning(batch: pa.RecordBatch, manifest: Manifest, before: int) -> Iterator[str]:
    """What several columns must agree on."""
    for name, value in (
        ("batch_id", manifest.batch_id),
        ("operation", manifest.operation),
        ("valid_until", manifest.valid_until),
    ):
        yield from _all_equal(batch, ACCOUNTS, name, value)
    numbers = pa.array(range(before + 1, before + len(batch) + 1), pa.int64())
    if not batch.column("row_id").equals(numbers):
        yield f"{ACCOUNTS.name}: row_id does not count from 1"
    role, action = batch.column("subject_role"), batch.column("action")
    restricted = pc.is_in(action, pa.array(RESTRICTIONS))
    if pc.any(pc.and_(restricted, pc.not_equal(role, "actor"))).as_py():
        yield f"{ACCOUNTS.name}: only an actor may be restricted"
    secured = pc.equal(action, "secure_account")
    if pc.any(pc.not_equal(secured, pc.equal(role, "compromised"))).as_py():
        yield f"{ACCOUNTS.name}: a compromised account is secured, and no other"
    for name, operation in _keys(manifest.operation).items():
        expected = [
            None if operation is None else key_of(decision, operation)
            for decision in batch.column("decision_id").to_pylist()
        ]
        if batch.column(name).to_pylist() != expected:
            yield f"{ACCOUNTS.name}: {name} is not that of its decision"
    if (batch.column("restores_to").null_count == len(batch)) != (manifest.operation == "apply"):
        yield f"{ACCOUNTS.name}: restores_to is for reversals, and for all of them"


def _keys(operation: str) -> dict[str, str | None]:
    """The operation whose key stands in each column of keys."""
    return {
        "idempotency_key": operation,
        "retracts_idempotency_key": "apply" if operation == "reverse" else None,
    }


def key_of(decision_id: str | None, operation: str) -> str:
    """rows.idempotency_key for ids that need no quoting, at a fraction of its time."""
    text = f'{{"decision_id":"{decision_id}","operation":"{operation}"}}'
    return hashlib.sha256(text.encode()).hexdigest()
