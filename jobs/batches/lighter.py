"""The lighter actions that partial appeals begin: which they are, and which of them must wait."""

from __future__ import annotations

from exporters.enforcement.ledgers import APPEALS
from graph.frames import DataFrame, F
from jobs.batches.changes import Changes
from jobs.batches.reversals import reversals
from signatures.decisions import DECISIONS
from signatures.life_cycle import current_frame


def lighter(changes: Changes) -> DataFrame:
    """What was begun on appeal: decision_id (the key), and `instead_of`, the heavier decision."""
    begun = changes.ledger(APPEALS).filter(F.col("lighter_id").isNotNull())
    return (
        begun.groupBy("lighter_id")
        .agg(F.min("decision_id").alias("instead_of"))
        .select(F.col("lighter_id").alias("decision_id"), "instead_of")
    )


def waiting_for_reversal(changes: Changes) -> DataFrame:
    """Lighter actions that may not leave yet: decision_id.

    The heavier action must be gone first, by a receipt. Else the reversal may arrive last, and an
    importer with one action an account would lift the lighter one.
    """
    undone = changes.engine.from_arrow(reversals(changes.home)).filter(
        F.coalesce(F.col("answer"), F.lit("")) != "done"
    )
    overturned = current_frame(changes.ledger(DECISIONS)).filter(F.col("state") == "overturned")
    stands = undone.select("decision_id").unionByName(overturned.select("decision_id"))
    stands = stands.select(F.col("decision_id").alias("instead_of")).distinct()
    return lighter(changes).join(stands, on="instead_of", how="left_semi").select("decision_id")
