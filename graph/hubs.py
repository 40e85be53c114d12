"""Hub policy: which entities touch too many accounts to link any, and which of them look planted.

A cap removes pairs, never the finding: hubs stay in the graph with their reason, and one that looks
like somebody's work is reported for review.
"""

from __future__ import annotations

from collections.abc import Mapping

from graph.config import HubLimits, SuspiciousHubs
from graph.frames import Column, DataFrame, F
from graph.tables import Table, columns

SUSPICIOUS_HUBS = Table(
    name="suspicious_hubs",
    grain="unlisted hub that looks planted",
    key=("entity_type", "entity_id"),
    schema=columns(
        entity_type="string",
        entity_id="string",
        degree="int64",
        age_days="int64",  # from its first sighting in the look-back to the end of ds
        growth_ratio="float64",  # share of its accounts first seen with it on ds
        new_account_ratio="float64",  # share of its accounts younger than suspicious_hubs.young
        likeness_ratio="float64",  # largest share of its accounts that began on one day
        reason="string",  # young, growing, new accounts, alike: those that hold, in this order
    ),
)


def mark_hubs(
    entities: DataFrame, limits: Mapping[str, HubLimits | None], shared: DataFrame | None
) -> DataFrame:
    """Add is_hub and hub_reason: listed (`shared: <reason>`), or degree above the hard limit.

    `entities` has entity_type, entity_id, degree; `shared` is graph.shared_entities.listed.
    """
    if shared is None:
        marked = entities.withColumn("reason", F.lit(None).cast("string"))
    else:
        marked = entities.join(shared, on=["entity_id", "entity_type"], how="left")
    hard = _limit({name: limit.hard for name, limit in limits.items() if limit is not None})
    reason = F.when(F.col("reason").isNotNull(), F.concat(F.lit("shared: "), F.col("reason"))).when(
        F.col("degree") > hard, F.lit("degree")
    )
    return (
        marked.withColumn("hub_reason", reason)
        .withColumn("is_hub", F.col("hub_reason").isNotNull())
        .drop("reason")
    )


def _limit(values: Mapping[str, int]) -> Column:
    """The limit of each row's entity type; null, so never exceeded, where there is none."""
    limit = F.lit(None).cast("bigint")
    for name, value in sorted(values.items()):
        limit = F.when(F.col("entity_type") == name, F.lit(value)).otherwise(limit)
    return limit


def suspicious_hubs(
    entities: DataFrame,
    edges: DataFrame,
    account_ages: DataFrame,
    settings: SuspiciousHubs,
    ds: str,
) -> DataFrame:
    """Report the unlisted hubs that look planted; columns of SUSPICIOUS_HUBS.

    `account_ages` has account_id and created_at. What share is unusual is judged beside the same
    share among all accounts: on the first days of a log every account looks new.
    """
    hubs = entities.filter(F.col("hub_reason") == "degree").select(
        "entity_type", "entity_id", "degree", F.col("first_seen_at").alias("hub_first_seen_at")
    )
    ages = account_ages.withColumn("began_on", F.to_date("created_at")).withColumn(
        "is_new", _ago("created_at", ds) <= settings.young // 86_400_000_000
    )
    members = edges.join(hubs, on=["entity_id", "entity_type"], how="inner").join(
        ages, on="account_id", how="left"
    )
    shares = _shares(members, ds).join(
        _likeness(members), on=["entity_id", "entity_type"], how="left"
    )
    usual = ages.agg(F.avg(F.col("is_new").cast("double")).alias("usual_new_ratio"))
    return _with_reasons(shares.crossJoin(usual), settings)


def _ago(column: str, ds: str) -> Column:
    """Whole days from a time's day to ds."""
    return F.datediff(F.to_date(F.lit(ds)), F.to_date(column))


def _shares(members: DataFrame, ds: str) -> DataFrame:
    on_ds = (F.to_date("first_seen_at") == F.to_date(F.lit(ds))).cast("bigint")
    counted = members.groupBy("entity_type", "entity_id", "degree", "hub_first_seen_at").agg(
        F.sum(on_ds).alias("joined"),
        F.sum(F.coalesce(F.col("is_new").cast("bigint"), F.lit(0))).alias("new"),
    )
    return counted.select(
        "entity_type",
        "entity_id",
        "degree",
        (_ago("hub_first_seen_at", ds) + 1).cast("bigint").alias("age_days"),
        (F.col("joined") / F.col("degree")).alias("growth_ratio"),
        (F.col("new") / F.col("degree")).alias("new_account_ratio"),
    )


def _likeness(members: DataFrame) -> DataFrame:
    by_day = members.groupBy("entity_type", "entity_id", "degree", "began_on").agg(
        F.count(F.lit(1)).alias("accounts")
    )
    # Accounts of unknown age have that in common with nobody.
    alike = F.when(F.col("began_on").isNotNull(), F.col("accounts")).otherwise(F.lit(0))
    return by_day.groupBy("entity_type", "entity_id").agg(
        (F.max(alike) / F.max("degree")).alias("likeness_ratio")
    )


def _with_reasons(hubs: DataFrame, settings: SuspiciousHubs) -> DataFrame:
    # Twice the usual share: a hub of half new accounts is no news on a day when all are new.
    reasons = {
        "young": F.col("age_days") <= settings.young // 86_400_000_000,
        "growing": F.col("growth_ratio") >= settings.growth,
        "new accounts": (F.col("new_account_ratio") >= settings.new_accounts)
        & (F.col("new_account_ratio") >= 2 * F.col("usual_new_ratio")),
        "alike": F.col("likeness_ratio") >= settings.likeness,
    }
    text = F.concat_ws(", ", *(F.when(holds, F.lit(name)) for name, holds in reasons.items()))
    return (
        hubs.withColumn("reason", text)
        .filter(F.col("reason") != "")
        .select(*SUSPICIOUS_HUBS.columns)
    )
