"""Which decisions rest on a measured precision that is missing, stale or too low today."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa

from graph.frames import DataFrame, F
from jobs.batches.changes import Changes
from signatures.calibration import CALIBRATION, bounds_on
from signatures.ladder import CHALLENGE


def unmeasured(changes: Changes, rows: DataFrame, ds: date) -> DataFrame:
    """The rows of the calibrated route whose signatures no longer reach the floor of the action.

    `rows` have DECISIONS' columns. What counts is the last calibration up to the day, if it is
    fresh: the bound over all markets and strata, and that of the account's market where it has one.
    """
    floors = F.lit(None).cast("double")
    for action, floor in sorted(dict(changes.config.proposals.floors).items()):
        floors = F.when(F.col("action") == action, F.lit(floor)).otherwise(floors)
    calibrated = rows.filter(F.col("route") == "calibrated")
    named = calibrated.select(
        "decision_id", "action", "market", F.explode("signature_ids").alias("signature_id")
    ).withColumn("floor", floors)
    bounds = changes.engine.from_arrow(measured_bounds(changes, ds))
    bounds = bounds.filter(F.col("stratum").isNull()).select(
        "signature_id", "market", "lower", "challenge_lower", "borrowed"
    )
    overall = bounds.filter(F.col("market").isNull()).drop("market")
    there = (
        bounds.filter(F.col("market").isNotNull())
        .drop("borrowed")
        .withColumnsRenamed({"lower": "lower_there", "challenge_lower": "challenge_lower_there"})
    )
    judged = named.join(overall, on="signature_id", how="inner").join(
        there, on=["signature_id", "market"], how="left"
    )
    challenged = F.col("action") == CHALLENGE
    bound = F.when(challenged, F.col("challenge_lower")).otherwise(F.col("lower"))
    bound_there = F.when(challenged, F.col("challenge_lower_there")).otherwise(F.col("lower_there"))
    reached = judged.filter(
        (bound >= F.col("floor"))
        & (F.coalesce(bound_there, bound) >= F.col("floor"))
        & (challenged | ~F.col("borrowed"))
    )
    return calibrated.join(reached.select("decision_id"), on="decision_id", how="left_anti")


def measured_bounds(changes: Changes, ds: date) -> pa.Table:
    """The bounds of the last calibration up to a day, if it is fresh; rows of BOUNDS."""
    warehouse, engine = changes.publication.warehouse, changes.engine
    fresh = timedelta(microseconds=changes.config.proposals.calibration_fresh)
    latest = warehouse.latest_before(CALIBRATION.name, ds + timedelta(days=1))
    known = (
        []
        if latest is None
        else engine.to_arrow(warehouse.read(engine, CALIBRATION, latest)).to_pylist()
    )
    return bounds_on(known, ds, fresh)
