"""Links: pairs of accounts with their weight, their surprise, and whether they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from graph.config import Trace
from graph.engines.base import Engine
from graph.fixed_point import MICRO, shown
from graph.frames import DataFrame, F
from graph.tables import TIMESTAMP, Table, columns

LINKS = Table(
    name="links",
    grain="pair of accounts and trace, after the trace's minimums",
    key=("account_a", "account_b", "trace"),
    schema=columns(
        account_a="string",
        account_b="string",  # larger than account_a
        trace="string",
        co_actions="int64",  # pairs of events
        entities="int64",  # distinct shared entities that count (networks for ip)
        weight="float64",
        surprise="float64",  # decimal digits: 6 means at most one in a million by chance
        avg_time_delta_s="float64",  # null without a window
        first_at=TIMESTAMP,
        last_at=TIMESTAMP,
        kept="bool",  # passed the trace's filter
    ),
)


def ends_of(links: DataFrame) -> DataFrame:
    """The accounts at the ends of links: account_id (the key)."""
    ends = [links.select(F.col(f"account_{side}").alias("account_id")) for side in ("a", "b")]
    return ends[0].union(ends[1]).distinct()


RARITIES = columns(entity_id="string", rarity="int64")


def rarity(engine: Engine, name: str, degrees: DataFrame, accounts: int) -> DataFrame:
    """Give each entity the logarithm of how rare it is: entity_id (the key), rarity (micro-units).

    `degrees` has entity_id and df, the distinct accounts seen with it in the trace; rarity is
    ln(N/df) with N = `accounts`, never below 0. `name` is the trace's.
    """
    logarithms = partial(_rarities, accounts=accounts)
    found = engine.map_arrow(degrees.select("entity_id", "df"), logarithms, RARITIES)
    return engine.materialize(found, f"{name}.rarities")


def _rarities(batches: Iterable[pa.RecordBatch], accounts: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        seen = batch.column("df").to_numpy()
        units = np.floor(np.log(np.maximum(accounts, seen) / seen) * MICRO + 0.5).astype(np.int64)
        yield pa.RecordBatch.from_arrays(
            [batch.column("entity_id"), pa.array(units)], schema=RARITIES
        )


def aggregate(pairs: DataFrame, rarities: DataFrame, counted_as: DataFrame | None) -> DataFrame:
    """Aggregate a trace's pairs, which pass its minimums already, to links.

    `counted_as` (entity_id, counts_as) says as which distinct thing an entity counts towards
    `entities`, null if not at all; where it is None each entity counts as itself. One row per
    account_a, account_b: co_actions, entities, idf (micro-units), time_delta_us, first_at, last_at.
    """
    rows = pairs.join(rarities, on="entity_id", how="left")
    distinct = F.count(F.lit(1))
    if counted_as is not None:
        rows = rows.join(counted_as, on="entity_id", how="left")
        distinct = F.count_distinct("counts_as")
    return rows.groupBy("account_a", "account_b").agg(
        F.sum("co_actions").cast("bigint").alias("co_actions"),
        distinct.cast("bigint").alias("entities"),
        F.sum("rarity").cast("bigint").alias("idf"),
        F.sum("time_delta_us").cast("bigint").alias("time_delta_us"),
        F.min("first_at").alias("first_at"),
        F.max("last_at").alias("last_at"),
    )


def with_weight(links: DataFrame, trace: Trace, cosines: DataFrame | None) -> DataFrame:
    """Add the trace's weight in micro-units; `cosines` is graph.cosine.cosines where it is that."""
    if trace.weight == "co_actions":
        return links.withColumn("weight", F.col("co_actions") * MICRO)
    if trace.weight == "idf":
        return links.withColumn("weight", F.col("idf"))
    assert cosines is not None
    return links.join(cosines, on=["account_a", "account_b"], how="inner")


def published_links(name: str, links: DataFrame) -> DataFrame:
    """Turn a trace's links, in fixed point, into rows of LINKS."""
    average = shown(F.col("time_delta_us")) / F.col("co_actions")
    return links.select(
        "account_a",
        "account_b",
        F.lit(name).alias("trace"),
        "co_actions",
        "entities",
        shown(F.col("weight")).alias("weight"),
        shown(F.col("surprise")).alias("surprise"),
        average.alias("avg_time_delta_s"),
        "first_at",
        "last_at",
        "kept",
    )
