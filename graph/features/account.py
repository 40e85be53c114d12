"""What is particular to one account among the members of its network."""

from typing import get_args

from graph.config import Family
from graph.engines.base import Engine
from graph.feature import Feature
from graph.features.statistics import lower_median, statistics
from graph.features.tables import (
    DAY_US,
    MemberTables,
    count_where,
    on_other_members,
    ratio,
    shared,
    sum_where,
)
from graph.frames import DataFrame, F
from graph.ip_networks import SHARED_KINDS

ACCOUNT_FEATURES = [
    Feature(
        "is_core",
        "account",
        "flag",
        "Whether the account is at the core of its network.",
        "1 if memberships.is_core, else 0",
    ),
    Feature(
        "core_links",
        "account",
        "accounts",
        "Number of core members that the account is linked to.",
        "account_links rows whose other end is a core member of the same network",
    ),
    Feature(
        "link_families",
        "account",
        "families",
        "Number of families that link the account to core members.",
        "distinct families of account_links rows to core members of the same network",
        high=len(get_args(Family)),
    ),
    Feature(
        "strength_ratio",
        "account",
        "",
        "Strength of the account's links beside that of a typical member.",
        "memberships.strength / median strength of the network",
    ),
    Feature(
        "outside_link_ratio",
        "account",
        "ratio",
        "Share of the account's links that lead out of its network.",
        "account_links rows whose other end is no member / account_links rows of the account",
    ),
    Feature(
        "age_days",
        "account",
        "days",
        "Age of the account.",
        "its age; null where unknown",
    ),
    Feature(
        "longest_gap_days",
        "account",
        "days",
        "Longest silence of the account between two active days.",
        "account_profile.longest_gap_days",
    ),
    Feature(
        "ip_networks_used",
        "account",
        "entities",
        "Number of address networks that the account used.",
        "its edges to ip_network",
    ),
    Feature(
        "shared_address_ratio",
        "account",
        "ratio",
        "Share of the account's events that came from addresses which strangers share.",
        "events of its edges to ip, to hubs or with a nodes.ip_kind of mobile, vpn or education / "
        "events of its edges to ip; null without any",
    ),
    Feature(
        "account_hosting_ratio",
        "account",
        "ratio",
        "Share of the account's events, where the kind of address network is known, that came from "
        "data centres.",
        "events of its edges to ip whose nodes.ip_kind is hosting / those whose ip_kind is known; "
        "null without any",
    ),
    Feature(
        "shared_devices",
        "account",
        "entities",
        "Number of devices that the account shares with members.",
        "its edges to shared devices",
    ),
    Feature(
        "device_lead_days",
        "account",
        "days",
        "How long, in the look-back, the account had a shared device before other members.",
        "over its edges to shared devices on which it was first seen first: largest time "
        "to the second "
        "member's first_seen_at; 0 where it was never first; null without a shared device",
    ),
    Feature(
        "left_device_days",
        "account",
        "days",
        "How long the account has not used the shared device that it had first.",
        "over its edges to shared devices on which it was first seen first: smallest time from its "
        "last_seen_at to the second member's first_seen_at, 0 if negative; null without one",
    ),
    Feature(
        "device_break",
        "account",
        "flag",
        "Whether the account, long used elsewhere, came to shared devices after its own.",
        "as device_break_ratio, of this account; null with an age below 30 days or unknown, or "
        "without a device of its own",
        high=1,
    ),
    Feature(
        "first_poster_ratio",
        "account",
        "ratio",
        "Share of the account's shared content that it posted first.",
        "shared content on which its edges.first_seen_at is the earliest of the members / its "
        "shared content; null without any",
    ),
    Feature(
        "account_coordinated_ratio",
        "account",
        "ratio",
        "Share of the account's events that lie inside the coordinated moments.",
        "as coordinated_ratio, of this account",
        phrase="{value} of what the account did was done in step with a member",
    ),
    Feature(
        "account_regularity",
        "account",
        "ratio",
        "How much of the account's rhythm is one constant pause.",
        "share of gaps between its moments that differ from their median by at most 5% of it; null "
        "with fewer than 10 moments",
    ),
    Feature(
        "targeted_ratio",
        "account",
        "ratio",
        "Share of the members' events on members that the account received.",
        "events of other members' edges to the target that is this account_id / events of members' "
        "edges to targets that are other members; null without any",
    ),
    Feature(
        "account_verified",
        "account",
        "flag",
        "Whether the account is verified.",
        "1 or 0 by accounts.verified; null where unknown",
    ),
]


