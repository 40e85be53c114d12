"""Graph tables of small event logs, made by the same functions as the build-graph job."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from graph.activity import account_activity, over_look_back, populations, trace_activity
from graph.build import (
    account_markets,
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
from graph.frames import DataFrame, F
from graph.hubs import mark_hubs
from graph.ingest import SOURCE, accepted_events, judge, map_columns
from graph.ip_networks import index_ip_networks
from graph.numbers import number_accounts, number_entity_types
from graph.profiles import activity_of_accounts
from graph.shared_entities import SharedEntities, listed
from graph.sightings import sightings
from graph.traces import GraphTables

EVERYTHING = (-(1 << 60), 1 << 60)


def judged_rows(
    engine: Engine,
    log: pa.Table,
    config: Config,
    ip_networks: list[dict[str, object]] | None = None,
    span: tuple[int, int] = EVERYTHING,
    partitions: int | None = None,
) -> DataFrame:
    """Judge a log with columns in the config's names; `span` is the look-back in microseconds."""
    networks = index_ip_networks(ip_networks or [], date(2026, 1, 1))
    rules = EventRules(config.events.time_unit, *span, ENTITY_TYPES, networks)
    raw = engine.from_arrow(log).withColumn(SOURCE, F.lit("test"))
    if partitions is not None:
        raw = raw.repartition(partitions)
    mapped = map_columns(raw, config.events.columns, "test")
    return judge(engine, mapped, rules, config.events.deduplicate)


def graph_tables(
    engine: Engine,
    log: pa.Table,
    config: Config,
    first_day: str,
    ip_networks: list[dict[str, object]] | None = None,
    name: str = "tables",
    shared: SharedEntities | None = None,
    partitions: int | None = None,
) -> GraphTables:
    """Judge a log and build its tables; `partitions` cuts its rows as an engine might."""
    judged = judged_rows(engine, log, config, ip_networks, partitions=partitions)
    events = engine.materialize(accepted_events(judged), f"{name}.accepted")
    rows = entity_events(events)
    days = config.lookback_days
    networks = index_ip_networks(ip_networks or [], date(2026, 1, 1))
    counted = edge_activity(engine, events, networks, first_day, days)
    activity = engine.materialize(counted, f"{name}.edge_activity")
    edge_rows = engine.materialize(edges(activity, days), f"{name}.edges")
    degree_rows = degrees(edge_rows)
    on_list = None if shared is None else listed(engine, degree_rows, shared)
    entities = mark_hubs(degree_rows, config.hubs, on_list)
    entities = engine.materialize(with_networks(engine, entities, networks), f"{name}.entities")
    seen = activity_of_accounts(events, first_day, days)
    account_rows = account_nodes(seen, edge_rows, account_markets(events))
    node_rows = engine.materialize(nodes(account_rows, entities), f"{name}.nodes")
    traces = config.active_traces
    has_lists = any(kind.startswith("array") for _, kind in events.dtypes)
    events_repeat = has_lists or not config.events.deduplicate
    accounts = engine.materialize(
        account_activity(events, activity, rows, traces.values()), f"{name}.account_activity"
    )
    whole = engine.materialize(over_look_back(accounts), f"{name}.look_back_activity")
    entity_types = [trace.entity for trace in traces.values()]
    return GraphTables(
        edges=edge_rows,
        edge_activity=activity,
        nodes=node_rows,
        sightings=engine.materialize(
            sightings(engine, rows, entities, events_repeat, traces.values(), f"{name}.sighted"),
            f"{name}.sightings",
        ),
        account_activity=accounts,
        look_back_activity=whole,
        trace_activity=engine.materialize(
            trace_activity(engine, rows, traces), f"{name}.trace_activity"
        ),
        account_numbers=number_accounts(engine, node_rows, f"{name}.numbers"),
        entity_numbers=number_entity_types(engine, node_rows, entity_types, f"{name}.numbers"),
        populations=populations(engine, whole, traces),
    )
