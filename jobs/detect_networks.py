"""The graph to coordinated networks: links, components, communities, memberships of one day.

Run it by `actorgraph detect-networks` or `spark-submit jobs/detect_networks.py`, with --ds and
--config. `--scope heterogeneous` instead connects accounts and entities, for exploration.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial

import pyarrow as pa

from graph.activity import ACCOUNT_ACTIVITY, TRACE_ACTIVITY, over_look_back, populations
from graph.build import EDGE_ACTIVITY, EDGES, NODES
from graph.build_settings import unlike_the_build
from graph.communities import connected_parts, find_communities
from graph.components import find_components
from graph.config import UNITS, Config
from graph.core_members import find_core
from graph.enforced_entities import ENFORCED_ENTITIES, faded
from graph.engines.base import Engine
from graph.evidence import LINK_EVIDENCE, link_evidence
from graph.frames import DataFrame, F
from graph.fusion import ACCOUNT_LINKS, fuse, in_fixed_point, published_account_links
from graph.heterogeneous import HETEROGENEOUS_COMPONENTS, heterogeneous_components
from graph.history import HISTORY
from graph.identity import (
    DORMANT_NETWORKS,
    Identities,
    Published,
    continue_identities,
    joined_on,
)
from graph.links import LINKS, published_links
from graph.networks import (
    COMPONENTS,
    MEMBERSHIPS,
    NETWORKS,
    groups,
    links_inside,
    memberships,
    networks,
)
from graph.numbers import number_accounts, number_entity_types
from graph.pairs import BURSTS
from graph.re_emergence import re_emerged
from graph.sightings import SIGHTINGS
from graph.traces import GraphTables, TraceLinks, trace_links
from graph.union import union_all
from jobs.errors import ConfigError
from jobs.runtime import Job, Run
from jobs.runtime import main as run_job

HETEROGENEOUS = "heterogeneous"


def compute(run: Run) -> None:
    """Find the day's networks, or the heterogeneous components, and stage them."""
    if run.arguments.scope == HETEROGENEOUS:
        _check_settings(run)
        found = heterogeneous_components(run.engine, run.read(EDGES), run.read(NODES))
        run.stage(HETEROGENEOUS_COMPONENTS, found)
        return
    found_links = _links(run)
    fused = _fused(run, found_links)
    members = _members(run, fused)
    identities = _identities(run, members)
    members = run.engine.materialize(
        members.join(identities.identities.drop("lineage"), on="group_id", how="inner"), "members"
    )
    _networks(run, found_links, fused, members, identities)


def _check_settings(run: Run) -> None:
    """Stop where the graph was built for other settings than this run asks of it."""
    built = run.publication.settings(TRACE_ACTIVITY, run.ds)
    if unlike := unlike_the_build(run.config, built):
        raise ConfigError(
            f"the graph of {run.ds} was built with other settings: {'; '.join(unlike)}: run "
            "build-graph again with these settings, or set them as they were"
        )


def _links(run: Run) -> Mapping[str, TraceLinks]:
    """Find each trace's links and stage them all."""
    traces = run.config.active_traces
    if not traces:
        raise ConfigError("traces: every trace is switched off; nothing can link accounts")
    _check_settings(run)
    nodes, activity = run.read(NODES), run.read(ACCOUNT_ACTIVITY)
    whole = run.engine.materialize(over_look_back(activity), "look_back_activity")
    entity_types = [trace.entity for trace in traces.values()]
    tables = GraphTables(
        edges=run.read(EDGES),
        edge_activity=run.read(EDGE_ACTIVITY),
        nodes=nodes,
        sightings=run.read(SIGHTINGS),
        account_activity=activity,
        look_back_activity=whole,
        trace_activity=run.read(TRACE_ACTIVITY),
        account_numbers=number_accounts(run.engine, nodes),
        entity_numbers=number_entity_types(run.engine, nodes, entity_types),
        populations=populations(run.engine, whole, traces),
    )

    def links_of(name: str) -> TraceLinks:
        with run.step(f"trace {name}") as step:
            found = trace_links(run.engine, name, traces[name], tables, run.config)
            step.rows = found.links.count()
        return found

    found = dict(zip(traces, run.engine.independent(links_of, list(traces)), strict=True))
    links = [published_links(name, each.links) for name, each in found.items()]
    run.stage(LINKS, union_all(links))
    _stage_bursts(run, found)
    return found


def _stage_bursts(run: Run, found: Mapping[str, TraceLinks]) -> None:
    nothing = run.engine.from_arrow(BURSTS.schema.empty_table())
    bursts = [
        each.bursts.withColumn("trace", F.lit(name))
        for name, each in found.items()
        if each.bursts is not None
    ]
    run.stage(BURSTS, union_all([nothing, *bursts]), files=1)


def _fused(run: Run, found: Mapping[str, TraceLinks]) -> DataFrame:
    """Fuse the kept links and stage them; weight in micro-units."""
    links = {name: each.links for name, each in found.items()}
    fused = fuse(run.engine, links, run.config.active_traces)
    run.stage(ACCOUNT_LINKS, published_account_links(fused))
    return run.engine.materialize(in_fixed_point(run.read(ACCOUNT_LINKS)), "fused")


