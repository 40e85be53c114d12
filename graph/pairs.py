"""Which accounts did the same thing: pairs of accounts by trace, before any weight or filter."""

from __future__ import annotations

from dataclasses import dataclass

from graph.activity import of_trace
from graph.config import Trace
from graph.engines.base import Engine
from graph.frames import Column, DataFrame, F
from graph.tables import TIMESTAMP, Table, columns

BURSTS = Table(
    name="bursts",
    grain="trace, entity and moment that made no pairs because too many acted in it",
    key=("trace", "entity_type", "entity_id", "moment_at"),
    schema=columns(
        trace="string",
        entity_type="string",
        entity_id="string",
        moment_at=TIMESTAMP,  # its first event
        accounts="int64",
        events="int64",
    ),
)

EVENTS_PER_ACCOUNT = 10
"""A moment of more than this times max_burst events makes no pairs either: one account that repeats
itself thousands of times costs as much as a crowd does."""


@dataclass(frozen=True)
class TracePairs:
    """What a trace found.

    pairs: one row per (account_a < account_b, entity_id): co_actions, time_delta_us (summed),
    first_at, last_at. bursts: columns of BURSTS but `trace`.
    """

    pairs: DataFrame
    bursts: DataFrame | None


def participants(account_activity: DataFrame, trace: Trace) -> DataFrame:
    """Accounts with at least min_participation rows in the trace: account_id (the key)."""
    whole = of_trace(account_activity.filter(F.col("bin_width_us") == 0), trace)
    counted = whole.groupBy("account_id").agg(F.sum("events").alias("events"))
    return counted.filter(F.col("events") >= trace.min_participation).select("account_id")


def trace_sightings(sightings: DataFrame, trace: Trace) -> DataFrame:
    """The sightings that a trace is about; each has an `event` id of its own, at `at`."""
    rows = of_trace(sightings, trace)
    if trace.exclude_originator:
        rows = _without_originator(rows, sightings.filter(F.col("entity_type") == trace.entity))
    at_us = F.unix_micros("event_at").cast("string")
    own_id = F.concat_ws("|", "account_id", "event_type", at_us, F.col("occurrence").cast("string"))
    return rows.select(
        "account_id",
        "entity_id",
        F.coalesce("event_id", own_id).alias("event"),
        F.col("event_at").alias("at"),
        "may_link",
    )


def _without_originator(rows: DataFrame, all_rows: DataFrame) -> DataFrame:
    """Drop the rows of the account that was first on each entity, the smallest id on a tie."""
    first = all_rows.groupBy("entity_id").agg(
        F.min(F.struct("event_at", "account_id")).alias("first")
    )
    originators = first.select("entity_id", F.col("first.account_id").alias("account_id"))
    return rows.join(originators, on=["entity_id", "account_id"], how="left_anti")


def windowed_pairs(
    engine: Engine,
    name: str,
    trace: Trace,
    rows: DataFrame,
    present: DataFrame,
    max_burst: int | None,
) -> TracePairs:
    """Pair the events of different accounts on one entity within the trace's window, inclusive.

    `rows` is trace_sightings, `present` the participants. Two events with the same id, or with the
    entity's own id, are no pair (CooRTweet's rule). After pairing, a pair stays only if one of its
    two events belongs to an account that still has min_participation rows among the events left.
    """
    window = trace.window or 0
    width = max(window, 1)
    rows = rows.join(present, on="account_id", how="left_semi")
    rows = rows.withColumn("bucket", F.floor(F.unix_micros("at") / F.lit(width)).cast("bigint"))
    rows = engine.materialize(rows, f"{name}.rows")
    linking = rows.filter(F.col("may_link"))
    bursts = None
    if max_burst is not None:
        bursts = engine.materialize(_bursts(linking, max_burst), f"{name}.bursts")
        linking = linking.join(bursts, on=["entity_id", "bucket"], how="left_anti")
    events = _event_pairs(linking, window)
    if trace.min_participation > 1:
        events = engine.materialize(events, f"{name}.events")
        events = _still_participating(engine, name, events, rows, trace.min_participation)
    delta = F.abs(F.unix_micros("at_a") - F.unix_micros("at_b"))
    pairs = (
        events.repartition("account_a", "account_b")
        .groupBy("account_a", "account_b", "entity_id")
        .agg(
            F.count(F.lit(1)).alias("co_actions"),
            F.sum(delta).cast("bigint").alias("time_delta_us"),
            F.min(F.least("at_a", "at_b")).alias("first_at"),
            F.max(F.greatest("at_a", "at_b")).alias("last_at"),
        )
    )
    return TracePairs(engine.materialize(pairs, f"{name}.pairs"), bursts)


