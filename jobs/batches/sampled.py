"""Decisions on members of large networks: are their lots accepted, and who judged the samples."""

from __future__ import annotations

from graph.frames import DataFrame, F
from jobs.accepted_lots import read_accepted
from jobs.batches.changes import Changes
from signatures.acceptance import ACCEPTANCE_LOTS, in_words
from signatures.decisions import DECISIONS
from signatures.labels import LABELS
from signatures.snapshots import SNAPSHOTS

STAGES = (0.01, 0.1, 1.0)
"""How batches with members of a large network leave, whatever the site's own stages are."""


def not_accepted(changes: Changes, rows: DataFrame) -> DataFrame:
    """The rows of large networks, on the calibrated route, whose lots are not accepted as of now.

    `rows` have DECISIONS' columns, and so has what is returned.
    """
    calibrated = rows.filter(F.col("route") == "calibrated")
    frozen = changes.ledger(SNAPSHOTS).join(
        calibrated.select("snapshot_sha256").distinct(), on="snapshot_sha256", how="left_semi"
    )
    sizes = frozen.groupBy("snapshot_sha256").agg(F.count(F.lit(1)).alias("members"))
    large = sizes.filter(F.col("members") > changes.config.proposals.max_accounts)
    concerned = calibrated.join(
        large.select("snapshot_sha256"), on="snapshot_sha256", how="left_semi"
    )
    found = read_accepted(changes.home, changes.config.proposals, changes.now)
    lots = changes.engine.from_arrow(found.select(["account_id", "network_id"]))
    return concerned.join(lots.distinct(), on=["account_id", "network_id"], how="left_anti").select(
        *DECISIONS.columns
    )


def accepted_samples(changes: Changes) -> dict[tuple[str, str], str]:
    """By account and network: what is said of the accepted sample that lets it through."""
    found = read_accepted(changes.home, changes.config.proposals, changes.now)
    return {(row["account_id"], row["network_id"]): in_words(row) for row in found.to_pylist()}


def samplers(changes: Changes, decisions: DataFrame) -> list[str]:
    """Everybody who judged a sample of a lot that has an account of these decisions."""
    lots = changes.ledger(ACCEPTANCE_LOTS).join(
        decisions.select("account_id", "network_id").distinct(),
        on=["account_id", "network_id"],
        how="left_semi",
    )
    samples = lots.select("sample_id").distinct()
    labels = changes.ledger(LABELS).join(samples, on="sample_id", how="left_semi")
    names = labels.filter(F.col("reviewer").isNotNull()).select("reviewer").distinct()
    found: list[str] = changes.engine.to_arrow(names)["reviewer"].to_pylist()
    return sorted(found)
