"""Events to the graph: sightings, nodes, edges, hubs, activity and profiles of one day.

Run it by `actorgraph build-graph` or `spark-submit jobs/build_graph.py`, with --ds and --config.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from graph.activity import ACCOUNT_ACTIVITY, TRACE_ACTIVITY, account_activity, trace_activity
from graph.build import (
    EDGE_ACTIVITY,
    EDGES,
    NODES,
    account_markets,
    account_nodes,
    degrees,
    edge_activity,
    edges,
    entity_events,
    nodes,
    with_networks,
)
from graph.build_settings import build_settings
from graph.engines.base import Engine, InputError
from graph.entities import ENTITY_TYPES
from graph.events import EventRules
from graph.frames import DataFrame, F
from graph.hubs import SUSPICIOUS_HUBS, account_ages, mark_hubs, suspicious_hubs
from graph.ingest import (
    QUARANTINE,
    accepted_by_day,
    accepted_events,
    count_rows,
    count_unidentified,
    days_of_log,
    judge,
    map_columns,
    quarantined_rows,
)
from graph.ip_networks import IpNetworks
from graph.ledger import read_ledger
from graph.profiles import (
    ACCOUNT_PROFILE,
    account_profile,
    activity_of_accounts,
    with_standing,
)
from graph.shared_entities import SharedEntities, listed, not_seen
from graph.sightings import SIGHTINGS, sightings
from graph.suggestions import several
from jobs.errors import all_or_stop
from jobs.inputs import (
    read_accounts,
    read_declared_networks,
    read_events,
    read_ip_networks,
    read_protected_accounts,
    read_sensitive_entities,
    read_shared_entities,
)
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job
from signatures.decisions import DECISIONS
from signatures.proposals import standing


def compute(run: Run) -> None:
    """Read the look-back's events and stage the day's graph tables."""
    inputs = _read_inputs(run)
    judged = _judged(run, inputs.ip_networks)
    events = accepted_events(judged)
    _check_balance(run, judged, events)
    run.stage(QUARANTINE, quarantined_rows(judged))
    graph = _graph(run, events, inputs)
    rows = entity_events(events)
    traces = run.config.active_traces
    activity = account_activity(events, graph.edge_activity, rows, traces.values())
    by_trace = trace_activity(run.engine, rows, traces)
    tables: list[Callable[[], object]] = [
        partial(_sightings, run, events, rows, graph),
        partial(run.stage, ACCOUNT_ACTIVITY, activity),
        partial(run.stage, TRACE_ACTIVITY, by_trace, settings=build_settings(run.config)),
        partial(_profiles, run, graph, inputs.accounts),
    ]
    run.engine.independent(lambda stage: stage(), tables)


@dataclass(frozen=True)
class _Inputs:
    """The small tables beside the log; None where a site has none."""

    ip_networks: IpNetworks
    shared_entities: SharedEntities | None
    accounts: DataFrame | None


def _read_inputs(run: Run) -> _Inputs:
    """Read and check all small tables before the long work begins, those of later jobs, too."""
    of_day = (run.engine, run.config, run.ds)
    with run.step("read inputs"):
        ip_networks, shared_entities, accounts, *_ = all_or_stop(
            partial(read_ip_networks, *of_day),
            partial(read_shared_entities, *of_day),
            partial(read_accounts, run.engine, run.config),
            partial(read_protected_accounts, *of_day),
            partial(read_declared_networks, *of_day),
            partial(read_sensitive_entities, run.engine, run.config),
        )
        return _Inputs(ip_networks, shared_entities, accounts)


def _judged(run: Run, ip_networks: IpNetworks) -> DataFrame:
    """Judge every row of the log once, and keep the result for the rest of the run."""
    start = run.ds - timedelta(days=run.config.lookback_days - 1)
    rules = EventRules(
        run.config.events.time_unit,
        _microseconds(start),
        _microseconds(run.ds + timedelta(days=1)),
        ENTITY_TYPES,
        ip_networks,
        run.config.quarantine_max_raw_bytes,
    )
    with run.step("read and judge events"):
        raw = read_events(run.engine, run.config, run.ds)
        run.manifest.rows_in["events"] = raw.count()
        return judge(run.engine, _mapped(run, raw), rules, run.config.events.deduplicate)


def _mapped(run: Run, raw: DataFrame) -> DataFrame:
    return map_columns(raw, run.config.events.columns, run.config.events.path)


def _when(run: Run) -> str:
    """Say from when to when the log's times are."""
    log = _mapped(run, read_events(run.engine, run.config, run.ds))
    days = days_of_log(run.engine, log, run.config.events.time_unit)
    return f"its times are from {days[0]} to {days[1]}" if days else "no time in it is readable"


