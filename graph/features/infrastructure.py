"""What a network runs on: its devices, its networks of addresses, its content and its targets."""

from graph.engines.base import Engine
from graph.feature import Feature
from graph.features.statistics import lower_median, statistics
from graph.features.tables import (
    SIGNUP,
    MemberTables,
    count_where,
    on_other_members,
    ratio,
    shared,
    sum_where,
)
from graph.frames import Column, DataFrame, F, Window
from graph.ip_networks import KINDS

TOP = 3
"""Entities that features on the commonest ones look at."""

PLACES = {
    "residential": "homes",
    "mobile": "mobile networks",
    "hosting": "data centres",
    "vpn": "VPNs",
    "tor": "Tor",
    "business": "businesses",
    "education": "schools and universities",
}
"""Where addresses of a kind are, in plain words."""

INFRASTRUCTURE_FEATURES = [
    Feature(
        "devices",
        "network",
        "entities",
        "Number of devices that members used.",
        "distinct device entity_id of members' edges; null without any",
        low=1,
    ),
    Feature(
        "accounts_per_device",
        "network",
        "accounts",
        "Members per device.",
        "members' edges to devices / distinct devices of them; null without any",
        low=1,
        phrase="{value} accounts used a device, on average",
    ),
    Feature(
        "shared_device_ratio",
        "network",
        "ratio",
        "Share of the members that used a device which another member used.",
        "members with edges to a shared device / members",
        phrase="{members} used a device which another of them used",
    ),
    Feature(
        "top_devices_ratio",
        "network",
        "ratio",
        "Share of the members on the three devices with the most members.",
        "members with edges to one of the three devices that most members have edges to / members",
        phrase="{members} used one of the three commonest devices",
    ),
    Feature(
        "ip_networks",
        "network",
        "entities",
        "Number of address networks that members used.",
        "distinct ip_network entity_id of members' edges; null without any",
        low=1,
    ),
    Feature(
        "ip_networks_per_account",
        "network",
        "entities",
        "Address networks that a typical member used.",
        "median over members of their edges to ip_network, members without one left out",
        low=1,
        phrase="a typical account used {value} address network{s}",
    ),
    Feature(
        "top_ip_network_ratio",
        "network",
        "ratio",
        "Share of the members on the address network with the most members.",
        "largest number of members with edges to one ip_network / members; null without any",
        phrase="{members} came from one address network",
    ),
    Feature(
        "signup_ip_networks",
        "network",
        "entities",
        "Number of address networks that members signed up from.",
        "distinct ip_network entity_id of members' signup rows in edge_activity; null without any",
        low=1,
        phrase="the accounts signed up from {value} address network{s}",
    ),
    *(
        Feature(
            f"ip_{kind}_ratio",
            "network",
            "ratio",
            f"Share of the events, where the kind of address network is known, that came from "
            f"{kind}.",
            f"events of members' edges to ip whose nodes.ip_kind is {kind} / those whose ip_kind "
            "is known; null without any",
            phrase=f"{{value}} of the events from addresses of known kind came from {PLACES[kind]}",
        )
        for kind in KINDS
    ),
    Feature(
        "hub_ratio",
        "network",
        "ratio",
        "Share of the members' events that touch entities which are hubs.",
        "events of members' edges to nodes with is_hub, hub devices too / events of all of them",
    ),
    Feature(
        "listed_shared_ratio",
        "network",
        "ratio",
        "Share of the members that used an entity on the site's list of shared ones.",
        "members with edges to a node, hub devices too, whose hub_reason begins with `shared:` / "
        "members",
    ),
    Feature(
        "content_diversity",
        "network",
        "ratio",
        "Distinct pieces of content per posting of one by a member: near 0 where all repeat a few.",
        "distinct content entity_id of members' edges / members' edges to content; null "
        "without any",
        phrase="{value} of the pieces that the accounts posted were distinct, the "
        "rest repeated them",
    ),
    Feature(
        "shared_content_ratio",
        "network",
        "ratio",
        "Share of the members' events on content that another member also posted.",
        "events of members' edges to shared content / those to content; null without any",
        phrase="{value} of what the accounts posted was also posted by another of them",
    ),
    Feature(
        "content_rarity",
        "network",
        "",
        "How rare the content is that links members: 0 where everybody posts it.",
        "mean over the distinct content in the members' evidence of its largest rarity; null "
        "without any",
    ),
    Feature(
        "leader_ratio",
        "network",
        "ratio",
        "Share of the shared content that one and the same member posted first.",
        "over shared content, the member with the earliest edges.first_seen_at is its "
        "first poster: "
        "largest number of one member / shared content; null without any",
    ),
    Feature(
        "top_targets_ratio",
        "network",
        "ratio",
        "Share of the members' events on targets that went to the three commonest.",
        "events of members' edges to the three targets with the most of them / those to targets; "
        "null without any",
        phrase="{value} of the accounts' actions on targets went to the same three",
    ),
    Feature(
        "member_target_ratio",
        "network",
        "ratio",
        "Share of the members' events on targets that went to other members.",
        "events of members' edges to a target that is another member's account_id / those to "
        "targets; null without any",
        phrase="{value} of the accounts' actions on targets went to one another",
    ),
]


