"""Which links a trace keeps: at least a weight, above a quantile, significant, or surprising."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import floor

import numpy as np
import pyarrow as pa

from graph.config import Filter
from graph.engines.base import Engine
from graph.fixed_point import MICRO, to_micro
from graph.frames import Column, DataFrame, F
from graph.quantiles import quantile
from graph.tables import columns


def mark_kept(engine: Engine, name: str, links: DataFrame, rule: Filter | None) -> DataFrame:
    """Add `kept` to a trace's links, weight and surprise in micro-units; no rule keeps all."""
    if rule is None:
        return links.withColumn("kept", F.lit(True))
    if rule.alpha is not None:
        return _significant(engine, links, rule.alpha, rule.at_least)
    return links.withColumn("kept", _passes(engine, name, links, rule))


def _passes(engine: Engine, name: str, links: DataFrame, rule: Filter) -> Column:
    if rule.quantile is not None:
        threshold = quantile(engine, links, "weight", rule.quantile, f"{name}.filter")
        return F.col("weight") > F.lit(0 if threshold is None else floor(threshold))
    if rule.surprise is not None:
        return F.col("surprise") >= F.lit(to_micro(rule.surprise))
    return F.col("weight") >= F.lit(to_micro(rule.at_least or 0.0))


def _significant(
    engine: Engine, links: DataFrame, alpha: float, at_least: float | None
) -> DataFrame:
    """The disparity filter: kept if the weight is significant for either account.

    alpha_ij = (1 - w_ij/s_i)^(k_i - 1) < alpha, with s the account's summed weight and k its number
    of links. A link between two accounts of one link each has nothing to be compared with: it is
    kept only by `at_least`. Source: Serrano, Boguna, Vespignani, PNAS 2009.
    """
    ends = links.select(F.col("account_a").alias("account_id"), "weight").unionAll(
        links.select(F.col("account_b").alias("account_id"), "weight")
    )
    sums = ends.groupBy("account_id").agg(
        F.sum("weight").cast("bigint").alias("strength"), F.count(F.lit(1)).alias("degree")
    )
    both = links.select("account_a", "account_b", "weight")
    for side in ("a", "b"):
        sums_of_side = sums.select(
            F.col("account_id").alias(f"account_{side}"),
            F.col("strength").alias(f"strength_{side}"),
            F.col("degree").alias(f"degree_{side}"),
        )
        both = both.join(sums_of_side, on=f"account_{side}", how="inner")
    judged = engine.map_arrow(both, _alphas, _ALPHAS)
    heavy = F.lit(False) if at_least is None else F.col("weight") >= F.lit(to_micro(at_least))
    alone = F.col("alone")
    kept = F.when(alone, heavy).otherwise(F.col("alpha") < F.lit(to_micro(alpha)))
    return (
        links.join(judged, on=["account_a", "account_b"], how="inner")
        .withColumn("kept", kept)
        .drop("alpha", "alone")
    )


_ALPHAS = columns(account_a="string", account_b="string", alpha="int64", alone="bool")


def _alphas(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        weight = batch.column("weight").to_numpy().astype(np.float64)
        alphas, degrees = [], []
        for side in ("a", "b"):
            strength = batch.column(f"strength_{side}").to_numpy().astype(np.float64)
            degree = batch.column(f"degree_{side}").to_numpy()
            share = np.divide(weight, strength, out=np.ones_like(weight), where=strength > 0)
            alphas.append(np.power(1.0 - share, degree - 1))
            degrees.append(degree)
        smaller = np.floor(np.minimum(*alphas) * MICRO + 0.5).astype(np.int64)
        alone = np.maximum(*degrees) == 1
        yield pa.RecordBatch.from_arrays(
            [
                batch.column("account_a"),
                batch.column("account_b"),
                pa.array(smaller),
                pa.array(alone),
            ],
            schema=_ALPHAS,
        )
