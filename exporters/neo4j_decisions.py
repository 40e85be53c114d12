"""What was decided on accounts, as investigators see it: what is proposed or in force, and where.

Scoring says who may be proposed; the ledger of decisions says what became of it, and what people
decided without any signature. So where the ledger has a decision on an account in its network, that
one is told.
"""

from __future__ import annotations

from exporters.neo4j_tables import DayTables
from graph.frames import Column, DataFrame, F, Window
from signatures.ladder import LADDER, SECURE
from signatures.life_cycle import ENFORCED, STANDS, WHY_NOT, current_frame

UNSETTLED = ("in_review", "superseded", "expired")
"""Ends that say neither that the account is abusive nor that it is not."""

ACTIONS = (SECURE, *LADDER)
"""The lightest first."""


def decided_of_accounts(decisions: DataFrame) -> DataFrame:
    """By account (id): the state of its latest decision, and whether an action against it stands.

    One that secures the account (SECURE) is none.
    """
    against = F.col("state").isin(*ENFORCED) & F.col("action").isin(*LADDER)
    by_account = Window.partitionBy("account_id").orderBy(
        F.col("state_at").desc(), F.col("decision_id")
    )
    last = current_frame(decisions).withColumn("rank", F.row_number().over(by_account))
    return (
        last.groupBy("account_id")
        .agg(
            F.max(F.when(F.col("rank") == 1, F.col("state"))).alias("decision_state"),
            F.max(against).alias("enforced"),
        )
        .withColumnRenamed("account_id", "id")
    )


def decided_of_members(day: DayTables) -> DataFrame:
    """Memberships with what was judged and decided of each: MEMBER_OF's properties."""
    judged = day.inclusions.select(
        *("network_id", "account_id", "role", "role_reasons"),
        *("included", "action", "reasons", "overridden"),
    )
    members = day.memberships.join(judged, on=["network_id", "account_id"], how="left").join(
        _decided_here(day), on=["network_id", "account_id"], how="left"
    )
    stands = F.col("decision").isin(*STANDS)
    why = F.array(
        F.coalesce(*(F.when(F.col("decision") == k, F.lit(v)) for k, v in WHY_NOT.items()))
    )
    reasons = F.when(F.col("decision").isNull(), F.col("reasons"))
    reasons = reasons.when(~stands & F.col("reasons").isNull(), why)
    reasons = reasons.when(~stands, F.concat(why, F.col("reasons")))
    return (
        members.withColumn("reasons", reasons)
        .withColumn("included", F.coalesce(stands, F.col("included")))
        .withColumn("action", F.coalesce(F.when(stands, F.col("decided")), F.col("action")))
    )


def decided_of_networks(day: DayTables) -> DataFrame:
    """By network: proposed_accounts, enforced_accounts, and the heaviest action of the former."""
    enforced = decided_of_accounts(day.decisions).withColumnRenamed("id", "account_id")
    rank = F.coalesce(*(F.when(F.col("action") == each, n) for n, each in enumerate(ACTIONS)))
    counted = (
        decided_of_members(day)
        .join(enforced, on="account_id", how="left")
        .groupBy("network_id")
        .agg(
            _how_many("included").alias("proposed_accounts"),
            _how_many("enforced").alias("enforced_accounts"),
            F.max(F.when(F.col("included"), rank)).alias("rank"),
        )
    )
    heaviest = (F.when(F.col("rank") == n, F.lit(each)) for n, each in enumerate(ACTIONS))
    return counted.withColumn("action", F.coalesce(*heaviest))


def _how_many(name: str) -> Column:
    return F.sum(F.when(F.col(name), 1).otherwise(0)).cast("bigint")


def _decided_here(day: DayTables) -> DataFrame:
    """By member: its decision in its network or an older one that flowed into it.

    network_id, account_id, decision (its state) and decided (its action). Of several that which
    stands, then the latest.
    """
    own = day.networks.select("network_id", F.col("network_id").alias("decided_in"))
    older = day.networks.select("network_id", F.explode("lineage").alias("decided_in"))
    decisions = current_frame(day.decisions).withColumnRenamed("network_id", "decided_in")
    here = (
        decisions.join(own.unionByName(older).distinct(), on="decided_in", how="inner")
        .join(
            day.memberships.select("network_id", "account_id"),
            on=["network_id", "account_id"],
            how="left_semi",
        )
        .withColumn("stands", F.when(F.col("state").isin(*STANDS), 1).otherwise(0))
    )
    first = Window.partitionBy("network_id", "account_id").orderBy(
        F.col("stands").desc(), F.col("state_at").desc(), F.col("decision_id")
    )
    return (
        here.withColumn("place", F.row_number().over(first))
        .filter(F.col("place") == 1)
        .select(
            "network_id",
            "account_id",
            F.col("state").alias("decision"),
            F.col("action").alias("decided"),
        )
    )
