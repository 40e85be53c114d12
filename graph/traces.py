"""One trace from the graph's tables to links: pairs, minimums, weight, surprise, filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graph.activity import of_trace
from graph.config import Config, Trace
from graph.cosine import cosines
from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.ip_networks import SHARED_KINDS
from graph.link_filters import mark_kept
from graph.links import aggregate, rarity, with_weight
from graph.numbers import Numbers, number_networks
from graph.pairs import (
    TracePairs,
    participants,
    shared_pairs,
    trace_sightings,
    windowed_pairs,
    without_originators,
)
from graph.surprise import expected_by_degree, expected_in_windows, with_surprise
from graph.tables import TIMESTAMP, columns

WEIGHTED = columns(
    account_a="string",
    account_b="string",
    co_actions="int64",
    entities="int64",
    time_delta_us="int64",
    first_at=TIMESTAMP,
    last_at=TIMESTAMP,
    weight="int64",
)


@dataclass(frozen=True)
class GraphTables:
    """The tables of a day that links are made of, and what all traces share.

    look_back_activity: graph.activity.over_look_back. account_numbers, entity_numbers:
    graph.numbers. populations: accounts by trace, graph.activity.
    """

    edges: DataFrame
    edge_activity: DataFrame
    nodes: DataFrame
    sightings: DataFrame
    account_activity: DataFrame
    look_back_activity: DataFrame
    trace_activity: DataFrame
    account_numbers: DataFrame
    entity_numbers: Mapping[str, DataFrame]
    populations: Mapping[str, int]


@dataclass(frozen=True)
class TraceLinks:
    """What a trace found: links in fixed point, with `kept`; the entities behind each; bursts.

    evidence: account_a, account_b, entity_id (the key), co_actions, rarity (micro-units), first_at,
    last_at. bursts: columns of graph.pairs.BURSTS but `trace`, or None where there is no limit.
    """

    links: DataFrame
    evidence: DataFrame
    bursts: DataFrame | None


@dataclass(frozen=True)
class _Found:
    """A trace's pairs with what their weights rest on."""

    pairs: TracePairs
    terms: DataFrame  # account_id, entity_id, events: all edges of the trace
    rarities: DataFrame
    linking: DataFrame | None  # without a window: the entities that may link


def trace_links(
    engine: Engine, name: str, trace: Trace, tables: GraphTables, config: Config
) -> TraceLinks:
    """Find the links of one trace (DESIGN, step 3)."""
    if trace.window is None:
        found = _without_window(engine, name, trace, tables, config)
    else:
        found = _with_window(engine, name, trace, tables, config)
    pairs = found.pairs.pairs
    counted_as = _counted_as(tables.nodes, trace)
    links = engine.materialize(aggregate(pairs, found.rarities, counted_as), f"{name}.sums")
    similar = None
    if trace.weight == "cosine":
        similar = cosines(engine, pairs, links, found.terms, found.rarities)
    weighted = with_weight(links, trace, similar)
    if found.linking is None:
        expected = expected_in_windows(
            engine, links, name, trace, tables.account_activity, tables.trace_activity
        )
        k = "co_actions"
    else:
        expected = expected_by_degree(engine, links, found.terms, found.linking)
        k = "entities"
    counted = weighted.join(expected, on=["account_a", "account_b"], how="left").select(
        *WEIGHTED.names, F.col(k).alias("found"), "expected"
    )
    judged = engine.materialize(with_surprise(engine, counted, WEIGHTED), f"{name}.judged")
    kept = mark_kept(engine, name, judged, trace.filter)
    evidence = pairs.join(found.rarities, on="entity_id", how="left").select(
        "account_a",
        "account_b",
        "entity_id",
        "co_actions",
        F.coalesce("rarity", F.lit(0).cast("bigint")).alias("rarity"),
        "first_at",
        "last_at",
    )
    return TraceLinks(kept, evidence, _described(found.pairs.bursts, trace))


def _described(bursts: DataFrame | None, trace: Trace) -> DataFrame | None:
    if bursts is None:
        return None
    return bursts.select(
        F.lit(trace.entity).alias("entity_type"), "entity_id", "moment_at", "accounts", "events"
    )


