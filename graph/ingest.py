"""From a site's rows to judged events: column mapping, judgement, duplicates, the row balance."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa

from graph.engines.base import NO_COLUMNS, UNPARSED, Engine, InputError
from graph.entities import ENTITY_TYPES
from graph.event_times import SPAN, time_spans
from graph.events import (
    ACCEPTED,
    DUPLICATE,
    OUTSIDE,
    QUARANTINED,
    EventRules,
    event_schema,
    judge_events,
)
from graph.frames import Column, DataFrame, F, Window
from graph.suggestions import nearest
from graph.tables import Table, columns

QUARANTINE = Table(
    name="quarantine",
    grain="rejected row of the event log",
    key=("row",),
    schema=columns(row="int64", reason="string", source="string", raw="string"),
)

SOURCE = "_source_file"
"""The column of a raw row that names the file it came from."""

LISTED_COLUMNS = 30  # of a log, in a message; a binary file read as CSV has thousands

LIST_SEPARATOR = "\x1f"

# Types that ids cannot be read from: text made of them differs between engines, or loses digits.
NO_ID = re.compile(r"double|float|decimal\(\d+, ?[1-9]|array|struct|map|boolean|date|timestamp")
NO_TIME = re.compile(r"array|struct|map|boolean|binary")


def event_columns() -> list[str]:
    """The names of all columns that an event log may have."""
    entity_columns = [entity.column for entity in ENTITY_TYPES if entity.column is not None]
    return ["account_id", "event_time", "event_type", "event_id", "market", *entity_columns]


def map_columns(raw: DataFrame, mapping: Mapping[str, str], where: str) -> DataFrame:
    """Give a log's columns their standard names, with `source` and what could not be parsed.

    raw: the log with its SOURCE. An optional column that the mapping does not name is taken under
    its standard name where the log has it. Raises InputError for a mapped column that the log
    lacks, or one of a type that no id or time has.
    """
    types = {name: kind for name, kind in raw.dtypes if name not in (SOURCE, UNPARSED)}
    for name, column in mapping.items():
        if column not in types:
            raise InputError(
                f"{where}: there is no column {column!r} for {name} (events.columns.{name})"
                f"{instead_of(column, types)}"
            )
    names = {name: name for name in event_columns() if name in types} | dict(mapping)
    for name, column in names.items():
        _check_type(name, column, types[column], where)
    # Backquotes, because a dot in a name would ask for a field inside of a column.
    chosen = [F.col(f"`{column.replace('`', '``')}`").alias(name) for name, column in names.items()]
    if UNPARSED in raw.columns:
        chosen.append(F.col(UNPARSED).alias("malformed"))
    return raw.select(*chosen, F.col(SOURCE).alias("source"))


def instead_of(absent: str, names: Collection[str]) -> str:
    """Say which columns there are, unless they are the debris of another format."""
    if not names or not all(name.isprintable() and name[:1] not in "{[" for name in names):
        return f"; {NO_COLUMNS}"
    shown = ", ".join(list(names)[:LISTED_COLUMNS])
    more = f" and {len(names) - LISTED_COLUMNS} more" if len(names) > LISTED_COLUMNS else ""
    return f"{nearest(absent, names)}; its columns are {shown}{more}"


def _check_type(name: str, column: str, kind: str, where: str) -> None:
    if name == "event_time":
        if NO_TIME.match(kind):
            raise InputError(
                f"{where}: column {column!r} is of type {kind}, which is no time "
                f"(events.columns.{name}): write it as timestamp, number or text"
            )
        return
    may_be_list = any(name == entity.column for entity in ENTITY_TYPES)
    is_list = may_be_list and kind.startswith("array<")
    check_id_type(column, kind[len("array<") : -1] if is_list else kind, where)


def check_id_type(column: str, kind: str, where: str) -> None:
    """Raise InputError unless ids can be read from a column of this type as they were meant."""
    if NO_ID.match(kind):
        raise InputError(
            f"{where}: column {column!r} is of type {kind}, from which ids cannot be read as they "
            "were: write it as text or whole number"
        )


def judge(engine: Engine, raw: DataFrame, rules: EventRules, deduplicate: bool) -> DataFrame:
    """Judge every row: accepted, quarantined, outside the look-back, or a duplicate.

    One row per row of the log, columns of `graph.events.event_schema`. With `deduplicate`, of the
    accepted rows of one account with the same event_id all but one are duplicates: the earliest
    stays, then the smallest in column order (type, entities, market), null first. The result is
    materialized: as a rule no id is repeated, and then rows need not be brought together.
    """
    list_columns = {name for name, kind in raw.dtypes if kind.startswith("array")}
    schema = event_schema(rules, list_columns)
    judged = engine.map_arrow(raw, partial(judge_events, rules=rules, schema=schema), schema)
    judged = engine.materialize(judged, "judged")
    if not deduplicate or "event_id" not in raw.columns:
        return judged
    ids = engine.count_keys(judged.select("event_id", "account_id"))
    if ids.whole == ids.hashes:
        return judged
    identified = judged.filter((F.col("status") == ACCEPTED) & F.col("event_id").isNotNull())
    counted = identified.groupBy("event_id", "account_id").agg(F.count(F.lit(1)).alias("copies"))
    repeated = counted.filter(F.col("copies") > 1).select("event_id", "account_id")
    repeated = engine.materialize(repeated, "repeated")
    if repeated.limit(1).count() == 0:
        return judged
    return engine.materialize(_without_copies(judged, repeated, rules, schema), "deduplicated")


def _without_copies(
    judged: DataFrame, repeated: DataFrame, rules: EventRules, schema: pa.Schema
) -> DataFrame:
    """Mark all rows of each repeated event_id and account_id but the first as duplicates."""
    repeated = repeated.withColumn("is_repeated", F.lit(True))
    marked = judged.join(repeated, on=["event_id", "account_id"], how="left")
    is_repeated = F.coalesce("is_repeated", F.lit(False)) & (F.col("status") == ACCEPTED)
    alone = marked.filter(~is_repeated).select(*schema.names)
    several = marked.filter(is_repeated).select(*schema.names)
    first = Window.partitionBy("event_id", "account_id").orderBy(*_order(rules, schema))
    several = several.withColumn("place", F.row_number().over(first))
    status = F.when(F.col("place") > 1, F.lit(DUPLICATE)).otherwise(F.col("status"))
    return alone.unionByName(several.withColumn("status", status).drop("place"))


def _order(rules: EventRules, schema: pa.Schema) -> list[Column]:
    """What tells rows of one event apart: not the file, which says nothing of the event."""
    entities = [entity.name for entity in rules.entity_types if entity.derived_from is None]
    reasons = [f"{name}_reason" for name in entities]
    order = []
    for name in ["event_at", "event_type", *entities, *reasons, "market"]:
        is_list = pa.types.is_list(schema.field(name).type)
        # Engines differ on lists with nulls, but not on texts.
        value = F.array_join(name, LIST_SEPARATOR) if is_list else F.col(name)
        order.append(value.asc_nulls_first())
    return order


def accepted_events(judged: DataFrame) -> DataFrame:
    """Keep the events that count: one row each, account_id, event_at, entities and the rest."""
    return judged.filter(F.col("status") == ACCEPTED).drop("status", "reason", "raw", "source")


def quarantined_rows(judged: DataFrame) -> DataFrame:
    """Number the rejected rows by source, reason and text; columns of QUARANTINE."""
    rejected = judged.filter(F.col("status") == QUARANTINED).select("reason", "source", "raw")
    order = Window.partitionBy(F.lit(1)).orderBy("source", "reason", "raw")
    return rejected.withColumn("row", F.row_number().over(order).cast("bigint"))


def count_rows(engine: Engine, judged: DataFrame) -> dict[str, int]:
    """Count the rows by what became of them: accepted, quarantined, duplicate, outside."""
    counted = engine.to_arrow(judged.groupBy("status").agg(F.count(F.lit(1)).alias("rows")))
    found = {row["status"]: row["rows"] for row in counted.to_pylist()}
    return {status: found.get(status, 0) for status in (ACCEPTED, QUARANTINED, DUPLICATE, OUTSIDE)}


def accepted_by_day(engine: Engine, events: DataFrame) -> dict[date, int]:
    """Count the accepted events of each day that has any, in order."""
    days = events.select(F.to_date("event_at").alias("day")).groupBy("day")
    rows = engine.to_arrow(days.agg(F.count(F.lit(1)).alias("rows"))).to_pylist()
    return {row["day"]: row["rows"] for row in sorted(rows, key=lambda row: row["day"])}


def days_of_log(engine: Engine, raw: DataFrame, unit: str) -> tuple[str, str] | None:
    """The days of the earliest and the latest time of a log in standard columns, if any is one."""
    times = raw.select("event_time")
    spans = engine.map_arrow(times, partial(time_spans, unit=unit), SPAN)
    ends = spans.agg(F.min("from_us").alias("from_us"), F.max("to_us").alias("to_us"))
    (row,) = engine.to_arrow(ends).to_pylist()
    if row["from_us"] is None:
        return None
    # Times in a wrong unit lie beyond what Python's days can be.
    first, last = (str(np.datetime64(row[end], "us").astype("datetime64[D]")) for end in SPAN.names)
    return first, last


def count_unidentified(engine: Engine, events: DataFrame) -> dict[str, dict[str, int]]:
    """Count entity values that identify nobody, by entity type and reason."""
    counts: dict[str, dict[str, int]] = {}
    for entity_type in ENTITY_TYPES:
        column = f"{entity_type.name}_reason"
        if entity_type.derived_from is not None or column not in events.columns:
            continue
        reasons = flat_values(events, column, [])
        counted = reasons.groupBy("value").agg(F.count(F.lit(1)).alias("values"))
        rows = engine.to_arrow(counted).to_pylist()
        counts[entity_type.name] = {
            row["value"]: row["values"] for row in sorted(rows, key=lambda row: row["value"])
        }
    return {name: reasons for name, reasons in counts.items() if reasons}


def flat_values(events: DataFrame, column: str, others: Sequence[str]) -> DataFrame:
    """One row per event and non-null value of a string or list column, as `value` beside others."""
    is_list = dict(events.dtypes)[column].startswith("array")
    value = F.explode(F.col(column)) if is_list else F.col(column)
    rows = events.filter(F.col(column).isNotNull()).select(*others, value.alias("value"))
    return rows.filter(F.col("value").isNotNull())
