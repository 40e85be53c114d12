"""Whether two families of traces are two observations of an account, or one seen twice.

Two traces are independent when their families differ and they do not rest on the same events or
the same entity (DECISIONS, Vocabulary). One login from one tablet at home is a device, an address
and perhaps a sign-up, so these families count as one basis. Of other bases each must have evidence
of its own: an event, the first or the last with an entity, that is none of the other's first or
last. Two posts of two texts from one tablet are a device and two texts, and the same two events.
"""

from __future__ import annotations

from graph.frames import Column, DataFrame, F
from graph.union import union_all

INFRASTRUCTURE = ("device", "network", "signup")
"""Families that may all be one login."""


def basis_of(family: str) -> Column:
    """The basis of the family in a column."""
    return F.when(F.col(family).isin(*INFRASTRUCTURE), F.lit("infrastructure")).otherwise(
        F.col(family)
    )


def core_evidence(evidence: DataFrame, members: DataFrame, families: DataFrame) -> DataFrame:
    """What links members to core members of their network, seen from each member.

    From MemberTables.evidence, members (account_id, is_core), families (trace, family) to rows
    network_id, account_id, other_id, trace, family, entity_type, entity_id, co_actions, rarity,
    first_at, last_at.
    """
    core = members.filter(F.col("is_core")).select(F.col("account_id").alias("other_id"))
    sides = [
        evidence.withColumnsRenamed({mine: "account_id", other: "other_id"}).select(
            "network_id",
            "account_id",
            "other_id",
            "trace",
            "entity_type",
            "entity_id",
            "co_actions",
            "rarity",
            "first_at",
            "last_at",
        )
        for mine, other in (("account_a", "account_b"), ("account_b", "account_a"))
    ]
    to_core = union_all(sides).join(core, on="other_id", how="left_semi")
    return to_core.join(families, on="trace", how="inner")


def equipped_accounts(evidence: DataFrame) -> DataFrame:
    """Accounts that infrastructure links to core members: account_id (the key).

    `evidence` is core_evidence.
    """
    infrastructure = evidence.filter(F.col("family").isin(*INFRASTRUCTURE))
    return infrastructure.select("account_id").distinct()


def independent_accounts(evidence: DataFrame) -> DataFrame:
    """Accounts that at least two independent families link to core members: account_id (the key).

    `evidence` is core_evidence.
    """
    ends = union_all(
        [
            evidence.select(
                "account_id", basis_of("family").alias("basis"), F.unix_micros(end).alias("at_us")
            )
            for end in ("first_at", "last_at")
        ]
    ).distinct()
    counted = ends.groupBy("account_id", "basis").agg(F.count(F.lit(1)).alias("moments"))
    others = counted.withColumnsRenamed({"basis": "other_basis", "moments": "other_moments"})
    both = counted.join(others, on="account_id", how="inner").filter(
        F.col("basis") < F.col("other_basis")
    )
    common = (
        ends.join(
            ends.withColumnRenamed("basis", "other_basis"), on=["account_id", "at_us"], how="inner"
        )
        .filter(F.col("basis") < F.col("other_basis"))
        .groupBy("account_id", "basis", "other_basis")
        .agg(F.count(F.lit(1)).alias("common"))
    )
    judged = both.join(common, on=["account_id", "basis", "other_basis"], how="left")
    shared = F.coalesce("common", F.lit(0))
    own = (F.col("moments") > shared) & (F.col("other_moments") > shared)
    return judged.filter(own).select("account_id").distinct()