def infrastructure_features(engine: Engine, tables: MemberTables) -> list[DataFrame]:
    """Compute INFRASTRUCTURE_FEATURES: frames of one row a network, network_id (the key)."""
    return [
        _of_entities(tables),
        _of_edges(tables),
        _on_top_devices(tables),
        _on_shared_devices(tables),
        _on_listed(tables),
        _content(tables),
        _content_rarity(tables),
        _targets(tables),
        _networks_per_account(engine, tables),
        _signup_networks(tables),
    ]


def _of_type(entity_type: str) -> Column:
    return F.col("entity_type") == entity_type


def _of_entities(tables: MemberTables) -> DataFrame:
    device, address = _of_type("device"), _of_type("ip_network")
    counted = tables.entities.groupBy("network_id").agg(
        count_where(device).alias("devices"),
        sum_where(device, "members").alias("device_edges"),
        count_where(address).alias("ip_networks"),
        F.max(F.when(address, F.col("members"))).alias("top_ip_network"),
    )
    counted = counted.join(tables.sizes, on="network_id", how="inner")
    return counted.select(
        "network_id",
        _unless_none("devices"),
        ratio(F.col("device_edges"), F.col("devices")).alias("accounts_per_device"),
        _unless_none("ip_networks"),
        ratio(F.col("top_ip_network"), F.col("size")).alias("top_ip_network_ratio"),
    )


def _unless_none(name: str) -> Column:
    return F.when(F.col(name) > 0, F.col(name)).alias(name)


def _of_edges(tables: MemberTables) -> DataFrame:
    known = F.col("ip_kind").isNotNull() & _of_type("ip")
    return tables.edges.groupBy("network_id").agg(
        ratio(sum_where(F.col("is_hub"), "events"), F.sum("events")).alias("hub_ratio"),
        *(
            ratio(
                sum_where(known & (F.col("ip_kind") == kind), "events"), sum_where(known, "events")
            ).alias(f"ip_{kind}_ratio")
            for kind in KINDS
        ),
    )


def _share_of_members(tables: MemberTables, edges: DataFrame, name: str) -> DataFrame:
    """The share of each network's members that have one of these edges."""
    on_them = edges.groupBy("network_id").agg(F.count_distinct("account_id").alias("on_them"))
    counted = tables.sizes.join(on_them, on="network_id", how="left")
    share = ratio(F.coalesce("on_them", F.lit(0)), F.col("size")).alias(name)
    return counted.select("network_id", share)


def _top(entities: DataFrame, entity_type: str, by: str) -> DataFrame:
    most = Window.partitionBy("network_id").orderBy(F.col(by).desc(), F.col("entity_id"))
    ranked = entities.filter(_of_type(entity_type)).withColumn("place", F.row_number().over(most))
    return ranked.filter(F.col("place") <= TOP)


