"""Communities inside components, by deterministic weighted label propagation.

Labels never cross components, so whole components are handed to tasks, many at a time; a component
with more links than a task may hold is propagated by DataFrame aggregations, to the same labels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Literal

import numpy as np
import pyarrow as pa

from graph.buckets import bucket_of
from graph.components import DRIVER_FOREST_LIMIT, Algorithm, find_components
from graph.engines.base import Engine, GroupFunction
from graph.frames import DataFrame, F
from graph.id_index import id_index, id_type_of, positions_of
from graph.label_propagation import Rule, propagate, split

Mode = Literal["weighted", "cdlp"]

# Links of the largest component that one task takes. The task needs about 100 bytes a link for
# int64 ids (2 GB at this limit), 125 for strings of 20 bytes.
TASK_LIMIT = 20_000_000

_runs = count()


def find_communities(
    engine: Engine,
    links: DataFrame,
    components: DataFrame,
    mode: Mode = "weighted",
    max_rounds: int = 20,
    task_limit: int = TASK_LIMIT,
    algorithm: Algorithm = "auto",
    driver_forest_limit: int = DRIVER_FOREST_LIMIT,
) -> DataFrame:
    """Find the communities of each component.

    From links account_a, account_b, weight (int64, not negative; read more than once, so best
    materialised) and components account_id, component_id, size of these links, to one row per
    account of `components`: account_id, community_id.

    `weighted`: labels start as account ids; in each synchronous round the winner is the label with
    the largest sum of weights among the neighbours, of several the smallest; odd rounds take it,
    even rounds only if it is smaller than the current label, and after `max_rounds` only such moves
    are made until nothing changes; then each label is cut into its connected parts, and
    community_id is the smallest member of the part. `cdlp`: the rule of LDBC Graphalytics for
    exactly `max_rounds` rounds: each row of links is one vote in each direction, and community_id
    is the label itself. Components of more than `task_limit` links are propagated by aggregations;
    their parts are then found by find_components with `algorithm` and `driver_forest_limit`.
    """
    rule = Rule(max_rounds, settles=mode == "weighted")
    weight = F.col("weight") if mode == "weighted" else F.lit(1).cast("bigint").alias("weight")
    located = locate(links.select("account_a", "account_b", weight), components)
    parts = mode == "weighted"
    connect = partial(
        find_components, engine, algorithm=algorithm, driver_forest_limit=driver_forest_limit
    )
    rows = links.count()
    if rows <= task_limit:
        return communities_in_tasks(engine, located, rows, rule, parts)
    located = engine.materialize(located, f"located-links-{next(_runs)}")
    oversized = _oversized(engine, located, task_limit)
    small = located.join(oversized, "component_id", "left_anti")
    large = located.join(oversized, "component_id", "left_semi")
    in_groups = communities_by_groups(engine, large, rule, connect if parts else None)
    return communities_in_tasks(engine, small, rows, rule, parts).unionByName(in_groups)


def locate(links: DataFrame, components: DataFrame) -> DataFrame:
    """Links with the component_id of their component.

    An account that is a component by itself becomes a link to itself, so that none is lost.
    """
    home = components.select(F.col("account_id").alias("account_a"), "component_id")
    located = links.join(home, "account_a").select(
        "component_id", "account_a", "account_b", "weight"
    )
    alone = components.filter(F.col("size") == 1).select(
        "component_id",
        F.col("account_id").alias("account_a"),
        F.col("account_id").alias("account_b"),
        F.lit(0).cast("bigint").alias("weight"),
    )
    return located.unionByName(alone)


def communities_in_tasks(
    engine: Engine, located: DataFrame, rows: int, rule: Rule, parts: bool
) -> DataFrame:
    """Communities of about `rows` located links, whole components to a task.

    `parts` cuts labels into their connected parts.
    """
    id_type = id_type_of(located, "account_a")
    schema = pa.schema([("account_id", id_type), ("community_id", id_type)])
    bucket = bucket_of(located, "component_id", rows)
    links = located.select(bucket.alias("bucket"), "account_a", "account_b", "weight")
    return engine.map_groups_arrow(links, ["bucket"], communities_of(rule, parts, schema), schema)


def communities_of(rule: Rule, parts: bool, schema: pa.Schema) -> GroupFunction:
    """The function that finds the communities of any number of whole components."""

    def find(links: pa.Table) -> pa.Table:
        index = id_index(schema.field("account_id").type)
        left = positions_of(index, links.column("account_a"))
        right = positions_of(index, links.column("account_b"))
        order = index.order()
        ranks = np.empty(len(order), np.int32)
        ranks[order] = np.arange(len(order), dtype=np.int32)
        left, right = ranks[left], ranks[right]
        weights = links.column("weight").to_numpy()
        labels = propagate(left, right, weights, len(order), rule)
        if parts:
            labels = split(left, right, labels)
        ids = index.ids().take(order)
        return pa.table([ids, ids.take(labels)], names=schema.names).cast(schema)

    return find


def communities_by_groups(
    engine: Engine, located: DataFrame, rule: Rule, connect: Callable[..., DataFrame] | None
) -> DataFrame:
    """The same communities by aggregations alone, for components of any size.

    `connect` finds the components of links, given as `find_components` takes them; with None labels
    are not cut into their connected parts.
    """
    name = f"labels-{next(_runs)}"
    arcs = engine.materialize(_arcs(located), f"{name}-arcs")
    labels = arcs.select("account_id").distinct().withColumn("label", F.col("account_id"))
    number, goes_on = 0, True
    while goes_on:
        number += 1
        labels = engine.materialize(
            _next_labels(arcs, labels, rule.only_lowers(number)), f"{name}-{number % 2}"
        )
        moved = bool(labels.filter("moved").limit(1).count())
        goes_on = rule.goes_on(number, moved)
    if connect is not None:
        return connected_parts(connect, located, labels)
    return labels.select("account_id", F.col("label").alias("community_id"))


def _arcs(located: DataFrame) -> DataFrame:
    """Each link once in either direction, repeated links summed: account_id, neighbour, weight."""
    links = located.filter(F.col("account_a") != F.col("account_b"))
    there, back = (
        links.select(F.col(a).alias("account_id"), F.col(b).alias("neighbour"), "weight")
        for a, b in (("account_a", "account_b"), ("account_b", "account_a"))
    )
    return (
        there.unionByName(back)
        .groupBy("account_id", "neighbour")
        .agg(F.sum("weight").alias("weight"))
    )


def _next_labels(arcs: DataFrame, labels: DataFrame, only_lowers: bool) -> DataFrame:
    """One round: account_id, label, moved. Votes are summed before they meet at an account."""
    of_neighbour = labels.select(F.col("account_id").alias("neighbour"), "label")
    votes = (
        arcs.join(of_neighbour, "neighbour")
        .groupBy("account_id", "label")
        .agg(F.sum("weight").alias("votes"))
    )
    # The least of (-votes, label) is the label with most votes, the smallest of several.
    ranked = F.struct((-F.col("votes")).alias("against"), F.col("label").alias("winner"))
    winners = votes.groupBy("account_id").agg(F.min(ranked).alias("best"))
    winners = winners.select("account_id", F.col("best.winner").alias("winner"))
    moves = F.col("winner") < F.col("label") if only_lowers else F.col("winner") != F.col("label")
    return labels.join(winners, "account_id").select(
        "account_id",
        F.when(moves, F.col("winner")).otherwise(F.col("label")).alias("label"),
        moves.alias("moved"),
    )


def connected_parts(
    connect: Callable[..., DataFrame], links: DataFrame, labels: DataFrame
) -> DataFrame:
    """Cut each label into the parts that its own links connect: account_id, community_id.

    From links account_a, account_b and labels account_id, label. community_id is the smallest
    member of the part.
    """
    of_a = labels.select(F.col("account_id").alias("account_a"), F.col("label").alias("label_a"))
    of_b = labels.select(F.col("account_id").alias("account_b"), F.col("label").alias("label_b"))
    inside = (
        links.join(of_a, "account_a")
        .join(of_b, "account_b")
        .filter(F.col("label_a") == F.col("label_b"))
    )
    connected = connect(inside, vertices=labels)
    return connected.select("account_id", F.col("component_id").alias("community_id"))


def _oversized(engine: Engine, located: DataFrame, task_limit: int) -> DataFrame:
    """The components with more links than a task may hold: at most links / task_limit rows."""
    links = located.groupBy("component_id").agg(F.count(F.lit(1)).alias("links"))
    oversized = links.filter(F.col("links") > task_limit).select("component_id")
    return engine.materialize(oversized, f"oversized-components-{next(_runs)}")
