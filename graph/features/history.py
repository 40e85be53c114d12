"""Where a network comes from: ages, sign-ups, earlier sleep, earlier decisions, its market."""

from datetime import timedelta

from graph.engines.base import Engine
from graph.feature import Feature
from graph.features.devices import OLD_DAYS
from graph.features.statistics import (
    densest_share,
    lower_median,
    shortest_span,
    spread,
    statistics,
)
from graph.features.tables import DAY_US, MemberTables, count_where, ratio
from graph.frames import Column, DataFrame, F

HOUR_US = DAY_US // 24
MIN_SIGNUPS = 3
MIN_SILENT_DAYS = 2
RESOLD_DAYS = 7

HISTORY_FEATURES = [
    Feature(
        "new_account_ratio",
        "network",
        "ratio",
        "Share of the members of known age that are younger than a week.",
        "members with an age below 7 days / members of known age; null without any",
        phrase="{value} of the accounts of known age were younger than a week",
    ),
    Feature(
        "median_age_days",
        "network",
        "days",
        "Age of a typical member.",
        "median age of members of known age; null without any",
        phrase="a typical account was {value} old",
    ),
    Feature(
        "signup_spread_hours",
        "network",
        "hours",
        "Length of the shortest time in which nine tenths of the members were created.",
        "shortest time from one creation to another that holds at least 90% of the known ones; "
        "null with fewer than 3",
    ),
    Feature(
        "signup_hour_ratio",
        "network",
        "ratio",
        "Largest share of the members created within one hour.",
        "most creations in one sliding hour, both ends included / known creations; null with fewer "
        "than 3",
        phrase="{value} of the accounts of known age signed up within one hour",
    ),
    Feature(
        "age_span_days",
        "network",
        "days",
        "Time between the creation of the oldest and the youngest member.",
        "largest minus smallest known age; null with fewer than 2",
        phrase="the accounts were created within {value}",
    ),
    Feature(
        "dormant_ratio",
        "network",
        "ratio",
        "Share of the members that were once silent for a month or longer.",
        "members with account_profile.longest_gap_days >= 30 / members",
        phrase="{members} had once been silent for a month or longer",
    ),
    Feature(
        "wake_day_ratio",
        "network",
        "ratio",
        "Largest share of the members that showed a first sign of life on one and the same day.",
        "largest number of members with an age of 30 days or more and account_profile."
        "first_seen_ever_at on one day (UTC), at least 2 days after the earliest of all accounts / "
        "members",
        phrase="{members} showed a first sign of life on one and the same day",
    ),
    Feature(
        "device_break_ratio",
        "network",
        "ratio",
        "Share of the older members that came to the network's shared devices after their own.",
        "of members with an age of 30 days or more and an edge to a device that is not shared: "
        "those with edges to shared devices, each of them first seen later than every one that is "
        "not shared, and at most 7 days before the end of ds or at least 7 days after these / "
        "those; null without any",
        phrase="{value} of the older accounts came to the network's shared devices after their own",
    ),
    Feature(
        "growth_ratio",
        "network",
        "ratio",
        "Share of the members that joined within the last week.",
        "members with memberships.joined_on in the 7 days up to ds / members",
        phrase="{members} joined within the last week",
    ),
    Feature(
        "re_emerged",
        "network",
        "flag",
        "Whether the network shares rare entities with one that was enforced.",
        "1 if history has event re-emerged for the network on ds, else 0",
        high=1,
    ),
    Feature(
        "prior_decision_ratio",
        "network",
        "ratio",
        "Share of the members over which a decision was made before.",
        "members with account_profile.prior_decisions > 0 / members",
    ),
    Feature(
        "undecided_accounts",
        "network",
        "accounts",
        "Number of members over which no decision was made.",
        "members without account_profile.prior_decisions > 0",
        phrase="over {value} of the accounts no decision was made yet",
    ),
    Feature(
        "undecided_new_ratio",
        "network",
        "ratio",
        "Share of the members without a decision, and of known age, that are younger than a week.",
        "as new_account_ratio, of members without account_profile.prior_decisions > 0; null "
        "without any",
        phrase="{value} of the accounts over which no decision was made were younger than a week",
    ),
    Feature(
        "decided_device_ratio",
        "network",
        "ratio",
        "Share of the members without a decision on a device of an account over which one was "
        "made.",
        "of members without account_profile.prior_decisions > 0: those with an edge to a device, "
        "no hub, that an account with it, member or not, has an edge to, where less than 7 days "
        "lie between the times of both edges / those members; null without any",
        phrase="{value} of the accounts over which no decision was made used a device of one over "
        "which one was",
    ),
    Feature(
        "abusive_label_ratio",
        "network",
        "ratio",
        "Share of the members with a valid label abusive.",
        "members with a row in labels of their own, label abusive, valid at the end of ds: neither "
        "withdrawn, superseded nor expired / members; null where the input is absent",
    ),
    Feature(
        "verified_ratio",
        "network",
        "ratio",
        "Share of the members that are verified.",
        "members with accounts.verified true / members where it is known; null without any",
    ),
    Feature(
        "top_market_ratio",
        "network",
        "ratio",
        "Share of the members in the market that most of them are in.",
        "largest number of members of one market / members with one; it is accounts.market, else "
        "nodes.market of the account; null without any",
    ),
    Feature(
        "declared_ratio",
        "network",
        "ratio",
        "Share of the members that one declared network names.",
        "largest number of members in one network of declared_networks, rows in force on ds / "
        "members; null where the input is absent",
        phrase="{members} stood in one declared network",
    ),
]