def _edges_to(tables: MemberTables, entities: DataFrame) -> DataFrame:
    chosen = entities.select("network_id", "entity_type", "entity_id")
    return tables.edges.join(chosen, on=["entity_id", "entity_type", "network_id"], how="left_semi")


def _on_top_devices(tables: MemberTables) -> DataFrame:
    top = _edges_to(tables, _top(tables.entities, "device", "members"))
    return _share_of_members(tables, top, "top_devices_ratio")


def _on_shared_devices(tables: MemberTables) -> DataFrame:
    on_shared = _edges_to(tables, shared(tables.entities, "device"))
    return _share_of_members(tables, on_shared, "shared_device_ratio")


def _on_listed(tables: MemberTables) -> DataFrame:
    listed = tables.edges.filter(F.col("hub_reason").startswith("shared:"))
    return _share_of_members(tables, listed, "listed_shared_ratio")


def _content(tables: MemberTables) -> DataFrame:
    content = tables.entities.filter(_of_type("content"))
    is_shared = (F.col("members") >= 2) & (F.col("is_hub") == 0)
    counted = content.groupBy("network_id").agg(
        ratio(F.count(F.lit(1)), F.sum("members")).alias("content_diversity"),
        ratio(sum_where(is_shared, "events"), F.sum("events")).alias("shared_content_ratio"),
    )
    led = (
        shared(tables.entities, "content")
        .groupBy("network_id", "first_account")
        .agg(F.count(F.lit(1)).alias("first"))
    )
    leader = led.groupBy("network_id").agg(
        ratio(F.max("first"), F.sum("first")).alias("leader_ratio")
    )
    return counted.join(leader, on="network_id", how="left")


def _content_rarity(tables: MemberTables) -> DataFrame:
    """The mean over distinct content, summed in micro-units: the same in any order."""
    evidence = tables.evidence.filter(_of_type("content"))
    rarity = F.floor(F.col("rarity") * 1e6 + 0.5).cast("bigint")
    distinct = evidence.groupBy("network_id", "entity_id").agg(F.max(rarity).alias("rarity"))
    mean = ratio(F.sum("rarity"), F.count(F.lit(1))) / F.lit(1e6)
    return distinct.groupBy("network_id").agg(mean.alias("content_rarity"))


def _targets(tables: MemberTables) -> DataFrame:
    edges = tables.edges.filter(_of_type("target"))
    whole = edges.groupBy("network_id").agg(F.sum("events").cast("bigint").alias("events"))
    top = _edges_to(tables, _top(tables.entities, "target", "events"))
    for name, part in (("on_top", top), ("on_members", on_other_members(tables))):
        part = part.groupBy("network_id").agg(F.sum("events").cast("bigint").alias(name))
        whole = whole.join(part, on="network_id", how="left")
    return whole.select(
        "network_id",
        ratio(F.col("on_top"), F.col("events")).alias("top_targets_ratio"),
        ratio(F.coalesce("on_members", F.lit(0)), F.col("events")).alias("member_target_ratio"),
    )


def _networks_per_account(engine: Engine, tables: MemberTables) -> DataFrame:
    used = (
        tables.edges.filter(_of_type("ip_network"))
        .groupBy("network_id", "account_id")
        .agg(F.count(F.lit(1)).alias("used"))
    )
    wanted = {"ip_networks_per_account": ("used", lower_median)}
    return statistics(engine, used, "network_id", wanted)


def _signup_networks(tables: MemberTables) -> DataFrame:
    placed = tables.members.select("network_id", "account_id")
    signups = tables.day.edge_activity.filter(
        _of_type("ip_network") & (F.col("event_type") == SIGNUP)
    )
    return (
        signups.join(placed, on="account_id", how="inner")
        .groupBy("network_id")
        .agg(F.count_distinct("entity_id").alias("signup_ip_networks"))
    )
