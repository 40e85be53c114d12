"""What features are computed from: one day's published tables, cut down to members of networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import add
from typing import get_args

from graph.config import Family, Trace
from graph.engines.base import Engine
from graph.frames import Column, DataFrame, F, Window
from graph.networks import links_inside

SIGNUP = "signup"
DAY_US = 86_400_000_000


@dataclass(frozen=True)
class DayTables:
    """One day's published tables, and the inputs that the site has; absent ones are None.

    accounts: jobs.inputs.ACCOUNTS. labels: of accounts, those valid at the end of the day;
    account_id, label. declared_networks: rows in force on the day; network, account_id,
    allowed_traces.
    """

    ds: date
    traces: Mapping[str, Trace]
    memberships: DataFrame
    networks: DataFrame
    account_links: DataFrame
    links: DataFrame
    link_evidence: DataFrame
    edges: DataFrame
    edge_activity: DataFrame
    nodes: DataFrame
    sightings: DataFrame
    account_activity: DataFrame
    account_profile: DataFrame
    history: DataFrame
    accounts: DataFrame | None = None
    labels: DataFrame | None = None
    declared_networks: DataFrame | None = None

    @property
    def end_us(self) -> int:
        """The end of the day in microseconds."""
        end = datetime.combine(self.ds + timedelta(days=1), time(), UTC)
        return int(end.timestamp()) * 1_000_000


@dataclass(frozen=True)
class MemberTables:
    """The same, of members only; every frame is materialized, so that it is computed once.

    members: a member; network_id, account_id (the key), is_core, strength, joined_on, and of the
    account age_us, market (of the input accounts, else of most of its events), time_zone, verified,
    followers (null where unknown).
    views: a member and an account it is linked to; network_id, account_id, other_id, is_core,
    other_network, other_core, traces, families.
    linked: a member; network_id, account_id, inside_links, outside_links, core_links (to core
    members of the network), link_families (families of those).
    kept: a trace's kept link between members; network_id, account_a, account_b, trace (with them
    the key), avg_time_delta_s.
    evidence: of those; LINK_EVIDENCE's columns, network_id.
    edges: a member and an entity; network_id, account_id, EDGES' columns, is_hub, hub_reason,
    ip_kind.
    entities: a network and an entity, no hub device, that members used; network_id, entity_type,
    entity_id, members, events, is_hub (1 or 0), first_account (who was seen with it first),
    second_seen_at (when the next member came).
    """

    day: DayTables
    members: DataFrame
    views: DataFrame
    linked: DataFrame
    kept: DataFrame
    evidence: DataFrame
    edges: DataFrame
    entities: DataFrame
    sizes: DataFrame = field(init=False)

    def __post_init__(self) -> None:
        sizes = self.day.networks.select("network_id", F.col("accounts").alias("size"))
        object.__setattr__(self, "sizes", sizes)


def member_tables(engine: Engine, day: DayTables) -> MemberTables:
    """Cut a day's tables down to the members of its networks."""
    members = engine.materialize(_members(day), "feature members")
    placed = members.select("network_id", "account_id")
    views = engine.materialize(_views(day, members), "feature views")
    linked = engine.materialize(_linked(members, views), "feature linked")
    kept = engine.materialize(_kept(day, placed), "feature kept")
    named = ["account_a", "account_b", "trace"]
    evidence = day.link_evidence.join(kept.select("network_id", *named), on=named, how="inner")
    evidence = engine.materialize(evidence, "feature evidence")
    edges = engine.materialize(edges_of(day.edges, day.nodes, placed), "feature edges")
    entities = engine.materialize(_entities(edges), "feature entities")
    return MemberTables(day, members, views, linked, kept, evidence, edges, entities)


def _members(day: DayTables) -> DataFrame:
    members = day.memberships.select("network_id", "account_id", "is_core", "strength", "joined_on")
    signups = (
        day.edge_activity.filter(F.col("event_type") == SIGNUP)
        .join(members.select("account_id"), on="account_id", how="left_semi")
        .groupBy("account_id")
        .agg(F.min("first_seen_at").alias("signed_up_at"))
    )
    members = members.join(signups, on="account_id", how="left")
    absent = {
        "created_at": "timestamp",
        "market": "string",
        "time_zone": "string",
        "verified": "boolean",
        "followers": "bigint",
    }
    if day.accounts is None:
        for name, kind in absent.items():
            members = members.withColumn(name, F.lit(None).cast(kind))
    else:
        members = members.join(
            day.accounts.select("account_id", *absent), on="account_id", how="left"
        )
    active_in = day.nodes.filter(F.col("node_type") == "account").select(
        F.col("node_id").alias("account_id"), F.col("market").alias("active_in")
    )
    members = members.join(active_in, on="account_id", how="left")
    members = members.withColumn("market", F.coalesce("market", "active_in")).drop("active_in")
    created, signed_up = F.unix_micros("created_at"), F.unix_micros("signed_up_at")
    created = F.coalesce(F.when(created <= day.end_us, created), signed_up)
    age = F.lit(day.end_us) - created
    return members.withColumn("age_us", age).drop("created_at", "signed_up_at")