def history_features(engine: Engine, tables: MemberTables, devices: DataFrame) -> list[DataFrame]:
    """Compute HISTORY_FEATURES: frames of one row a network, network_id (the key).

    `devices` is graph.features.devices.devices_of_accounts.
    """
    return [
        _ages(engine, tables),
        _members(tables),
        _device_breaks(tables, devices),
        _earlier(tables),
        _wake_days(tables),
        _on_decided_devices(tables),
        *_listed(tables),
    ]


def _ages(engine: Engine, tables: MemberTables) -> DataFrame:
    found = statistics(
        engine,
        tables.members,
        "network_id",
        {
            "median_age": ("age_us", lower_median),
            "spread": ("age_us", shortest_span(0.9, MIN_SIGNUPS)),
            "signup_hour_ratio": ("age_us", densest_share(HOUR_US, MIN_SIGNUPS)),
            "span": ("age_us", spread),
        },
    )
    return found.select(
        "network_id",
        (F.col("median_age") / DAY_US).alias("median_age_days"),
        (F.col("spread") / HOUR_US).alias("signup_spread_hours"),
        "signup_hour_ratio",
        (F.col("span") / DAY_US).alias("age_span_days"),
    )


def _members(tables: MemberTables) -> DataFrame:
    known_age = F.col("age_us").isNotNull()
    since = F.lit(str(tables.day.ds - timedelta(days=7))).cast("date")
    members = tables.members.withColumn("joined_lately", F.col("joined_on") > since)
    by_market = members.groupBy("network_id", "market").agg(F.count(F.lit(1)).alias("accounts"))
    top = (
        by_market.filter(F.col("market").isNotNull())
        .groupBy("network_id")
        .agg(ratio(F.max("accounts"), F.sum("accounts")).alias("top_market_ratio"))
    )
    counted = members.groupBy("network_id").agg(
        ratio(count_where(F.col("age_us") < 7 * DAY_US), count_where(known_age)).alias(
            "new_account_ratio"
        ),
        ratio(count_where(F.col("joined_lately")), F.count(F.lit(1))).alias("growth_ratio"),
        ratio(
            count_where(F.coalesce("verified", F.lit(False))),
            count_where(F.col("verified").isNotNull()),
        ).alias("verified_ratio"),
    )
    return counted.join(top, on="network_id", how="left")


def _device_breaks(tables: MemberTables, devices: DataFrame) -> DataFrame:
    return devices.groupBy("network_id").agg(
        ratio(
            count_where(F.col("device_break") == 1), count_where(F.col("device_break").isNotNull())
        ).alias("device_break_ratio")
    )


def _earlier(tables: MemberTables) -> DataFrame:
    placed = tables.members.select("network_id", "account_id", "age_us")
    profile = placed.join(tables.day.account_profile, on="account_id", how="left")
    members = F.count(F.lit(1))
    undecided = F.coalesce("prior_decisions", F.lit(0)) == 0
    young = F.col("age_us") < 7 * DAY_US
    counted = profile.groupBy("network_id").agg(
        ratio(count_where(F.col("longest_gap_days") >= 30), members).alias("dormant_ratio"),
        ratio(count_where(F.col("prior_decisions") > 0), members).alias("prior_decision_ratio"),
        count_where(undecided).alias("undecided_accounts"),
        ratio(
            count_where(undecided & young),
            count_where(undecided & F.col("age_us").isNotNull()),
        ).alias("undecided_new_ratio"),
    )
    emerged = tables.day.history.filter(F.col("event") == "re-emerged").select(
        "network_id", F.lit(1).alias("re_emerged")
    )
    counted = counted.join(emerged, on="network_id", how="left")
    return counted.withColumn("re_emerged", F.coalesce("re_emerged", F.lit(0)))