def account_features(
    engine: Engine, tables: MemberTables, devices: DataFrame, rhythm: DataFrame
) -> DataFrame:
    """Compute ACCOUNT_FEATURES: network_id, account_id (the key) and one column a feature."""
    members = _of_members(engine, tables)
    parts = (
        devices.drop("network_id"),
        rhythm.select(
            "account_id",
            ratio(F.col("coordinated"), F.col("events")).alias("account_coordinated_ratio"),
            F.col("regularity").alias("account_regularity"),
        ),
        tables.day.account_profile.select("account_id", "longest_gap_days"),
        _ip_networks(tables),
        _addresses(tables),
        _first_poster(tables),
        _targeted(tables),
    )
    for part in parts:
        members = members.join(part, on="account_id", how="left")
    return members.withColumn("ip_networks_used", F.coalesce("ip_networks_used", F.lit(0)))


def _of_members(engine: Engine, tables: MemberTables) -> DataFrame:
    medians = statistics(
        engine, tables.members, "network_id", {"median_strength": ("strength", lower_median)}
    )
    members = tables.members.join(medians, on="network_id", how="inner").join(
        tables.linked.drop("network_id"), on="account_id", how="inner"
    )
    strength = F.when(F.col("median_strength") > 0, F.col("strength") / F.col("median_strength"))
    links = F.col("inside_links") + F.col("outside_links")
    return members.select(
        "network_id",
        "account_id",
        F.when(F.col("is_core"), 1).otherwise(0).alias("is_core"),
        "core_links",
        "link_families",
        strength.alias("strength_ratio"),
        ratio(F.col("outside_links"), links).alias("outside_link_ratio"),
        (F.col("age_us") / DAY_US).alias("age_days"),
        F.when(F.col("verified"), 1).when(~F.col("verified"), 0).alias("account_verified"),
    )


def _ip_networks(tables: MemberTables) -> DataFrame:
    edges = tables.edges.filter(F.col("entity_type") == "ip_network")
    return edges.groupBy("account_id").agg(F.count(F.lit(1)).alias("ip_networks_used"))


def _addresses(tables: MemberTables) -> DataFrame:
    by_strangers = F.col("is_hub") | F.coalesce(F.col("ip_kind").isin(*SHARED_KINDS), F.lit(False))
    known, hosting = F.col("ip_kind").isNotNull(), F.col("ip_kind") == "hosting"
    return (
        tables.edges.filter(F.col("entity_type") == "ip")
        .groupBy("account_id")
        .agg(
            ratio(sum_where(by_strangers, "events"), F.sum("events")).alias("shared_address_ratio"),
            ratio(sum_where(known & hosting, "events"), sum_where(known, "events")).alias(
                "account_hosting_ratio"
            ),
        )
    )


def _first_poster(tables: MemberTables) -> DataFrame:
    content = shared(tables.entities, "content").select(
        "network_id", "entity_type", "entity_id", "first_account"
    )
    edges = tables.edges.join(content, on=["entity_id", "entity_type", "network_id"], how="inner")
    first = F.col("first_account") == F.col("account_id")
    return edges.groupBy("account_id").agg(
        ratio(count_where(first), F.count(F.lit(1))).alias("first_poster_ratio")
    )


def _targeted(tables: MemberTables) -> DataFrame:
    """Share of what members do to members that each of them receives."""
    received = (
        on_other_members(tables)
        .groupBy("network_id", "entity_id")
        .agg(F.sum("events").cast("bigint").alias("received"))
    )
    whole = received.groupBy("network_id").agg(
        F.sum("received").cast("bigint").alias("received_by_all")
    )
    placed = tables.members.select("network_id", "account_id").join(
        whole, on="network_id", how="inner"
    )
    received = received.select(F.col("entity_id").alias("account_id"), "received")
    return placed.join(received, on="account_id", how="left").select(
        "account_id",
        ratio(F.coalesce("received", F.lit(0)), F.col("received_by_all")).alias("targeted_ratio"),
    )