def _microseconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1_000_000


def _check_balance(run: Run, judged: DataFrame, events: DataFrame) -> None:
    """Account for every row, and stop when too many are bad or the day is empty."""
    counts = count_rows(run.engine, judged)
    total = run.manifest.rows_in["events"]
    run.manifest.figures["rows"] = counts
    run.log.info("rows", rows_in=total, **counts)
    run.check(
        "row balance",
        sum(counts.values()) == total,
        f"{total} rows in, {sum(counts.values())} accounted for: {counts}",
    )
    if total == 0:
        raise InputError(
            f"{run.config.events.path}: no rows in the look-back that ends at {run.ds}"
        )
    ratio = counts["quarantined"] / total
    run.check(
        "quarantine",
        ratio <= run.config.max_quarantine_ratio,
        f"{counts['quarantined']} of {total} rows are unusable ({ratio:.1%}, limit "
        f"{run.config.max_quarantine_ratio:.1%}: max_quarantine_ratio){_why(run, judged)}",
    )
    today = events.filter(F.col("event_at") >= F.lit(str(run.ds)).cast("timestamp"))
    if not today.limit(1).count():
        raise InputError(
            f"{run.config.events.path}: no usable event on {run.ds} itself; {_when(run)}: is the "
            "day complete, and are the times in the unit that events.time_unit says "
            f"({run.config.events.time_unit})?"
        )
    _tell_missing_days(run, events)
    run.manifest.figures["values_that_identify_nobody"] = count_unidentified(run.engine, events)


def _tell_missing_days(run: Run, events: DataFrame) -> None:
    """Record the accepted events of each day, and warn of days without any since the first."""
    by_day = accepted_by_day(run.engine, events)
    run.manifest.figures["accepted_by_day"] = {str(day): rows for day, rows in by_day.items()}
    since_first = range((run.ds - min(by_day)).days)
    missing = [day for age in since_first if (day := run.ds - timedelta(days=age)) not in by_day]
    if missing:
        run.log.warning(
            f"no event on {several([str(day) for day in sorted(missing)])}: links, profiles and "
            "growth rest on the other days; if the log lacks them, run them and this day again"
        )


def _why(run: Run, judged: DataFrame) -> str:
    reasons = (
        judged.filter(F.col("reason").isNotNull())
        .groupBy("reason")
        .agg(F.count(F.lit(1)).alias("rows"), F.min("raw").alias("example"))
    )
    rows = run.engine.to_arrow(reasons).to_pylist()
    told = [
        f"{row['reason']}: {row['rows']}{_where(run, row)}"
        for row in sorted(rows, key=lambda row: str(row["reason"]))
    ]
    return f"; {', '.join(told)}" if told else ""


def _where(run: Run, row: dict[str, Any]) -> str:
    """Name the column of the log that a reason is about, and the value in one row."""
    name = {"no account": "account_id", "no readable time": "event_time"}.get(row["reason"])
    if name is None:
        return ""
    try:
        value = json.loads(row["example"]).get(name)
    except ValueError:  # a long row is kept in part
        value = None
    example = "" if value is None else f", e.g. {value!r}"
    return f" (column {run.config.events.columns[name]!r}{example})"


@dataclass(frozen=True)
class _Graph:
    """What the rest of the job needs of the staged graph."""

    edge_activity: DataFrame
    edges: DataFrame
    entities: DataFrame
    seen: DataFrame


