"""Hub policy: which entities touch too many accounts to link any, and which of them look planted.

A cap removes pairs, never the finding: hubs stay in the graph with their reason, and one that looks
like somebody's work is reported for review.
"""

from __future__ import annotations

from collections.abc import Mapping

from graph.config import UNITS, HubLimits, SuspiciousHubs
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
        age_days="int64",  # from its first sighting in the look-back to the end of ds: at least
        growth_ratio="float64",  # share of its accounts first seen with it on ds
        new_account_ratio="float64",  # share of its accounts younger than suspicious_hubs.young
        likeness_ratio="float64",  # largest share of its accounts that began on one day
        reason="string",  # young, growing, new accounts, alike: those that hold, in this order
    ),
)

UNUSUAL = 2
"""How often the usual share is an unusual one: half of a hub's accounts being new says nothing on a
day when all are."""


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


def account_ages(profiles: DataFrame, accounts: DataFrame | None) -> DataFrame:
    """Since when accounts are known: account_id (key), created_at, began_on.

    `profiles` has account_id and first_seen_ever_at, `accounts` account_id and created_at.
    created_at is the day of registration, else that of the first event: an account is no younger.
    began_on is null where that is the first event of the log itself: who was there before it
    began has only that in common.
    """
    first = profiles.agg(F.min(F.to_date("first_seen_ever_at")).alias("log_began_on"))
    seen = profiles.select("account_id", "first_seen_ever_at").crossJoin(first)
    if accounts is None:
        seen = seen.withColumn("created_at", F.lit(None).cast("timestamp"))
    else:
        known = accounts.select("account_id", "created_at")
        seen = seen.join(known, on="account_id", how="left")
    first_day = F.to_date("first_seen_ever_at")
    return seen.select(
        "account_id",
        F.coalesce("created_at", "first_seen_ever_at").alias("created_at"),
        F.coalesce(
            F.to_date("created_at"), F.when(first_day > F.col("log_began_on"), first_day)
        ).alias("began_on"),
    )


def suspicious_hubs(
    entities: DataFrame,
    edges: DataFrame,
    ages: DataFrame,
    settings: SuspiciousHubs,
    ds: str,
    days_of_log: int,
) -> DataFrame:
    """Report the unlisted hubs that look planted; columns of SUSPICIOUS_HUBS.

    `ages` is account_ages, `days_of_log` from the first event of the look-back to ds. What share is
    unusual is judged beside the same share among all: on the first days of a log every account
    looks new, and came just now. A hub is young only where the log goes back as long before it.
    """
    hubs = entities.filter(F.col("hub_reason") == "degree").select(
        "entity_type", "entity_id", "degree", F.col("first_seen_at").alias("hub_first_seen_at")
    )
    young_days = settings.young // UNITS["d"]
    ages = ages.withColumn("is_new", _ago("created_at", ds) <= young_days)
    members = edges.join(hubs, on=["entity_id", "entity_type"], how="inner").join(
        ages, on="account_id", how="left"
    )
    shares = _shares(members, ds).join(
        _likeness(members, ages), on=["entity_id", "entity_type"], how="left"
    )
    usual = ages.agg(F.avg(F.col("is_new").cast("double")).alias("usual_new_ratio"))
    growth = edges.groupBy("entity_type").agg(
        F.avg(_on(ds, "first_seen_at").cast("double")).alias("usual_growth_ratio")
    )
    judged = shares.crossJoin(usual).join(growth, on="entity_type", how="left")
    return _with_reasons(judged, settings, min(young_days, days_of_log - young_days))


def _ago(column: str, ds: str) -> Column:
    """Whole days from a time's day to ds."""
    return F.datediff(F.to_date(F.lit(ds)), F.to_date(column))


def _on(ds: str, column: str) -> Column:
    return F.to_date(column) == F.to_date(F.lit(ds))


def _shares(members: DataFrame, ds: str) -> DataFrame:
    on_ds = _on(ds, "first_seen_at").cast("bigint")
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


def _likeness(members: DataFrame, ages: DataFrame) -> DataFrame:
    """The largest share of a hub's accounts that began on one day, and the largest unusual one."""
    by_day = members.groupBy("entity_type", "entity_id", "degree", "began_on").agg(
        F.count(F.lit(1)).alias("accounts")
    )
    began = ages.filter(F.col("began_on").isNotNull())
    everybody = began.agg(F.count(F.lit(1)).alias("everybody"))
    usual = began.groupBy("began_on").agg(F.count(F.lit(1)).alias("usual")).crossJoin(everybody)
    # Accounts of unknown age have that in common with nobody: they have no usual share.
    days = by_day.join(usual, on="began_on", how="inner").withColumn(
        "share", F.col("accounts") / F.col("degree")
    )
    unusual = F.col("share") >= UNUSUAL * F.col("usual") / F.col("everybody")
    return days.groupBy("entity_type", "entity_id").agg(
        F.max("share").alias("likeness_ratio"),
        F.max(F.when(unusual, F.col("share"))).alias("unusual_likeness_ratio"),
    )


def _with_reasons(hubs: DataFrame, settings: SuspiciousHubs, youngest_days: int) -> DataFrame:
    hubs = hubs.withColumn("likeness_ratio", F.coalesce("likeness_ratio", F.lit(0.0)))
    reasons = {
        "young": F.col("age_days") <= youngest_days,
        "growing": (F.col("growth_ratio") >= settings.growth)
        & (F.col("growth_ratio") >= UNUSUAL * F.col("usual_growth_ratio")),
        "new accounts": (F.col("new_account_ratio") >= settings.new_accounts)
        & (F.col("new_account_ratio") >= UNUSUAL * F.col("usual_new_ratio")),
        "alike": F.col("unusual_likeness_ratio") >= settings.likeness,
    }
    text = F.concat_ws(", ", *(F.when(holds, F.lit(name)) for name, holds in reasons.items()))
    return (
        hubs.withColumn("reason", text)
        .filter(F.col("reason") != "")
        .select(*SUSPICIOUS_HUBS.columns)
    )
