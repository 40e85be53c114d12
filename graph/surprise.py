"""How unlikely a link is by chance: a Chernoff bound of a Poisson tail, so never overstated.

Source of the bound: P(X >= k) <= exp(-(k ln(k/lambda) - k + lambda)) for Poisson X, k > lambda
(Mitzenmacher & Upfal, Probability and Computing, theorem 5.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from graph.activity import bin_width, of_trace
from graph.config import Trace
from graph.engines.base import Engine
from graph.expected_meetings import BINS_APART, Chances, expected_of_lists
from graph.fixed_point import MICRO, micro_above
from graph.frames import DataFrame, F
from graph.links import ends_of
from graph.tables import columns

EXPECTED = columns(account_a="string", account_b="string", expected="int64")


def surprise(
    found: npt.NDArray[np.int64], expected: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Decimal digits of the chance of finding k or more where lambda were expected (micro-units).

    `expected` is in micro-units; less than one of them is taken as one.
    """
    k = found.astype(np.float64)
    rate = np.maximum(expected, 1) / MICRO
    digits = (k * np.log(np.maximum(k, 1.0) / rate) - k + rate) / np.log(10.0)
    units: npt.NDArray[np.int64] = np.floor(np.where(k > rate, digits, 0.0) * MICRO).astype(
        np.int64
    )
    return units


def with_surprise(engine: Engine, links: DataFrame, schema: pa.Schema) -> DataFrame:
    """Replace the columns found (k) and expected (lambda, micro-units) of links by surprise.

    `schema` describes the other columns. No chance at all is one micro-unit; a link of unknown
    chance surprises nobody.
    """
    schema = schema.append(pa.field("surprise", pa.int64()))
    return engine.map_arrow(links, partial(_surprise_of_batches, schema=schema), schema)


def _surprise_of_batches(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        found = batch.column("found")
        # Where nothing is known of the chance, nothing is claimed: not that there was none.
        expected = pc.coalesce(batch.column("expected"), pc.multiply(found, MICRO)).to_numpy()
        digits = surprise(found.to_numpy(), expected)
        kept = [batch.column(name) for name in schema.names[:-1]]
        yield pa.RecordBatch.from_arrays([*kept, pa.array(digits)], schema=schema)


def expected_in_windows(
    engine: Engine,
    links: DataFrame,
    name: str,
    trace: Trace,
    account_activity: DataFrame,
    activity: DataFrame,
) -> DataFrame:
    """How many pairs of events each link's accounts would share by chance: account_a, account_b,
    expected (micro-units).

    lambda = sum over bins t of n_a(t) n_b(t) q(t), q(t) = sum over entities of their share of the
    trace's events in t, squared; `activity` is trace_activity. Where no bin is shared, neighbouring
    bins count: co-actions that straddle a bin's edge are not impossible. Rounded up, so that no
    link looks more surprising than it is. The trace's bins are collected: 144 a day at most.
    """
    width = bin_width(trace.window or 0)
    bins = of_trace(account_activity.filter(F.col("bin_width_us") == width), trace)
    bins = bins.join(ends_of(links), on="account_id", how="left_semi")
    bins = bins.groupBy("account_id", "bin").agg(F.sum("events").alias("events"))
    # One number a bin, one list an account: joining links with bins makes hundreds of rows a link.
    packed = (F.col("bin") * F.lit(BINS_APART) + F.col("events")).cast("bigint")
    lists = bins.groupBy("account_id").agg(F.sort_array(F.collect_list(packed)).alias("bins"))
    meetings = links.select("account_a", "account_b")
    for side in ("a", "b"):
        lists_of_side = lists.select(
            F.col("account_id").alias(f"account_{side}"), F.col("bins").alias(f"bins_{side}")
        )
        meetings = meetings.join(lists_of_side, on=f"account_{side}", how="inner")
    rows = engine.to_arrow(activity.filter(F.col("trace") == name).orderBy("bin"))
    events, squares = (rows.column(each).to_numpy() for each in ("events", "squares"))
    chances = Chances(rows.column("bin").to_numpy(), squares / (events * events))
    return engine.map_arrow(meetings, partial(_expected_of_batches, chances=chances), EXPECTED)


def _expected_of_batches(
    batches: Iterable[pa.RecordBatch], chances: Chances
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        sides = [batch.column(f"bins_{side}") for side in ("a", "b")]
        lists = [(side.flatten().to_numpy(), side.value_lengths().to_numpy()) for side in sides]
        expected = expected_of_lists(chances, *lists[0], *lists[1])
        accounts = [batch.column(f"account_{side}") for side in ("a", "b")]
        yield pa.RecordBatch.from_arrays([*accounts, pa.array(expected)], schema=EXPECTED)


def expected_by_degree(
    engine: Engine, links: DataFrame, edges: DataFrame, linking: DataFrame
) -> DataFrame:
    """How many entities each link's accounts would share by chance, without a window.

    lambda = d_a d_b sum_e d_e (d_e - 1) / M^2 over the entities that may link, d counting the
    trace's edges and M all of them. `edges` has account_id and entity_id, `linking` entity_id.
    Rounded up.
    """
    per_entity = edges.groupBy("entity_id").agg(F.count(F.lit(1)).alias("degree"))
    pairs = per_entity.join(linking, on="entity_id", how="left_semi").agg(
        F.sum(F.col("degree") * (F.col("degree") - 1)).alias("pairs")
    )
    total = engine.to_arrow(
        pairs.crossJoin(edges.agg(F.count(F.lit(1)).alias("edges")))
    ).to_pylist()[0]
    rate = (total["pairs"] or 0) / max(total["edges"], 1) ** 2
    degrees = edges.groupBy("account_id").agg(F.count(F.lit(1)).alias("degree"))
    both = links.select("account_a", "account_b")
    for side in ("a", "b"):
        side_degrees = degrees.select(
            F.col("account_id").alias(f"account_{side}"), F.col("degree").alias(f"degree_{side}")
        )
        both = both.join(side_degrees, on=f"account_{side}", how="inner")
    expected = micro_above(F.col("degree_a") * F.col("degree_b") * F.lit(rate))
    return both.select("account_a", "account_b", expected.alias("expected"))