def _views(day: DayTables, members: DataFrame) -> DataFrame:
    """Each link of a member, seen from the member: two rows of a link between members."""
    links = day.account_links.select("account_a", "account_b", "traces", "families")
    sides = [
        links.withColumnsRenamed({mine: "account_id", other: "other_id"}).select(
            "account_id", "other_id", "traces", "families"
        )
        for mine, other in (("account_a", "account_b"), ("account_b", "account_a"))
    ]
    own = members.select("network_id", "account_id", "is_core")
    others = members.select(
        F.col("account_id").alias("other_id"),
        F.col("network_id").alias("other_network"),
        F.col("is_core").alias("other_core"),
    )
    seen = sides[0].unionByName(sides[1]).join(own, on="account_id", how="inner")
    return seen.join(others, on="other_id", how="left")


def _linked(members: DataFrame, views: DataFrame) -> DataFrame:
    inside = F.coalesce(F.col("other_network") == F.col("network_id"), F.lit(False))
    to_core = inside & F.coalesce(F.col("other_core"), F.lit(False))
    families = get_args(Family)
    counted = views.groupBy("account_id").agg(
        count_where(inside).alias("inside_links"),
        count_where(~inside).alias("outside_links"),
        count_where(to_core).alias("core_links"),
        *(
            F.max(F.when(to_core & F.array_contains("families", family), 1).otherwise(0)).alias(
                f"family_{family}"
            )
            for family in families
        ),
    )
    link_families = reduce(add, (F.col(f"family_{family}") for family in families))
    counted = counted.withColumn("link_families", link_families.cast("bigint"))
    placed = members.select("network_id", "account_id").join(counted, on="account_id", how="left")
    numbers = ("inside_links", "outside_links", "core_links", "link_families")
    return placed.select(
        "network_id", "account_id", *(F.coalesce(name, F.lit(0)).alias(name) for name in numbers)
    )


def _kept(day: DayTables, placed: DataFrame) -> DataFrame:
    """The kept links whose accounts are both in one network."""
    return links_inside(day.links.filter(F.col("kept")), placed, "network_id").select(
        "network_id", "account_a", "account_b", "trace", "avg_time_delta_s"
    )


def edges_of(edges: DataFrame, nodes: DataFrame, placed: DataFrame) -> DataFrame:
    """MemberTables.edges: what members used, with the entities' standing.

    `edges` and `nodes` are a day's tables, `placed` has network_id, account_id.
    """
    entities = nodes.filter(F.col("node_type") != "account").select(
        F.col("node_type").alias("entity_type"),
        F.col("node_id").alias("entity_id"),
        "is_hub",
        "hub_reason",
        "ip_kind",
    )
    used = edges.join(placed.select("network_id", "account_id"), on="account_id", how="inner")
    return used.join(entities, on=["entity_id", "entity_type"], how="inner")


def _entities(edges: DataFrame) -> DataFrame:
    edges = edges.filter((F.col("entity_type") != "device") | ~F.col("is_hub"))
    first = Window.partitionBy("network_id", "entity_type", "entity_id").orderBy(
        "first_seen_at", "account_id"
    )
    ranked = edges.withColumn("place", F.row_number().over(first))
    return ranked.groupBy("network_id", "entity_type", "entity_id").agg(
        F.count(F.lit(1)).alias("members"),
        F.sum("events").cast("bigint").alias("events"),
        F.max(F.when(F.col("is_hub"), 1).otherwise(0)).alias("is_hub"),
        F.max(F.when(F.col("place") == 1, F.col("account_id"))).alias("first_account"),
        F.max(F.when(F.col("place") == 2, F.col("first_seen_at"))).alias("second_seen_at"),
    )


def shared(entities: DataFrame, entity_type: str) -> DataFrame:
    """The entities of a type that at least two members used and that are no hubs."""
    return entities.filter(
        (F.col("entity_type") == entity_type) & (F.col("members") >= 2) & (F.col("is_hub") == 0)
    )


def on_other_members(tables: MemberTables) -> DataFrame:
    """The edges of members to targets that are other members."""
    members = tables.members.select("network_id", F.col("account_id").alias("entity_id"))
    targets = tables.edges.filter(
        (F.col("entity_type") == "target") & (F.col("entity_id") != F.col("account_id"))
    )
    return targets.join(members, on=["entity_id", "network_id"], how="left_semi")


def count_where(condition: Column) -> Column:
    """The number of rows for which a condition holds."""
    return F.sum(F.when(condition, 1).otherwise(0)).cast("bigint")


def sum_where(condition: Column, name: str) -> Column:
    """The sum of an integer column over the rows for which a condition holds."""
    return F.sum(F.when(condition, F.col(name)).otherwise(0)).cast("bigint")


def ratio(part: Column, whole: Column) -> Column:
    """One integer column over another; null where the second is null or 0."""
    return F.when(whole > 0, part.cast("double") / whole)
