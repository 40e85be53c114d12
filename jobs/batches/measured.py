"""Which decisions rest on a measured precision that is missing, stale or too low today."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa

from graph.frames import DataFrame, F
from jobs.batches.changes import Changes
from signatures.calibration import CALIBRATION, bounds_on
from signatures.judgement import with_bounds
from signatures.ladder import CHALLENGE


def unmeasured(changes: Changes, rows: DataFrame, ds: date) -> DataFrame:
    """The rows of the calibrated route whose signatures no longer reach the floor of the action.

    `rows` have DECISIONS' columns. What counts is the last calibration up to the day, if it is
    fresh: the bound overall and in the account's market, as when it was proposed. Its stratum is
    not in the ledger.
    """
    floors = F.lit(None).cast("double")
    for action, floor in sorted(dict(changes.config.proposals.floors).items()):
        floors = F.when(F.col("action") == action, F.lit(floor)).otherwise(floors)
    calibrated = rows.filter(F.col("route") == "calibrated")
    named = calibrated.select(
        "decision_id", "action", "market", F.explode("signature_ids").alias("signature_id")
    ).withColumn("floor", floors)
    bounds = changes.engine.from_arrow(measured_bounds(changes, ds))
    judged = with_bounds(named, bounds, places=["market"])
    challenged = F.col("action") == CHALLENGE
    bound = F.when(challenged, F.col("challenge_lower")).otherwise(F.col("lower"))
    reached = judged.filter((bound >= F.col("floor")) & (challenged | ~F.col("borrowed")))
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
