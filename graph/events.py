"""Raw rows of an event log to events: trimmed, typed, cleaned, and judged.

One Arrow function does all of it, so that every engine gets the same values.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from graph.entity import Cleaned, Cleaner, EntityType
from graph.event_times import read_times
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

    A row without an account or a readable time, with a field over 64 KiB, or that could not be
    parsed is `quarantined` with its reason and its raw text; one before or after the look-back is
    `outside`; all others are `accepted`.
    """
    for batch in batches:
        yield _judge_batch(batch, rules, schema)


def _judge_batch(batch: pa.RecordBatch, rules: EventRules, schema: pa.Schema) -> pa.RecordBatch:
    texts = {name: _text(batch, name) for name in TEXT_COLUMNS}
    times = read_times(batch.column("event_time"), rules.time_unit)
    reason = _quarantine_reason(batch, texts["account_id"], times)
    status = _status(reason, times, rules)
    accepted = pc.equal(status, ACCEPTED)
    out: dict[str, pa.Array] = {
        "status": status,
        "reason": reason,
        **texts,
        "event_at": pc.if_else(accepted, times, pa.scalar(None, pa.int64())).cast(TIMESTAMP),
        "source": batch.column("source"),
        "raw": _raw_texts(batch, pc.equal(status, QUARANTINED)),
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
        values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    return pc.fill_null(values, "event") if name == "event_type" else values


def _quarantine_reason(batch: pa.RecordBatch, accounts: pa.Array, times: pa.Array) -> pa.Array:
    rejections = {
        "unreadable row": _is_malformed(batch),
        "field over 64 KiB": _is_oversized(batch),
        "no account": pc.is_null(accounts),
        "no readable time": pc.is_null(times),
    }
    reason = pa.nulls(batch.num_rows, pa.string())
    for text, mask in reversed(rejections.items()):
        reason = pc.if_else(mask, text, reason)
    return reason


def _is_malformed(batch: pa.RecordBatch) -> pa.Array:
    if "malformed" not in batch.schema.names:
        return pa.array([False] * batch.num_rows, pa.bool_())
    return pc.is_valid(batch.column("malformed"))


def _is_oversized(batch: pa.RecordBatch) -> pa.Array:
    oversized = pa.array([False] * batch.num_rows, pa.bool_())
    for column in batch.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            too_long = pc.greater(pc.binary_length(column), MAX_FIELD_BYTES)
            oversized = pc.or_(oversized, pc.fill_null(too_long, False))
        elif _is_list(column.type):
            too_long = pc.greater(pc.binary_length(pc.list_flatten(column)), MAX_FIELD_BYTES)
            rows = pc.list_parent_indices(column).filter(pc.fill_null(too_long, False))
            found = pc.is_in(pa.array(range(batch.num_rows), rows.type), value_set=rows)
            oversized = pc.or_(oversized, found)
    return oversized


def _status(reason: pa.Array, times: pa.Array, rules: EventRules) -> pa.Array:
    inside = pc.and_(pc.greater_equal(times, rules.start_us), pc.less(times, rules.end_us))
    status = pc.if_else(pc.fill_null(inside, False), ACCEPTED, OUTSIDE)
    return pc.if_else(pc.is_valid(reason), QUARANTINED, status)


def _raw_texts(batch: pa.RecordBatch, wanted: pa.Array) -> pa.Array:
    """Keep a rejected row as JSON; long fields are cut, their length is told."""
    kept = batch.filter(wanted).to_pylist()
    texts = iter(
        [json.dumps(_shorten(row), ensure_ascii=False, default=str, sort_keys=True) for row in kept]
    )
    return pa.array([next(texts) if want else None for want in wanted.to_pylist()], pa.string())


def _shorten(row: dict[str, object]) -> dict[str, object]:
    return {
        name: f"{value[:RAW_FIELD_CHARACTERS]}… ({len(value)} characters)"
        if isinstance(value, str) and len(value) > RAW_FIELD_CHARACTERS
        else value
        for name, value in row.items()
        if value is not None
    }


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _entity(
    batch: pa.RecordBatch,
    entity_type: EntityType,
    rules: EventRules,
    done: dict[str, pa.Array],
    accepted: pa.Array,
) -> Cleaned:
    if entity_type.derived_from is not None:
        parents = done[entity_type.derived_from]
        return _each(parents, lambda ids: Cleaned(rules.ip_networks.of(ids)[0], _nulls(ids)))
    if entity_type.column not in batch.schema.names or entity_type.clean is None:
        nothing = pa.nulls(batch.num_rows, pa.string())
        return Cleaned(nothing, nothing)
    column = batch.column(entity_type.column)
    absent = pa.scalar(None, column.type)
    return _each(pc.if_else(accepted, column, absent), entity_type.clean)


def _nulls(values: pa.Array) -> pa.Array:
    return pa.nulls(len(values), pa.string())


def _each(values: pa.Array, clean: Cleaner) -> Cleaned:
    """Apply a cleaner to strings, or to the elements of lists of strings."""
    if not _is_list(values.type):
        return clean(values.cast(pa.string()))
    values = values.cast(pa.list_(pa.string()))
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    ends = pc.cumulative_sum(lengths.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    cleaned = clean(pc.list_flatten(values))
    return Cleaned(
        pa.ListArray.from_arrays(offsets, cleaned.ids),
        pa.ListArray.from_arrays(offsets, cleaned.reasons),
    )
