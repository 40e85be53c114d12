"""Connected components of links between accounts.

Every task reduces its links to a spanning forest; the forests are merged in the driver's memory,
or, when they are too large for it, by the engine's own distributed algorithm. All ways give the
same ids, because a component is named by its smallest member.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Literal

import pyarrow as pa

from graph.engines.base import BatchFunction, Engine
from graph.frames import DataFrame, F
from graph.id_index import id_type_of
from graph.union_find import Forest

Algorithm = Literal["auto", "forest", "graphframes"]

# Rows of all tasks' forests together: at most one an account and task. The driver needs about
# 120 bytes a row for int64 ids (1.2 GB at this limit) and 150 bytes more than twice the length of
# an id for strings (2 GB for ids of 20 bytes).
DRIVER_FOREST_LIMIT = 10_000_000

_runs = count()


def find_components(
    engine: Engine,
    links: DataFrame,
    algorithm: Algorithm = "auto",
    driver_forest_limit: int = DRIVER_FOREST_LIMIT,
    vertices: DataFrame | None = None,
) -> DataFrame:
    """Find which accounts are connected, directly or through others.

    From links account_a, account_b (int64 or string; links of an account to itself and repeated
    ones are allowed; fastest if materialised) and optionally vertices account_id, to one row per
    account: account_id, component_id (smallest member, strings by UTF-8 bytes), size (int64).
    `forest` merges on the driver whatever the size, `graphframes` gives the links themselves to
    the engine's algorithm, `auto` merges on the driver up to `driver_forest_limit` rows. Where the
    engine's own reads links as they come, there is nothing to merge.
    Raises DependencyError when the engine's algorithm is needed and missing.
    """
    links = links.select("account_a", "account_b")
    if algorithm == "graphframes" or (algorithm == "auto" and engine.streams_components):
        found = _with_sizes(engine.connected_components(links))
    else:
        forests = engine.materialize(_forests(engine, links), f"forests-{next(_runs)}")
        if algorithm == "forest" or forests.count() <= driver_forest_limit:
            found = engine.from_arrow(_merged(engine.to_arrow(forests)))
        else:
            found = _with_sizes(engine.connected_components(forests))
    return found if vertices is None else _with_isolated(found, vertices)


def _forests(engine: Engine, links: DataFrame) -> DataFrame:
    id_type = id_type_of(links, "account_a")
    schema = pa.schema([("account_a", id_type), ("account_b", id_type)])
    return engine.map_arrow(links, forest_of(id_type), schema)


def forest_of(id_type: pa.DataType) -> BatchFunction:
    """The function that reduces a task's links to a spanning forest, as fewer links."""

    def reduce(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        forest = Forest(id_type)
        for batch in batches:
            forest.add(batch.column("account_a"), batch.column("account_b"))
        yield from forest.links()

    return reduce


def _merged(forests: pa.Table) -> pa.Table:
    forest = Forest(forests.schema.field("account_a").type)
    for batch in forests.to_batches():
        forest.add(batch.column("account_a"), batch.column("account_b"))
    return forest.components()


def _with_sizes(found: DataFrame) -> DataFrame:
    if "size" in found.columns:
        return found.select("account_id", "component_id", "size")
    sizes = found.groupBy("component_id").agg(F.count(F.lit(1)).alias("size"))
    return found.join(sizes, "component_id").select("account_id", "component_id", "size")


def _with_isolated(found: DataFrame, vertices: DataFrame) -> DataFrame:
    isolated = vertices.select("account_id").distinct().join(found, "account_id", "left_anti")
    alone = isolated.select(
        "account_id",
        F.col("account_id").alias("component_id"),
        F.lit(1).cast("bigint").alias("size"),
    )
    return found.unionByName(alone)