def _with_window(
    engine: Engine, name: str, trace: Trace, tables: GraphTables, config: Config
) -> _Found:
    present = participants(tables.look_back_activity, trace)
    rows = trace_sightings(tables.sightings, trace)
    numbers = _numbers(trace, tables)
    pairs = windowed_pairs(engine, name, trace, rows, present, numbers, config.max_burst)
    edges = trace_edges(tables, trace)
    if trace.weight == "cosine":  # which reads them three times
        edges = engine.materialize(edges, f"{name}.edges")
    return _Found(pairs, edges, _rarities(engine, name, edges, tables), None)


def _without_window(
    engine: Engine, name: str, trace: Trace, tables: GraphTables, config: Config
) -> _Found:
    edges = trace_edges(tables, trace)
    present = participants(tables.look_back_activity, trace)
    linking = linking_entities(tables.nodes, trace, config)
    acting = edges
    if trace.exclude_originator:
        of_type = tables.edges.filter(F.col("entity_type") == trace.entity)
        acting = without_originators(edges, of_type, "first_seen_at")
    pairs = shared_pairs(engine, name, trace, acting, present, linking, _numbers(trace, tables))
    return _Found(pairs, edges, _rarities(engine, name, edges, tables), linking)


def _rarities(engine: Engine, name: str, edges: DataFrame, tables: GraphTables) -> DataFrame:
    """The rarities of all entities of a trace, also of those that cannot link."""
    degrees = edges.groupBy("entity_id").agg(F.count(F.lit(1)).alias("df"))
    return rarity(engine, name, degrees, tables.populations[name])


def _numbers(trace: Trace, tables: GraphTables) -> Numbers:
    entities = tables.entity_numbers[trace.entity]
    network = {"ip": "ip_network", "ip_network": "entity_id"}.get(trace.entity)
    counted_as = None
    if network is not None:
        shared = F.coalesce(F.col("ip_kind").isin(*SHARED_KINDS), F.lit(False))
        counted_as = number_networks(
            entities.select("entity", F.when(~shared, F.col(network)).alias("counts_as_id"))
        )
    return Numbers(tables.account_numbers, entities.select("entity_id", "entity"), counted_as)


def trace_edges(tables: GraphTables, trace: Trace) -> DataFrame:
    """All edges of a trace: account_id, entity_id (the key), events, first_at, last_at."""
    named = ["account_id", "entity_id", "events", "first_at", "last_at"]
    if trace.events is None:
        rows = of_trace(tables.edges, trace)
        return rows.withColumnsRenamed(
            {"first_seen_at": "first_at", "last_seen_at": "last_at"}
        ).select(*named)
    rows = of_trace(tables.edge_activity, trace).withColumnsRenamed(
        {"first_seen_at": "first_at", "last_seen_at": "last_at"}
    )
    if len(trace.events) == 1:
        return rows.select(*named)
    return rows.groupBy("account_id", "entity_id").agg(
        F.sum("events").cast("bigint").alias("events"),
        F.min("first_at").alias("first_at"),
        F.max("last_at").alias("last_at"),
    )


def linking_entities(nodes: DataFrame, trace: Trace, config: Config) -> DataFrame:
    """The entities that link without a window: no hub, and degree up to the soft limit."""
    limits = config.hubs.get(trace.entity)
    entities = nodes.filter(
        (F.col("node_type") == trace.entity) & ~F.col("is_hub") & (F.col("degree") >= 2)
    )
    if limits is not None:
        entities = entities.filter(F.col("degree") <= limits.soft)
    return entities.select(F.col("node_id").alias("entity_id"))


def _counted_as(nodes: DataFrame, trace: Trace) -> DataFrame | None:
    """As which network an address counts towards min_entities; those of shared kinds do not."""
    network = {"ip": "ip_network", "ip_network": "node_id"}.get(trace.entity)
    if network is None:
        return None
    shared = F.coalesce(F.col("ip_kind").isin(*SHARED_KINDS), F.lit(False))
    return nodes.filter(F.col("node_type") == trace.entity).select(
        F.col("node_id").alias("entity_id"),
        F.when(~shared, F.col(network)).alias("counts_as"),
    )