def _graph(run: Run, events: DataFrame, inputs: _Inputs) -> _Graph:
    """Stage edges and nodes with their hubs."""
    days = run.config.lookback_days
    first_day = str(run.ds - timedelta(days=days - 1))
    counted = edge_activity(run.engine, events, inputs.ip_networks, first_day, days)
    run.stage(EDGE_ACTIVITY, counted)
    activity = run.read(EDGE_ACTIVITY)
    run.stage(EDGES, edges(activity, days))
    edge_rows = run.read(EDGES)
    with run.step("degrees and hubs"):
        entities = run.engine.materialize(degrees(edge_rows), "degrees")
        shared = inputs.shared_entities
        on_list = None if shared is None else listed(run.engine, entities, shared)
        if shared is not None:
            _tell_unseen(run, not_seen(run.engine, entities, shared))
        marked = mark_hubs(entities, run.config.hubs, on_list)
        marked = with_networks(run.engine, marked, inputs.ip_networks)
        seen = run.engine.materialize(activity_of_accounts(events, first_day, days), "seen")
    run.stage(NODES, nodes(account_nodes(seen, edge_rows, account_markets(events)), marked))
    entities = run.read(NODES).filter(F.col("node_type") != "account")
    entities = entities.withColumnsRenamed({"node_type": "entity_type", "node_id": "entity_id"})
    hubs = (
        entities.filter(F.col("is_hub"))
        .groupBy("entity_type", "hub_reason")
        .agg(F.count(F.lit(1)).alias("hubs"))
    )
    run.manifest.figures["hubs"] = sorted(
        run.engine.to_arrow(hubs).to_pylist(),
        key=lambda row: (row["entity_type"], row["hub_reason"]),
    )
    return _Graph(activity, edge_rows, entities, seen)


def _tell_unseen(run: Run, entries: Sequence[str]) -> None:
    """Tell which entries of shared_entities the look-back has nothing of: perhaps a slip."""
    run.manifest.figures["shared_entities_not_seen"] = list(entries)
    if entries:
        run.log.warning(f"shared_entities, not in the look-back: {several(entries)}")


def _sightings(run: Run, events: DataFrame, rows: DataFrame, graph: _Graph) -> None:
    has_lists = any(kind.startswith("array") for _, kind in events.dtypes)
    events_repeat = has_lists or not run.config.events.deduplicate
    traces = run.config.active_traces.values()
    run.stage(SIGHTINGS, sightings(run.engine, rows, graph.entities, events_repeat, traces))


def _profiles(run: Run, graph: _Graph, accounts: DataFrame | None) -> None:
    """Stage account_profile and, since it needs the accounts' ages, suspicious_hubs."""
    before = run.warehouse.latest_before(ACCOUNT_PROFILE.name, run.ds)
    previous = None if before is None else run.read(ACCOUNT_PROFILE, before)
    cleared = timedelta(microseconds=run.config.proposals.cleared)
    known = run.engine.from_arrow(standing(read_ledger(run.home, DECISIONS), cleared))
    profile = account_profile(run.engine, graph.seen, previous)
    run.stage(ACCOUNT_PROFILE, with_standing(profile, known))
    ages = account_ages(run.read(ACCOUNT_PROFILE), accounts)
    # Once written they are known to be few, and edges are not brought together to find theirs.
    hubs = run.engine.materialize(graph.entities.filter(F.col("is_hub")), "hubs")
    settings = run.config.suspicious_hubs
    days = _days_of_log(run, graph.seen)
    found = suspicious_hubs(hubs, graph.edges, ages, settings, str(run.ds), days)
    run.stage(SUSPICIOUS_HUBS, found, files=1)


def _days_of_log(run: Run, seen: DataFrame) -> int:
    """From the day of the look-back's first event to ds, both included."""
    first = seen.agg(F.min("first_seen_at").alias("first_seen_at"))
    began: datetime = run.engine.to_arrow(first).column("first_seen_at")[0].as_py()
    return (run.ds - began.date()).days + 1


JOB = Job("build_graph", "Build the graph of accounts and entities of one day.", compute)


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run the job as a command; returns its exit code."""
    return run_job(JOB, argv, engine)


if __name__ == "__main__":
    sys.exit(main())
