"""Graph tables of small event logs, made by the same functions as the build-graph job."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from graph.activity import account_activity, trace_activity
from graph.build import (
    account_nodes,
    degrees,
    edge_activity,
    edges,
    entity_events,
    nodes,
    with_networks,
)
from graph.config import Config
from graph.engines.base import Engine
from graph.entities import ENTITY_TYPES
from graph.events import EventRules
from graph.frames import F
from graph.hubs import mark_hubs
from graph.ingest import accepted_events, judge, map_columns
from graph.ip_networks import index_ip_networks
from graph.profiles import activity_of_accounts
from graph.sightings import sightings
from graph.traces import GraphTables

EVERYTHING = (-(1 << 60), 1 << 60)


def graph_tables(
    engine: Engine,
    log: pa.Table,
    config: Config,
    first_day: str,
    ip_networks: list[dict[str, object]] | None = None,
    name: str = "tables",
) -> GraphTables:
    """Judge a log with columns in the config's names, and build its tables."""
    networks = index_ip_networks(ip_networks or [], date(2026, 1, 1))
    rules = EventRules(config.events.time_unit, *EVERYTHING, ENTITY_TYPES, networks)
    raw = engine.from_arrow(log).withColumn("source", F.lit("test"))
    mapped = map_columns(raw, config.events.columns, "test")
    judged = judge(engine, mapped, rules, config.events.deduplicate)
    events = engine.materialize(accepted_events(judged), f"{name}.accepted")
    rows = entity_events(events)
    days = config.lookback_days
    activity = engine.materialize(edge_activity(rows, first_day, days), f"{name}.edge_activity")
    edge_rows = engine.materialize(edges(activity, days), f"{name}.edges")
    entities = mark_hubs(degrees(edge_rows), config.hubs, None)
    entities = engine.materialize(with_networks(engine, entities, networks), f"{name}.entities")
    seen = activity_of_accounts(events, first_day, days)
    node_rows = nodes(account_nodes(seen, edge_rows), entities)
    traces = config.active_traces
    return GraphTables(
        edges=edge_rows,
        edge_activity=activity,
        nodes=engine.materialize(node_rows, f"{name}.nodes"),
        sightings=engine.materialize(
            sightings(rows, entities, not config.events.deduplicate), f"{name}.sightings"
        ),
        account_activity=engine.materialize(
            account_activity(events, activity, rows, traces.values()), f"{name}.account_activity"
        ),
        trace_activity=engine.materialize(
            trace_activity(engine, rows, traces), f"{name}.trace_activity"
        ),
    )