def _wake_days(tables: MemberTables) -> DataFrame:
    day = F.floor(F.unix_micros("first_seen_ever_at") / F.lit(DAY_US)).cast("bigint")
    began = tables.day.account_profile.agg(F.min("first_seen_ever_at").alias("began_at"))
    profile = tables.day.account_profile.select("account_id", "first_seen_ever_at")
    old = tables.members.filter(F.col("age_us") >= OLD_DAYS * DAY_US)
    woken = (
        old.join(profile, on="account_id", how="inner")
        .crossJoin(began)
        .filter(
            F.unix_micros("first_seen_ever_at")
            >= F.unix_micros("began_at") + F.lit(MIN_SILENT_DAYS * DAY_US)
        )
        .withColumn("day", day)
    )
    by_day = woken.groupBy("network_id", "day").agg(F.count(F.lit(1)).alias("woken"))
    most = by_day.groupBy("network_id").agg(F.max("woken").alias("woken"))
    return _share(tables, most, "woken", "wake_day_ratio")


def _on_decided_devices(tables: MemberTables) -> DataFrame:
    """Members without a decision on devices of accounts over which one was made.

    Who comes back on the devices of a banned account is in one network with it while the look-back
    shows both. A device that was silent for a week between both may have been sold, and says
    nothing.
    """
    decided = tables.day.account_profile.filter(F.col("prior_decisions") > 0).select("account_id")
    device = F.col("entity_type") == "device"
    theirs = (
        tables.day.edges.filter(device)
        .join(decided, on="account_id", how="left_semi")
        .select(
            "entity_id",
            F.col("first_seen_at").alias("their_first_at"),
            F.col("last_seen_at").alias("their_last_at"),
        )
    )
    undecided = tables.members.join(decided, on="account_id", how="left_anti").select(
        "network_id", "account_id"
    )
    ours = (
        tables.edges.filter(device & ~F.col("is_hub"))
        .join(decided, on="account_id", how="left_anti")
        .join(theirs, on="entity_id", how="inner")
    )
    silent = F.greatest(
        F.unix_micros("first_seen_at") - F.unix_micros("their_last_at"),
        F.unix_micros("their_first_at") - F.unix_micros("last_seen_at"),
    )
    near = ours.filter(silent < F.lit(RESOLD_DAYS * DAY_US))
    on_them = near.select("account_id").distinct().withColumn("on_them", F.lit(1))
    counted = undecided.join(on_them, on="account_id", how="left")
    return counted.groupBy("network_id").agg(
        ratio(F.count("on_them"), F.count(F.lit(1))).alias("decided_device_ratio")
    )


def _share(tables: MemberTables, counted: DataFrame, column: str, name: str) -> DataFrame:
    placed = tables.sizes.join(counted, on="network_id", how="left")
    share: Column = ratio(F.coalesce(column, F.lit(0)), F.col("size"))
    return placed.select("network_id", share.alias(name))


def _listed(tables: MemberTables) -> list[DataFrame]:
    """What the inputs labels and declared_networks say; nothing where they are absent."""
    placed = tables.members.select("network_id", "account_id")
    found = []
    if tables.day.labels is not None:
        abusive = tables.day.labels.filter(F.col("label") == "abusive").select("account_id")
        on_them = (
            placed.join(abusive, on="account_id", how="left_semi")
            .groupBy("network_id")
            .agg(F.count(F.lit(1)).alias("on_them"))
        )
        found.append(_share(tables, on_them, "on_them", "abusive_label_ratio"))
    if tables.day.declared_networks is not None:
        declared = tables.day.declared_networks.select("account_id", "network").distinct()
        by_name = (
            placed.join(declared, on="account_id", how="inner")
            .groupBy("network_id", "network")
            .agg(F.count(F.lit(1)).alias("named"))
        )
        most = by_name.groupBy("network_id").agg(F.max("named").alias("named"))
        found.append(_share(tables, most, "named", "declared_ratio"))
    return found
