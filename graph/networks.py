"""Which groups of linked accounts are networks, who is in them, and what holds them together."""

from __future__ import annotations

import pyarrow as pa

from graph.config import Networks
from graph.fixed_point import MICRO, shown, to_micro
from graph.frames import DataFrame, F
from graph.tables import TIMESTAMP, Table, columns

COMPONENTS = Table(
    name="components",
    grain="account with a kept link",
    key=("account_id",),
    schema=columns(account_id="string", component_id="string", size="int64"),
)

MEMBERSHIPS = Table(
    name="memberships",
    grain="account in a network; an account is in at most one",
    key=("account_id",),
    schema=columns(
        network_id="string",
        account_id="string",
        component_id="string",
        community_id="string",
        strength="float64",  # sum of the account's link weights to members
        is_core="bool",
        joined_on=pa.date32(),
    ),
)

NETWORKS = Table(
    name="networks",
    grain="network",
    key=("network_id",),
    schema=columns(
        network_id="string",
        accounts="int64",  # as found, like all that follows: who is forgotten later is among them
        core_accounts="int64",
        links="int64",
        density="float64",  # share of the possible links that exist
        traces=pa.list_(pa.string()),
        families=pa.list_(pa.string()),
        first_at=TIMESTAMP,  # of the links inside
        last_at=TIMESTAMP,
        lineage=pa.list_(pa.string()),  # older ids that flowed into it, oldest first
    ),
)


def groups(
    components: DataFrame,
    communities: DataFrame,
    links: DataFrame,
    settings: Networks,
    parts: DataFrame | None = None,
) -> DataFrame:
    """Group accounts: account_id (the key), component_id, community_id, group_id.

    A component of at most `small` accounts and a density of at least `dense` is one group; others
    contribute their communities, or the `parts` of them (account_id, part_id) where a community may
    hold accounts that nothing links. Groups under min_size are left out. group_id is the smallest
    member.
    """
    dense = _dense_components(components, links, settings)
    placed = components.join(communities, on="account_id", how="inner").join(
        dense, on="component_id", how="left"
    )
    if parts is None:
        placed = placed.withColumn("part_id", F.col("community_id"))
    else:
        placed = placed.join(parts, on="account_id", how="inner")
    group = F.when(F.col("is_dense"), F.col("component_id")).otherwise(F.col("part_id"))
    placed = placed.withColumn("group_id", group).select(
        "account_id", "component_id", "community_id", "group_id"
    )
    sizes = placed.groupBy("group_id").agg(F.count(F.lit(1)).alias("accounts"))
    large = sizes.filter(F.col("accounts") >= settings.min_size).select("group_id")
    return placed.join(large, on="group_id", how="left_semi")


def _dense_components(components: DataFrame, links: DataFrame, settings: Networks) -> DataFrame:
    """Components that are one group as they are: component_id (the key), is_dense (true)."""
    small = components.filter(F.col("size") <= settings.small)
    counted = (
        links.join(
            small.select(F.col("account_id").alias("account_a"), "component_id", "size"),
            on="account_a",
            how="inner",
        )
        .groupBy("component_id", "size")
        .agg(F.count(F.lit(1)).alias("links"))
    )
    possible = F.col("size") * (F.col("size") - 1)
    is_dense = F.col("links") * (2 * MICRO) >= possible * to_micro(settings.dense)
    return counted.filter(is_dense).select("component_id", F.lit(True).alias("is_dense"))


def links_inside(links: DataFrame, members: DataFrame, group: str) -> DataFrame:
    """Keep the links whose accounts are in one group, and name it; `members` has account_id."""
    for side in ("a", "b"):
        side_members = members.select(
            F.col("account_id").alias(f"account_{side}"), F.col(group).alias(f"{group}_{side}")
        )
        links = links.join(side_members, on=f"account_{side}", how="inner")
    return (
        links.filter(F.col(f"{group}_a") == F.col(f"{group}_b"))
        .withColumn(group, F.col(f"{group}_a"))
        .drop(f"{group}_a", f"{group}_b")
    )


def networks(
    memberships: DataFrame, inside: DataFrame, trace_links: DataFrame, identities: DataFrame
) -> DataFrame:
    """One row per network; columns of NETWORKS.

    `memberships` has network_id and is_core; `inside` the fused links of members with their
    network_id and traces; `trace_links` the kept links of members by trace (network_id, trace,
    family, first_at, last_at); `identities` network_id and lineage.
    """
    accounts = memberships.groupBy("network_id").agg(
        F.count(F.lit(1)).alias("accounts"),
        F.sum(F.col("is_core").cast("bigint")).cast("bigint").alias("core_accounts"),
    )
    fused = inside.groupBy("network_id").agg(F.count(F.lit(1)).alias("links"))
    by_trace = trace_links.groupBy("network_id").agg(
        F.sort_array(F.collect_set("trace")).alias("traces"),
        F.sort_array(F.collect_set("family")).alias("families"),
        F.min("first_at").alias("first_at"),
        F.max("last_at").alias("last_at"),
    )
    possible = F.col("accounts") * (F.col("accounts") - 1)
    return (
        accounts.join(fused, on="network_id", how="inner")
        .join(by_trace, on="network_id", how="inner")
        .join(identities, on="network_id", how="inner")
        .withColumn("density", 2 * F.col("links") / possible)
        .select(*NETWORKS.columns)
    )


def memberships(members: DataFrame, core: DataFrame) -> DataFrame:
    """Add strength (shown) and is_core to members; `core` is graph.core_members.find_core."""
    return members.join(core, on=["network_id", "account_id"], how="left").select(
        "network_id",
        "account_id",
        "component_id",
        "community_id",
        shown(F.coalesce(F.col("strength"), F.lit(0).cast("bigint"))).alias("strength"),
        F.coalesce(F.col("is_core"), F.lit(False)).alias("is_core"),
    )
