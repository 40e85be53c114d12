"""Exact quantiles of integer columns, on any engine."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from graph.engines.base import Engine
from graph.frames import DataFrame, F, Window


def quantile(
    engine: Engine, frame: DataFrame, column: str, probability: float, name: str
) -> Fraction | None:
    """R's type 7 quantile of a column of integers; None for no rows. `name` is unique in the run.

    The two order statistics around it are looked up; the formula is computed here, exactly.
    Source: Hyndman & Fan 1996, definition 7.
    """
    counted = frame.groupBy(column).agg(F.count(F.lit(1)).alias("rows"))
    up_to = Window.orderBy(column).rowsBetween(Window.unboundedPreceding, Window.currentRow)
    ranked = counted.withColumn("last", F.sum("rows").over(up_to))
    ranked = engine.materialize(ranked, f"{name}.quantile")
    total: int | None = (
        engine.to_arrow(ranked.agg(F.sum("rows").alias("rows"))).column("rows")[0].as_py()
    )
    if not total:
        return None
    place = (total - 1) * Fraction(str(probability))
    below = floor(place)
    around = ranked.filter(
        (F.col("last") > below) & (F.col("last") - F.col("rows") <= below + 1)
    ).select(column, "last")
    values = sorted((row["last"], row[column]) for row in engine.to_arrow(around).to_pylist())
    lower: int = values[0][1]
    upper: int = next((value for last, value in values if last > below + 1), lower)
    return lower + (place - below) * (upper - lower)
