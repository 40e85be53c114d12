"""Raw rows of an event log to events: trimmed, typed, cleaned, and judged.

One Arrow function does all of it, so that every engine gets the same values.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph.entity import Cleaned, EntityType, first_reasons
from graph.event_times import read_times
from graph.event_values import as_texts, each, is_list
from graph.ip_networks import IpNetworks
from graph.tables import TIMESTAMP

MAX_FIELD_BYTES = 65_536
RAW_FIELD_CHARACTERS = 1_024

ACCEPTED, QUARANTINED, OUTSIDE, DUPLICATE = "accepted", "quarantined", "outside", "duplicate"

TEXT_COLUMNS = ("account_id", "event_type", "event_id", "market")


@dataclass(frozen=True)
class EventRules:
    """What a row is judged by: the look-back [start_us, end_us) and the site's columns."""

    time_unit: str
    start_us: int
    end_us: int
    entity_types: Sequence[EntityType]
    ip_networks: IpNetworks
    max_raw_bytes: int = 4096


def event_schema(rules: EventRules, list_columns: Container[str]) -> pa.Schema:
    """Columns of judged events; an entity is a list of strings where the log's column is one."""
    fields = [
        ("status", pa.string()),
        ("reason", pa.string()),
        *((name, pa.string()) for name in TEXT_COLUMNS),
        ("event_at", TIMESTAMP),
        ("source", pa.string()),
        ("raw", pa.string()),
    ]
    for entity_type in rules.entity_types:
        kind = _entity_kind(entity_type, rules, list_columns)
        fields += [(entity_type.name, kind), (f"{entity_type.name}_reason", kind)]
    return pa.schema(fields)


def _entity_kind(
    entity_type: EntityType, rules: EventRules, list_columns: Container[str]
) -> pa.DataType:
    column = entity_type.column
    if entity_type.derived_from is not None:
        column = next(t.column for t in rules.entity_types if t.name == entity_type.derived_from)
    return pa.list_(pa.string()) if column in list_columns else pa.string()


