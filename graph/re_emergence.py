"""Networks on the infrastructure of enforced ones: a row of history, never an id or a verdict."""

from __future__ import annotations

from graph.frames import DataFrame, F, Window
from graph.history import HISTORY
from graph.networks import links_inside

MICRO = 1_000_000


def re_emerged(
    link_evidence: DataFrame,
    memberships: DataFrame,
    archive: DataFrame,
    families: DataFrame,
    least_rarity: float,
    device_gap_s: int,
) -> DataFrame:
    """Rows of HISTORY for networks that share rare entities with an enforced one.

    `archive` is enforced_entities.faded's frame, `families` has trace and family. Strength is the
    sum over shared entities of rarity (ln, in the trace of today where it is largest) x what is
    left of the entity's weight; at least `least_rarity`, over at least two families, because phones
    are resold and families share them. ids_before is the enforced network of most strength, then of
    smallest id; a network is never its own. A device that nobody was seen on for `device_gap_s`
    before the network's first use, as far as the look-back shows, may have another owner and says
    nothing.
    """
    used = _entities(link_evidence, memberships).join(families, on="trace", how="inner")
    rarest = used.groupBy("network_id", "entity_type", "entity_id").agg(
        F.max("rarity").alias("rarity"),
        F.min("family").alias("family"),
        F.min("first_at").alias("first_at"),
    )
    before = archive.select(
        F.col("network_id").alias("enforced_id"),
        "entity_type",
        "entity_id",
        "weight",
        "last_used_at",
    )
    silent = F.unix_micros("first_at") - F.unix_micros("last_used_at")
    passed_on = (F.col("entity_type") == "device") & (silent >= F.lit(device_gap_s * MICRO))
    shared = rarest.join(before, on=["entity_type", "entity_id"], how="inner").filter(
        (F.col("network_id") != F.col("enforced_id")) & ~F.coalesce(passed_on, F.lit(False))
    )
    left = F.floor(F.col("rarity") * F.col("weight")).cast("bigint")
    strength = shared.groupBy("network_id", "enforced_id").agg(
        F.sum(left).cast("bigint").alias("strength"),
        F.countDistinct("family").alias("families"),
    )
    enough = (F.col("strength") >= int(least_rarity * MICRO)) & (F.col("families") >= 2)
    order = Window.partitionBy("network_id").orderBy(F.col("strength").desc(), "enforced_id")
    first = strength.filter(enough).withColumn("place", F.row_number().over(order))
    return (
        first.filter(F.col("place") == 1)
        .select(
            "network_id",
            F.lit("re-emerged").alias("event"),
            F.array("enforced_id").alias("ids_before"),
            F.array("network_id").alias("ids_after"),
            F.lit(None).cast("bigint").alias("accounts_before"),
            F.lit(None).cast("bigint").alias("accounts_after"),
            F.lit(None).cast("double").alias("overlap_ratio"),
        )
        .select(*HISTORY.columns)
    )


def _entities(link_evidence: DataFrame, memberships: DataFrame) -> DataFrame:
    """The entities behind links inside networks: network_id, trace, entity, rarity, first_at."""
    return links_inside(link_evidence, memberships, "network_id").select(
        "network_id",
        "trace",
        "entity_type",
        "entity_id",
        "rarity",
        "first_at",
    )