def _bursts(rows: DataFrame, max_burst: int) -> DataFrame:
    """The moments in which too many acted: entity_id and bucket (the key), accounts, events."""
    busy = rows.groupBy("entity_id").agg(F.count(F.lit(1)).alias("all_events"))
    busy = busy.filter(F.col("all_events") > max_burst).select("entity_id")
    moments = (
        rows.join(busy, on="entity_id", how="left_semi")
        .groupBy("entity_id", "bucket")
        .agg(
            F.count_distinct("account_id").alias("accounts"),
            F.count(F.lit(1)).alias("events"),
            F.min("at").alias("moment_at"),
        )
    )
    return moments.filter(
        (F.col("accounts") > max_burst) | (F.col("events") > max_burst * EVENTS_PER_ACCOUNT)
    )


def _event_pairs(rows: DataFrame, window: int) -> DataFrame:
    """Join each bucket with itself and the next, then check exactly; one row per pair of events."""
    left = rows.select("entity_id", "bucket", *_renamed("x"))
    ahead = F.explode(F.array(F.lit(0), F.lit(1))).alias("ahead")
    right = rows.select("entity_id", "bucket", *_renamed("y"), ahead)
    right = right.withColumn("bucket", F.col("bucket") - F.col("ahead"))
    once = F.when(F.col("ahead") == 0, F.col("account_x") < F.col("account_y")).otherwise(
        F.col("account_x") != F.col("account_y")
    )
    in_time = F.abs(F.unix_micros("at_x") - F.unix_micros("at_y")) <= window
    own_events = (
        (F.col("event_x") != F.col("event_y"))
        & (F.col("event_x") != F.col("entity_id"))
        & (F.col("event_y") != F.col("entity_id"))
    )
    joined = left.join(right, on=["entity_id", "bucket"], how="inner").filter(
        once & in_time & own_events
    )
    in_order = F.col("account_x") < F.col("account_y")
    return joined.select(
        "entity_id",
        *(
            F.when(in_order, F.col(f"{column}_{first}"))
            .otherwise(F.col(f"{column}_{second}"))
            .alias(f"{column}_{side}")
            for column in ("account", "event", "at")
            for side, first, second in (("a", "x", "y"), ("b", "y", "x"))
        ),
    )


def _renamed(side: str) -> list[Column]:
    return [
        F.col("account_id").alias(f"account_{side}"),
        F.col("event").alias(f"event_{side}"),
        F.col("at").alias(f"at_{side}"),
    ]