def judge_events(
    batches: Iterable[pa.RecordBatch], rules: EventRules, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Turn batches of raw rows, in the standard column names, into events of `event_schema`.

    A row without an account or a readable time, with a field over 64 KiB or that is not UTF-8, or
    that could not be parsed is `quarantined` with its reason, source and raw text, which others
    lack; one before or after the look-back is `outside`; all others are `accepted`.
    """
    for batch in batches:
        yield _judge_batch(batch, rules, schema)


def _judge_batch(batch: pa.RecordBatch, rules: EventRules, schema: pa.Schema) -> pa.RecordBatch:
    batch, not_text = as_texts(batch)
    texts = {name: _text(batch, name) for name in TEXT_COLUMNS}
    times = read_times(batch.column("event_time"), rules.time_unit)
    reason = _quarantine_reason(batch, not_text, texts["account_id"], times)
    status = _status(reason, times, rules)
    accepted, quarantined = pc.equal(status, ACCEPTED), pc.equal(status, QUARANTINED)
    out: dict[str, pa.Array] = {
        "status": status,
        "reason": reason,
        **texts,
        "event_at": pc.if_else(accepted, times, pa.scalar(None, pa.int64())).cast(TIMESTAMP),
        "source": pc.if_else(quarantined, batch.column("source"), pa.scalar(None, pa.string())),
        "raw": _raw_texts(batch, quarantined, rules.max_raw_bytes),
    }
    for entity_type in rules.entity_types:
        cleaned = _entity(batch, entity_type, rules, out, accepted)
        out[entity_type.name] = cleaned.ids
        out[f"{entity_type.name}_reason"] = cleaned.reasons
    return pa.RecordBatch.from_arrays(
        [out[field.name].cast(field.type) for field in schema], schema=schema
    )


def _text(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Trim a text column; blank is null, and a log without event types has the type `event`."""
    if name not in batch.schema.names:
        values = pa.nulls(batch.num_rows, pa.string())
    else:
        values = pc.utf8_trim_whitespace(batch.column(name).cast(pa.string()))
        blank = pc.equal(values, "")
        if pc.any(blank).as_py():
            values = pc.if_else(blank, pa.scalar(None, pa.string()), values)
    return pc.fill_null(values, "event") if name == "event_type" else values


def _quarantine_reason(
    batch: pa.RecordBatch, not_text: pa.Array, accounts: pa.Array, times: pa.Array
) -> pa.Array:
    rejections = {
        "unreadable row": _is_malformed(batch),
        "text that is not UTF-8": not_text,
        "field over 64 KiB": _is_oversized(batch),
        "no account": pc.is_null(accounts),
        "no readable time": pc.is_null(times),
    }
    return first_reasons(rejections, batch.num_rows)


def _is_malformed(batch: pa.RecordBatch) -> pa.Array:
    if "malformed" not in batch.schema.names:
        return pa.array(np.zeros(batch.num_rows, np.bool_))
    return pc.is_valid(batch.column("malformed"))


def _is_oversized(batch: pa.RecordBatch) -> pa.Array:
    oversized = pa.array(np.zeros(batch.num_rows, np.bool_))
    for column in batch.columns:
        if pa.types.is_string(column.type):
            lengths = pc.binary_length(column)
        elif is_list(column.type) and pa.types.is_string(column.type.value_type):
            lengths = _list_lengths(column)
        else:
            continue
        if (pc.max(lengths).as_py() or 0) > MAX_FIELD_BYTES:
            is_larger = pc.fill_null(pc.greater(lengths, MAX_FIELD_BYTES), False)
            oversized = pc.or_(oversized, is_larger)
    return oversized


def _list_lengths(lists: pa.Array) -> pa.Array:
    """The bytes of all elements of each list."""
    rows = pc.list_parent_indices(lists).to_numpy()
    lengths = pc.fill_null(pc.binary_length(pc.list_flatten(lists)), 0).to_numpy()
    total = np.bincount(rows, weights=lengths, minlength=len(lists))
    return pa.array(total.astype(np.int64))


def _status(reason: pa.Array, times: pa.Array, rules: EventRules) -> pa.Array:
    inside = pc.and_(pc.greater_equal(times, rules.start_us), pc.less(times, rules.end_us))
    status = pc.if_else(pc.fill_null(inside, False), ACCEPTED, OUTSIDE)
    return pc.if_else(pc.is_valid(reason), QUARANTINED, status)


def _raw_texts(batch: pa.RecordBatch, wanted: pa.Array, max_bytes: int) -> pa.Array:
    """Keep a rejected row as JSON of at most so many bytes; the length of a cut field is told."""
    if not pc.any(wanted).as_py():
        return pa.nulls(batch.num_rows, pa.string())
    kept = iter([_raw_text(row, max_bytes) for row in batch.filter(wanted).to_pylist()])
    return pa.array([next(kept) if want else None for want in wanted.to_pylist()], pa.string())


def _raw_text(row: dict[str, object], max_bytes: int) -> str:
    fields = {name: _shorten(value) for name, value in row.items() if value is not None}
    text = json.dumps(fields, ensure_ascii=False, default=str, sort_keys=True).encode()
    return text[:max_bytes].decode("utf-8", "ignore")


def _shorten(value: object) -> object:
    text = value if isinstance(value, str) else str(value)
    if len(text) <= RAW_FIELD_CHARACTERS:
        return value
    return f"{text[:RAW_FIELD_CHARACTERS]}… ({len(text)} characters)"


def _entity(
    batch: pa.RecordBatch,
    entity_type: EntityType,
    rules: EventRules,
    done: dict[str, pa.Array],
    accepted: pa.Array,
) -> Cleaned:
    if entity_type.derived_from is not None:
        parents = done[entity_type.derived_from]
        return each(parents, lambda ids: Cleaned(rules.ip_networks.of(ids)[0], _nulls(ids)))
    if entity_type.column not in batch.schema.names or entity_type.clean is None:
        nothing = pa.nulls(batch.num_rows, pa.string())
        return Cleaned(nothing, nothing)
    column = batch.column(entity_type.column)
    if not pc.all(accepted).as_py():
        column = pc.if_else(accepted, column, pa.scalar(None, column.type))
    return each(column, entity_type.clean)


def _nulls(values: pa.Array) -> pa.Array:
    return pa.nulls(len(values), pa.string())
