"""Why two accounts are linked: the entities that they share, by link."""

from __future__ import annotations

from collections.abc import Mapping

from graph.config import Trace
from graph.fixed_point import shown
from graph.frames import DataFrame, F, Window
from graph.tables import TIMESTAMP, Table, columns
from graph.traces import TraceLinks
from graph.union import union_all

STRONGEST = 5
"""Entities kept of a link that is not inside a network."""

LINK_EVIDENCE = Table(
    name="link_evidence",
    grain="link and entity: all of links inside networks, the strongest five of others",
    key=("account_a", "account_b", "trace", "entity_id"),
    schema=columns(
        account_a="string",
        account_b="string",
        trace="string",
        entity_type="string",
        entity_id="string",
        co_actions="int64",
        rarity="float64",  # ln(accounts of the trace / accounts seen with the entity)
        first_at=TIMESTAMP,
        last_at=TIMESTAMP,
    ),
)


def link_evidence(
    found: Mapping[str, TraceLinks], traces: Mapping[str, Trace], memberships: DataFrame
) -> DataFrame:
    """Bring the entities behind all links together; columns of LINK_EVIDENCE.

    `memberships` has network_id and account_id. Strongest is rarest, then most co-actions, then
    smallest id.
    """
    rows = union_all(
        [
            links.evidence.select(
                "account_a",
                "account_b",
                F.lit(name).alias("trace"),
                F.lit(traces[name].entity).alias("entity_type"),
                "entity_id",
                "co_actions",
                "rarity",
                "first_at",
                "last_at",
            )
            for name, links in sorted(found.items())
        ]
    )
    for side in ("a", "b"):
        network = memberships.select(
            F.col("account_id").alias(f"account_{side}"),
            F.col("network_id").alias(f"network_{side}"),
        )
        rows = rows.join(network, on=f"account_{side}", how="left")
    inside = F.coalesce(F.col("network_a") == F.col("network_b"), F.lit(False))
    strongest = Window.partitionBy("account_a", "account_b", "trace").orderBy(
        F.col("rarity").desc(), F.col("co_actions").desc(), F.col("entity_id")
    )
    return (
        rows.withColumn("inside", inside)
        .withColumn("place", F.row_number().over(strongest))
        .filter(F.col("inside") | (F.col("place") <= STRONGEST))
        .withColumn("rarity", shown(F.col("rarity")))
        .select(*LINK_EVIDENCE.columns)
    )