def _still_participating(
    engine: Engine, name: str, events: DataFrame, rows: DataFrame, min_participation: int
) -> DataFrame:
    """Keep the pairs with an event of an account that participates among the events left."""
    paired = events.select(F.col("event_a").alias("event")).union(
        events.select(F.col("event_b").alias("event"))
    )
    left = rows.join(paired.distinct(), on="event", how="left_semi")
    left = engine.materialize(left.select("account_id", "event"), f"{name}.left")
    counted = left.groupBy("account_id").agg(F.count(F.lit(1)).alias("rows"))
    steady = counted.filter(F.col("rows") >= min_participation).select("account_id")
    steady = engine.materialize(steady, f"{name}.steady")
    # An event id that several accounts used belongs to each of them.
    shared = left.groupBy("event").agg(
        F.min("account_id").alias("smallest"), F.max("account_id").alias("largest")
    )
    shared = shared.filter(F.col("smallest") != F.col("largest")).select("event")
    of_steady = (
        left.join(shared, on="event", how="left_semi")
        .join(steady, on="account_id", how="left_semi")
        .select("event")
        .distinct()
    )
    of_steady = engine.materialize(of_steady, f"{name}.of_steady")
    flags = []
    for side in ("a", "b"):
        for column, frame in (("account", steady), ("event", of_steady)):
            key, flag = f"{column}_{side}", f"{column}_{side}_stays"
            known = frame.select(F.col(frame.columns[0]).alias(key), F.lit(True).alias(flag))
            events = events.join(known, on=key, how="left")
            flags.append(F.coalesce(F.col(flag), F.lit(False)))
    stays = flags[0] | flags[1] | flags[2] | flags[3]
    return events.filter(stays)


def shared_pairs(
    engine: Engine,
    name: str,
    trace: Trace,
    edges: DataFrame,
    present: DataFrame,
    linking: DataFrame,
) -> TracePairs:
    """Pair the accounts that share an entity at any time in the look-back.

    `edges` has account_id, entity_id, events, first_at, last_at; `present` the participants;
    `linking` the entity_id of entities that may link without a window. co_actions is the product of
    both accounts' events on the entity; there is no time between them, so time_delta_us is null.
    """
    rows = edges.join(linking, on="entity_id", how="left_semi").join(
        present, on="account_id", how="left_semi"
    )
    rows = _enough_entities(rows, trace.min_entities)
    rows = engine.materialize(rows, f"{name}.rows")
    if trace.min_participation > 1:
        rows = _with_steady(rows, trace.min_participation)
    else:
        rows = rows.withColumn("steady", F.lit(True))
    left = _edge_side(rows, "a")
    right = _edge_side(rows, "b")
    joined = left.join(right, on="entity_id", how="inner").filter(
        (F.col("account_a") < F.col("account_b")) & (F.col("steady_a") | F.col("steady_b"))
    )
    pairs = joined.select(
        "account_a",
        "account_b",
        "entity_id",
        (F.col("events_a") * F.col("events_b")).alias("co_actions"),
        F.lit(None).cast("bigint").alias("time_delta_us"),
        F.least("first_a", "first_b").alias("first_at"),
        F.greatest("last_a", "last_b").alias("last_at"),
    )
    return TracePairs(engine.materialize(pairs, f"{name}.pairs"), None)


def _enough_entities(rows: DataFrame, min_entities: int) -> DataFrame:
    """Drop accounts that have too few entities to share min_entities of them with anybody."""
    if min_entities < 2:
        return rows
    counted = rows.groupBy("account_id").agg(F.count(F.lit(1)).alias("entities"))
    enough = counted.filter(F.col("entities") >= min_entities).select("account_id")
    return rows.join(enough, on="account_id", how="left_semi")


def _with_steady(rows: DataFrame, min_participation: int) -> DataFrame:
    """Flag the accounts that still have min_participation rows on entities with another account."""
    shared = rows.groupBy("entity_id").agg(F.count(F.lit(1)).alias("accounts"))
    left = rows.join(
        shared.filter(F.col("accounts") > 1).select("entity_id"), on="entity_id", how="left_semi"
    )
    counted = left.groupBy("account_id").agg(F.sum("events").alias("rows_left"))
    return left.join(counted, on="account_id", how="inner").withColumn(
        "steady", F.col("rows_left") >= min_participation
    )


def _edge_side(rows: DataFrame, side: str) -> DataFrame:
    return rows.select(
        "entity_id",
        F.col("account_id").alias(f"account_{side}"),
        F.col("events").alias(f"events_{side}"),
        F.col("first_at").alias(f"first_{side}"),
        F.col("last_at").alias(f"last_{side}"),
        F.col("steady").alias(f"steady_{side}"),
    )
