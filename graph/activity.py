"""How active accounts are, over all accepted rows: what participation and surprise rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graph.config import Trace
from graph.engines.base import Engine
from graph.frames import Column, DataFrame, F
from graph.tables import Table, columns
from graph.union import union_all

ACCOUNT_ACTIVITY = Table(
    name="account_activity",
    grain="account, entity type, event type and time bin",
    key=("account_id", "entity_type", "event_type", "bin_width_us", "bin"),
    schema=columns(
        account_id="string",
        entity_type="string",  # `any`: each accepted row once, with an entity or without
        event_type="string",
        bin_width_us="int64",  # 0: the whole look-back, bin 0
        bin="int64",  # floor(time / width)
        events="int64",  # sightings of entities of the type
        entities="int64",  # distinct ones; null in bins
    ),
)

TRACE_ACTIVITY = Table(
    name="trace_activity",
    grain="trace with a window, and time bin",
    key=("trace", "bin"),
    schema=columns(
        trace="string",
        bin="int64",
        events="int64",  # of the trace, in the bin
        squares="int64",  # sum over entities of (the entity's events in the bin) squared
    ),
    version=2,  # its description tells what the day's graph was built for: graph.build_settings
)

ANY = "any"
MIN_BIN_US = 600_000_000


def bin_width(window: int) -> int:
    """The width of a window's time bins in microseconds: max(10 min, 2 window + 1 us).

    Two events within the window are then in one bin or in neighbours, and more pairs are expected
    in a bin than can match.
    """
    return max(MIN_BIN_US, 2 * window + 1)


def bin_of(width: int) -> Column:
    """The bin that event_at is in."""
    return F.floor(F.unix_micros("event_at") / F.lit(width)).cast("bigint")


def of_trace(rows: DataFrame, trace: Trace) -> DataFrame:
    """Keep the rows with the trace's entity type and event types."""
    kept = rows.filter(F.col("entity_type") == trace.entity)
    return kept if trace.events is None else kept.filter(F.col("event_type").isin(*trace.events))


def account_activity(
    events: DataFrame, edge_activity: DataFrame, rows: DataFrame, traces: Iterable[Trace]
) -> DataFrame:
    """Count each account's events; columns of ACCOUNT_ACTIVITY.

    `rows` is graph.build.entity_events. Time bins are kept only for what the traces' windows need.
    """
    counted = edge_activity.groupBy("account_id", "entity_type", "event_type").agg(
        F.sum("events").cast("bigint").alias("events"),
        F.count(F.lit(1)).alias("entities"),
    )
    all_rows = events.groupBy("account_id", "event_type").agg(F.count(F.lit(1)).alias("events"))
    whole = counted.unionByName(
        all_rows.withColumn("entity_type", F.lit(ANY)).withColumn(
            "entities", F.lit(None).cast("bigint")
        )
    )
    whole = whole.withColumn("bin_width_us", F.lit(0).cast("bigint")).withColumn(
        "bin", F.lit(0).cast("bigint")
    )
    binned = [
        _binned(rows, entity, event_types, width)
        for (entity, width), event_types in _bins_needed(traces).items()
    ]
    return union_all([whole, *binned]).select(*ACCOUNT_ACTIVITY.columns)


def _bins_needed(traces: Iterable[Trace]) -> dict[tuple[str, int], tuple[str, ...] | None]:
    """The event types of each entity type and bin width; None: all."""
    needed: dict[tuple[str, int], tuple[str, ...] | None] = {}
    for trace in traces:
        if trace.window is None:
            continue
        key = (trace.entity, bin_width(trace.window))
        known = needed.get(key, ())
        both_listed = trace.events is not None and known is not None
        needed[key] = (
            tuple(sorted({*(known or ()), *(trace.events or ())})) if both_listed else None
        )
    return needed


def _binned(
    rows: DataFrame, entity: str, event_types: tuple[str, ...] | None, width: int
) -> DataFrame:
    kept = rows.filter(F.col("entity_type") == entity)
    if event_types is not None:
        kept = kept.filter(F.col("event_type").isin(*event_types))
    return (
        kept.withColumn("bin", bin_of(width))
        .groupBy("account_id", "entity_type", "event_type", "bin")
        .agg(F.count(F.lit(1)).alias("events"))
        .withColumn("bin_width_us", F.lit(width).cast("bigint"))
        .withColumn("entities", F.lit(None).cast("bigint"))
    )


def trace_activity(engine: Engine, rows: DataFrame, traces: Mapping[str, Trace]) -> DataFrame:
    """Count each windowed trace's events by time bin; columns of TRACE_ACTIVITY."""
    nothing = engine.from_arrow(TRACE_ACTIVITY.schema.empty_table())
    counted = [
        _trace_bins(name, of_trace(rows, trace), trace.window)
        for name, trace in traces.items()
        if trace.window is not None
    ]
    return union_all([nothing, *counted])


def _trace_bins(name: str, rows: DataFrame, window: int) -> DataFrame:
    by_entity = (
        rows.withColumn("bin", bin_of(bin_width(window)))
        .groupBy("entity_id", "bin")
        .agg(F.count(F.lit(1)).alias("events"))
    )
    return by_entity.groupBy("bin").agg(
        F.lit(name).alias("trace"),
        F.sum("events").cast("bigint").alias("events"),
        F.sum(F.col("events") * F.col("events")).cast("bigint").alias("squares"),
    )


def over_look_back(activity: DataFrame) -> DataFrame:
    """Keep the ACCOUNT_ACTIVITY rows that are no time bin's, which every trace asks for.

    Columns account_id, entity_type, event_type (the key), events.
    """
    whole = activity.filter(F.col("bin_width_us") == 0)
    return whole.select("account_id", "entity_type", "event_type", "events")


def populations(engine: Engine, whole: DataFrame, traces: Mapping[str, Trace]) -> dict[str, int]:
    """Count the accounts with an event of each trace, by its name; `whole` is over_look_back."""
    counted = [
        of_trace(whole, trace)
        .agg(F.count_distinct("account_id").alias("accounts"))
        .withColumn("trace", F.lit(name))
        for name, trace in traces.items()
    ]
    rows = engine.to_arrow(union_all(counted)).to_pylist() if counted else []
    return {row["trace"]: row["accounts"] for row in rows}
