"""Which accounts did the same thing: pairs of accounts by trace, before any weight or filter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from graph.activity import of_trace
from graph.config import Trace
from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.numbers import Numbers
from graph.pair_kernels import NO_WINDOW
from graph.pairing import pair_rows, paired_events
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
    """What a trace found, of the pairs of accounts that pass its minimums.

    pairs: one row per (account_a < account_b, entity_id): co_actions, time_delta_us (summed; null
    without a window), first_at, last_at. bursts: columns of BURSTS but `trace`, entity_type; None
    where there is no limit.
    """

    pairs: DataFrame
    bursts: DataFrame | None


def participants(whole: DataFrame, trace: Trace) -> DataFrame:
    """Accounts with at least min_participation rows in the trace: account_id (the key).

    `whole` is graph.activity.over_look_back.
    """
    counted = of_trace(whole, trace).groupBy("account_id").agg(F.sum("events").alias("events"))
    return counted.filter(F.col("events") >= trace.min_participation).select("account_id")


def trace_sightings(sightings: DataFrame, trace: Trace) -> DataFrame:
    """The sightings that a trace is about; each has an `event` id of its own, at `at`."""
    rows = of_trace(sightings, trace)
    if trace.exclude_originator:
        of_type = sightings.filter(F.col("entity_type") == trace.entity)
        rows = without_originators(rows, of_type, "event_at")
    # Without an id every row is an event by itself, also one of the same moment on another entity.
    at_us, occurrence = F.unix_micros("event_at").cast("string"), F.col("occurrence").cast("string")
    own_id = F.concat_ws("|", "account_id", "event_type", "entity_id", at_us, occurrence)
    return rows.select(
        "account_id",
        "entity_id",
        F.coalesce("event_id", own_id).alias("event"),
        F.col("event_at").alias("at"),
        "may_link",
    )


def without_originators(rows: DataFrame, all_rows: DataFrame, time: str) -> DataFrame:
    """Drop the rows of the account that was first on each entity, the smallest id on a tie.

    `all_rows` are those of every event type; `time` is their column of times.
    """
    first = all_rows.groupBy("entity_id").agg(F.min(F.struct(time, "account_id")).alias("first"))
    originators = first.select("entity_id", F.col("first.account_id").alias("account_id"))
    return rows.join(originators, on=["entity_id", "account_id"], how="left_anti")


def windowed_pairs(
    engine: Engine,
    name: str,
    trace: Trace,
    rows: DataFrame,
    present: DataFrame,
    numbers: Numbers,
    max_burst: int | None,
) -> TracePairs:
    """Pair the events of different accounts on one entity within the trace's window, inclusive.

    `rows` is trace_sightings, `present` the participants. Two events with the same id, or with the
    entity's own id, are no pair (CooRTweet's rule). Of the pairs only those stay that have an event
    of an account which still has min_participation rows among the events paired.
    """
    window = trace.window or 0
    rows = rows.join(present, on="account_id", how="left_semi")
    width = F.lit(max(window, 1))
    rows = rows.withColumn("bucket", F.floor(F.unix_micros("at") / width).cast("bigint"))
    rows = engine.materialize(rows, f"{name}.rows")
    linking = rows.filter(F.col("may_link") & (F.col("event") != F.col("entity_id")))
    bursts = None
    if max_burst is not None:
        bursts = engine.materialize(_bursts(linking, max_burst), f"{name}.bursts")
        linking = linking.join(bursts, on=["entity_id", "bucket"], how="left_anti")
    at_us = F.unix_micros("at").alias("at_us")
    numbered = numbers.of(linking).select("account", "entity", "event", at_us)
    # Accounts that share min_entities have that many rows: the rule says no more than that one.
    if trace.min_participation > max(trace.min_entities, 1):
        numbered = _with_stays(
            engine, name, numbered, rows, window, trace.min_participation, numbers
        )
    else:
        numbered = numbered.withColumn("stays", F.lit(True))
    return TracePairs(pair_rows(engine, name, trace, numbered, rows, numbers, window), bursts)


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


def _with_stays(
    engine: Engine,
    name: str,
    numbered: DataFrame,
    rows: DataFrame,
    window: int,
    min_participation: int,
    numbers: Numbers,
) -> DataFrame:
    """Flag the rows whose pairs stay: events of accounts that participate among those paired.

    Every row of a paired event counts, also on entities that cannot link.
    """
    events = engine.map_arrow(
        numbered, partial(paired_events, window=window), columns(event="string"), ["entity"]
    )
    left = rows.join(events.distinct(), on="event", how="left_semi")
    left = engine.materialize(left.select("account_id", "event"), f"{name}.left")
    counted = left.groupBy("account_id").agg(F.count(F.lit(1)).alias("rows"))
    steady = counted.filter(F.col("rows") >= min_participation).select("account_id")
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
        .withColumn("event_stays", F.lit(True))
    )
    steady_numbers = numbers.accounts.join(steady, on="account_id", how="left_semi").select(
        "account", F.lit(True).alias("account_stays")
    )
    flagged = numbered.join(steady_numbers, on="account", how="left").join(
        of_steady, on="event", how="left"
    )
    stays = F.coalesce("account_stays", "event_stays", F.lit(False))
    return flagged.withColumn("stays", stays).drop("account_stays", "event_stays")


def shared_pairs(
    engine: Engine,
    name: str,
    trace: Trace,
    edges: DataFrame,
    present: DataFrame,
    linking: DataFrame,
    numbers: Numbers,
) -> TracePairs:
    """Pair the accounts that share an entity at any time in the look-back.

    `edges` has account_id, entity_id, events, first_at, last_at; `present` the participants;
    `linking` the entity_id of entities that may link without a window. co_actions is the product of
    both accounts' events on the entity.
    """
    rows = edges.join(linking, on="entity_id", how="left_semi").join(
        present, on="account_id", how="left_semi"
    )
    if trace.min_participation > max(trace.min_entities, 1):
        rows = _with_stays_by_entity(rows, trace.min_participation)
    else:
        rows = rows.withColumn("stays", F.lit(True))
    rows = engine.materialize(_enough_entities(rows, trace.min_entities), f"{name}.rows")
    numbered = numbers.of(rows).select(
        "account",
        "entity",
        "events",
        F.unix_micros("first_at").alias("at_us"),
        F.unix_micros("last_at").alias("last_us"),
        "stays",
    )
    return TracePairs(pair_rows(engine, name, trace, numbered, rows, numbers, NO_WINDOW), None)


def _enough_entities(rows: DataFrame, min_entities: int) -> DataFrame:
    """Drop accounts that have too few entities to share min_entities of them with anybody."""
    if min_entities < 2:
        return rows
    counted = rows.groupBy("account_id").agg(F.count(F.lit(1)).alias("entities"))
    enough = counted.filter(F.col("entities") >= min_entities).select("account_id")
    return rows.join(enough, on="account_id", how="left_semi")


def _with_stays_by_entity(rows: DataFrame, min_participation: int) -> DataFrame:
    """Flag the accounts that have min_participation rows on entities with another account."""
    shared = rows.groupBy("entity_id").agg(F.count(F.lit(1)).alias("accounts"))
    left = rows.join(
        shared.filter(F.col("accounts") > 1).select("entity_id"), on="entity_id", how="left_semi"
    )
    counted = left.groupBy("account_id").agg(F.sum("events").alias("rows_left"))
    return left.join(counted, on="account_id", how="inner").withColumn(
        "stays", F.col("rows_left") >= min_participation
    )