def _members(run: Run, fused: DataFrame) -> DataFrame:
    """Find components, communities and which of them are networks."""
    settings = run.config
    connect = partial(
        find_components,
        run.engine,
        algorithm=settings.components.algorithm,
        driver_forest_limit=settings.components.driver_forest_limit,
    )
    with run.step("components"):
        run.stage(COMPONENTS, connect(fused))
        components = run.read(COMPONENTS)
    with run.step("communities"):
        communities = find_communities(
            run.engine,
            fused,
            components,
            settings.communities.mode,
            settings.networks.max_rounds,
            settings.communities.task_limit,
            settings.components.algorithm,
            settings.components.driver_forest_limit,
        )
        communities = run.engine.materialize(communities, "communities")
        parts = None
        if settings.communities.mode == "cdlp":  # whose labels may hold accounts far apart
            labels = communities.withColumnRenamed("community_id", "label")
            found = connected_parts(connect, fused, labels)
            parts = found.withColumnRenamed("community_id", "part_id")
        grouped = groups(components, communities, fused, settings.networks, parts)
        return run.engine.materialize(grouped, "groups")


def _identities(run: Run, members: DataFrame) -> Identities:
    """Give today's networks their ids, and stage what became of yesterday's."""
    settings = run.config.identity
    with run.step("identity"):
        identities = continue_identities(
            run.engine,
            members.select("account_id", "group_id"),
            _previous(run),
            str(run.ds),
            jaccard=settings.jaccard,
            containment=settings.containment,
            remember_days=settings.remember // UNITS["d"],
        )
    run.stage(DORMANT_NETWORKS, identities.dormant_networks, files=1)
    return identities


def _previous(run: Run) -> Published | None:
    before = run.warehouse.latest_before(NETWORKS.name, run.ds)
    if before is None:
        return None
    return Published(
        str(before),
        run.read(MEMBERSHIPS, before),
        run.read(NETWORKS, before),
        run.read(DORMANT_NETWORKS, before),
    )


def _networks(
    run: Run,
    found: Mapping[str, TraceLinks],
    fused: DataFrame,
    members: DataFrame,
    identities: Identities,
) -> None:
    """Stage memberships, networks and the evidence."""
    inside = run.engine.materialize(links_inside(fused, members, "network_id"), "inside")
    core = find_core(run.engine, inside, run.config.networks.core_cut)
    previous = _previous(run)
    rows = joined_on(
        memberships(members, core), None if previous is None else previous.memberships, str(run.ds)
    )
    run.stage(MEMBERSHIPS, rows)
    rows = run.read(MEMBERSHIPS)
    lineages = identities.identities.select("network_id", "lineage")
    by_trace = _kept_inside(run.config, found, members)
    staged = run.stage(NETWORKS, networks(rows, inside, by_trace, lineages))
    run.manifest.figures["networks"] = staged
    run.stage(LINK_EVIDENCE, link_evidence(found, run.config.active_traces, rows))
    run.stage(HISTORY, union_all([identities.history, _re_emerged(run)]), files=1)
    _check_networks(run)


def _re_emerged(run: Run) -> DataFrame:
    """History rows of networks that share rare entities with enforced ones."""
    config = run.config
    archive = faded(
        run.engine,
        run.ledger(ENFORCED_ENTITIES),
        run.ds,
        config.enforcement.entity_half_life / UNITS["d"],
        config.retention.enforced_entities // UNITS["d"],
    )
    named = [(name, trace.family) for name, trace in config.active_traces.items()]
    families = pa.table({"trace": [name for name, _ in named], "family": [f for _, f in named]})
    return re_emerged(
        run.read(LINK_EVIDENCE),
        run.read(MEMBERSHIPS),
        archive,
        run.engine.from_arrow(families),
        config.identity.re_emergence,
        config.enforcement.device_gap // UNITS["s"],
    )


def _kept_inside(config: Config, found: Mapping[str, TraceLinks], members: DataFrame) -> DataFrame:
    """The kept links of each trace between members of one network."""
    kept = [
        each.links.filter(F.col("kept")).select(
            "account_a",
            "account_b",
            F.lit(name).alias("trace"),
            F.lit(config.active_traces[name].family).alias("family"),
            "first_at",
            "last_at",
        )
        for name, each in found.items()
    ]
    return links_inside(union_all(kept), members.select("account_id", "network_id"), "network_id")


def _check_networks(run: Run) -> None:
    """Every network has its members, and every membership its network."""
    told = run.read(NETWORKS).agg(F.sum("accounts").alias("accounts"))
    accounts = run.engine.to_arrow(told).column("accounts")[0].as_py() or 0
    members = run.manifest.rows_out[MEMBERSHIPS.name]
    run.check(
        "networks and memberships",
        accounts == members,
        f"networks tell of {accounts} accounts, there are {members} memberships",
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scope",
        choices=("accounts", HETEROGENEOUS),
        default="accounts",
        help="accounts: networks of linked accounts; heterogeneous: components with entities",
    )


def _needs_graphframes(config: Config, arguments: argparse.Namespace) -> bool:
    scope: str = arguments.scope
    return scope == HETEROGENEOUS or config.components.algorithm == "graphframes"


JOB = Job(
    "detect_networks",
    "Find the networks of accounts that acted together, from one day's graph.",
    compute,
    _add_arguments,
    _needs_graphframes,
    lambda arguments: HETEROGENEOUS_COMPONENTS.name if arguments.scope == HETEROGENEOUS else None,
)


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run the job as a command; returns its exit code."""
    return run_job(JOB, argv, engine)


if __name__ == "__main__":
    sys.exit(main())
