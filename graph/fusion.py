"""Links of all traces fused to one link per pair of accounts."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from graph.config import Trace
from graph.engines.base import Engine
from graph.fixed_point import MICRO, shown, to_micro
from graph.frames import DataFrame, F
from graph.quantiles import quantile
from graph.tables import Table, columns
from graph.union import union_all

ACCOUNT_LINKS = Table(
    name="account_links",
    grain="pair of accounts with a kept link",
    key=("account_a", "account_b"),
    schema=columns(
        account_a="string",
        account_b="string",
        weight="float64",  # sum over traces of fusion_weight x w/(w + median of the trace's links)
        traces=pa.list_(pa.string()),
        families=pa.list_(pa.string()),
        co_actions="int64",
        entities="int64",
    ),
)


def fuse(
    engine: Engine, links_by_trace: Mapping[str, DataFrame], traces: Mapping[str, Trace]
) -> DataFrame:
    """Fuse kept links (weight in micro-units) to one row per pair; columns of ACCOUNT_LINKS.

    Each weight is first scaled to w/(w + median of the trace's kept links), so that traces of
    different units count alike; weight stays in micro-units.
    """
    scaled = [
        _scaled(engine, name, traces[name], links.filter(F.col("kept")))
        for name, links in sorted(links_by_trace.items())
    ]
    return (
        union_all(scaled)
        .groupBy("account_a", "account_b")
        .agg(
            F.sum("weight").cast("bigint").alias("weight"),
            F.sort_array(F.collect_set("trace")).alias("traces"),
            F.sort_array(F.collect_set("family")).alias("families"),
            F.sum("co_actions").cast("bigint").alias("co_actions"),
            F.sum("entities").cast("bigint").alias("entities"),
        )
    )


def _scaled(engine: Engine, name: str, trace: Trace, links: DataFrame) -> DataFrame:
    median = quantile(engine, links, "weight", 0.5, f"{name}.median")
    half = F.lit(float(median or 0))
    # A weight of 0 beside a median of 0 has no scale; it counts nothing.
    share = F.when(F.col("weight") > 0, F.col("weight") / (F.col("weight") + half)).otherwise(0.0)
    weight = F.floor(share * F.lit(float(to_micro(trace.fusion_weight))) + F.lit(0.5))
    return links.select(
        "account_a",
        "account_b",
        weight.cast("bigint").alias("weight"),
        F.lit(name).alias("trace"),
        F.lit(trace.family).alias("family"),
        "co_actions",
        "entities",
    )


def published_account_links(links: DataFrame) -> DataFrame:
    """Turn fused links, in fixed point, into rows of ACCOUNT_LINKS."""
    return links.withColumn("weight", shown(F.col("weight"))).select(*ACCOUNT_LINKS.columns)


def in_fixed_point(account_links: DataFrame) -> DataFrame:
    """Turn rows of ACCOUNT_LINKS back into fused links in fixed point, without loss."""
    units = F.floor(F.col("weight") * F.lit(float(MICRO)) + F.lit(0.5)).cast("bigint")
    return account_links.withColumn("weight", units)
