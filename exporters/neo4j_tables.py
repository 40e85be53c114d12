"""The tables of one day from which everything that is loaded into Neo4j is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from graph.frames import DataFrame, F

Scope = Literal["networks", "all"]


@dataclass(frozen=True)
class DayTables:
    """The tables of one day, and what is known beside them; absent tables are empty frames."""

    nodes: DataFrame
    edges: DataFrame
    memberships: DataFrame
    networks: DataFrame
    account_links: DataFrame
    links: DataFrame
    link_evidence: DataFrame
    edge_activity: DataFrame
    history: DataFrame
    suspicious_hubs: DataFrame
    findings: DataFrame
    scores: DataFrame
    inclusions: DataFrame
    decisions: DataFrame
    samples: DataFrame  # network_id, account_id, sample: what is said of an accepted sample
    snapshots: DataFrame
    verdicts: DataFrame  # account_id, verdict: what those that hold say of an account
    judgements: DataFrame  # columns of neo4j_judgements.JUDGEMENTS
    first_day: date  # of the look-back
    masks: DataFrame  # entity_type, entity_id, masked_id: of sensitive entities

    def masked(self, frame: DataFrame) -> DataFrame:
        """Replace the ids of sensitive entities; adds `masked` (true or null)."""
        joined = frame.join(self.masks, on=["entity_type", "entity_id"], how="left")
        return (
            joined.withColumn("masked", F.col("masked_id").isNotNull())
            .withColumn("entity_id", F.coalesce(F.col("masked_id"), F.col("entity_id")))
            .drop("masked_id")
        )
