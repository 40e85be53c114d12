"""What is loaded into Neo4j: one frame for each kind of node and relationship of the schema.

A node's frame has id, a relationship's start_id and end_id, and both their declared properties.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from exporters.neo4j_days import days_of_networks
from exporters.neo4j_decisions import (
    decided_of_accounts,
    decided_of_members,
    decided_of_networks,
)
from exporters.neo4j_judgements import judged, of_accounts, of_networks
from exporters.neo4j_links import linked_members, links, traces_of_networks
from exporters.neo4j_tables import DayTables, Scope
from graph.database_schema import (
    ACCOUNT,
    ACCOUNT_JUDGED_BY,
    ACCOUNT_MATCHED,
    ENTITY_NODES,
    ENTITY_RELATIONSHIPS,
    JUDGED_BY,
    JUDGEMENT,
    LINKED_TO,
    MATCHED,
    MEMBER_OF,
    NETWORK,
    SIGNATURE,
    SUCCEEDS,
    NodeKind,
    Property,
    RelationshipKind,
)
from graph.engines.base import Engine
from graph.frames import Column, DataFrame, F, Window
from graph.tables import TIMESTAMP
from signatures.verdict_standing import together

TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "datetime": TIMESTAMP,
    "date": pa.date32(),
    "strings": pa.list_(pa.string()),
    "integers": pa.list_(pa.int64()),
    "floats": pa.list_(pa.float64()),
}
"""Arrow's types of the schema's property types."""


Frames = dict[str, tuple[NodeKind | RelationshipKind, DataFrame]]


def frames(engine: Engine, day: DayTables, scope: Scope) -> Frames:
    """All frames by the name of their kind, nodes first."""
    edges = _edges(engine, day, scope)
    found: list[tuple[NodeKind | RelationshipKind, DataFrame]] = [
        (ACCOUNT, _accounts(day, scope)),
        *((kind, _entities(day, edges, name)) for name, kind in ENTITY_NODES.items()),
        (SIGNATURE, _signatures(day)),
        (JUDGEMENT, judged(day, scope)),
        (NETWORK, _networks(engine, day)),
        *((kind, _seen_with(day, edges, name)) for name, kind in ENTITY_RELATIONSHIPS.items()),
        (LINKED_TO, links(engine, day, scope)),
        (MEMBER_OF, _members(day)),
        (MATCHED, _matched(day, "network")),
        (ACCOUNT_MATCHED, _account_matches(day, scope)),
        (JUDGED_BY, of_networks(day)),
        (ACCOUNT_JUDGED_BY, of_accounts(day, scope)),
        (SUCCEEDS, _successions(day)),
    ]
    return {kind.name: (kind, frame.select(*_values_of(kind))) for kind, frame in found}


def _values_of(kind: NodeKind | RelationshipKind) -> list[Column]:
    """The columns of a kind's frame; an empty text is no value, for the importer knows none."""
    texts = {each.name for each in kind.properties if each.kind == "string"}
    return [
        F.when(F.col(name) != "", F.col(name)).alias(name) if name in texts else F.col(name)
        for name in columns_of(kind)
    ]


def columns_of(kind: NodeKind | RelationshipKind) -> list[str]:
    """The columns of a kind's frame, in the order in which rows are sent."""
    ids = ["id"] if isinstance(kind, NodeKind) else ["start_id", "end_id"]
    return [*ids, *(each.name for each in kind.properties)]


def schema_of(kind: NodeKind | RelationshipKind) -> pa.Schema:
    """The Arrow schema of a kind's frame."""
    ids = columns_of(kind)[: 1 if isinstance(kind, NodeKind) else 2]
    properties: tuple[Property, ...] = kind.properties
    return pa.schema(
        [(name, pa.string()) for name in ids]
        + [(each.name, TYPES[each.kind]) for each in properties]
    )


def _accounts(day: DayTables, scope: Scope) -> DataFrame:
    accounts = day.nodes.filter(F.col("node_type") == "account").withColumnRenamed("node_id", "id")
    if scope == "networks":
        members = day.memberships.select(F.col("account_id").alias("id"))
        accounts = accounts.join(members, on="id", how="left_semi")
    markets = day.inclusions.select(F.col("account_id").alias("id"), "market")
    return (
        accounts.join(markets, on="id", how="left")
        .join(decided_of_accounts(day.decisions), on="id", how="left")
        .join(day.verdicts.withColumnRenamed("account_id", "id"), on="id", how="left")
        .withColumn("enforced", F.coalesce(F.col("enforced"), F.lit(False)))
    )


def _edges(engine: Engine, day: DayTables, scope: Scope) -> DataFrame:
    """Edges to be loaded, masked; for networks only those of entities that two members share."""
    edges = day.edges
    if scope == "networks":
        edges = edges.join(day.memberships.select("account_id"), on="account_id", how="left_semi")
        shared = edges.groupBy("entity_type", "entity_id").agg(F.count(F.lit(1)).alias("members"))
        shared = shared.filter(F.col("members") >= 2)
        edges = edges.join(shared, on=["entity_type", "entity_id"], how="left_semi")
    return engine.materialize(edges, "neo4j-edges")


def _entities(day: DayTables, edges: DataFrame, name: str) -> DataFrame:
    wanted = edges.filter(F.col("entity_type") == name).select("entity_id").distinct()
    suspicious = day.suspicious_hubs.select(
        "entity_type", "entity_id", F.col("reason").alias("suspicious")
    )
    entities = (
        day.nodes.filter(F.col("node_type") == name)
        .withColumnsRenamed({"node_type": "entity_type", "node_id": "entity_id"})
        .join(wanted, on="entity_id", how="left_semi")
        .join(suspicious, on=["entity_type", "entity_id"], how="left")
    )
    return day.masked(entities).withColumnRenamed("entity_id", "id")


def _seen_with(day: DayTables, edges: DataFrame, name: str) -> DataFrame:
    of_type = day.masked(edges.filter(F.col("entity_type") == name))
    # Rows about one entity stand together, so that a hub is touched by few transactions.
    return of_type.select(
        F.col("account_id").alias("start_id"),
        F.col("entity_id").alias("end_id"),
        *(each.name for each in ENTITY_RELATIONSHIPS[name].properties),
    ).orderBy("end_id", "start_id")


def _signatures(day: DayTables) -> DataFrame:
    columns = [each.name for each in SIGNATURE.properties]
    return day.findings.select(F.col("signature_id").alias("id"), *columns).distinct()


def _networks(engine: Engine, day: DayTables) -> DataFrame:
    changes = day.history.groupBy("network_id").agg(
        F.sort_array(F.collect_set("event")).alias("changes")
    )
    days = days_of_networks(
        engine, day.memberships, day.link_evidence, day.edge_activity, day.first_day
    )
    judged = day.scores.withColumnRenamed("title", "signature").drop("action")
    joined = (
        day.networks.drop("traces")
        .join(judged, on="network_id", how="left")
        .join(changes, on="network_id", how="left")
        .join(decided_of_networks(day), on="network_id", how="left")
        .join(traces_of_networks(engine, day), on="network_id", how="left")
        .join(_review(engine, day), on="network_id", how="left")
        .join(_snapshots(day), on="network_id", how="left")
        .join(days, on="network_id", how="left")
        .join(forgotten_of_networks(day), on="network_id", how="left")
        .withColumn("changed", F.col("changes").isNotNull())
        .withColumnRenamed("network_id", "id")
        .withColumn("name", F.lit(None).cast("string"))
        .select(*columns_of(NETWORK))
    )
    return engine.map_arrow(joined, _named, schema_of(NETWORK))


def forgotten_of_networks(day: DayTables) -> DataFrame:
    """By network that somebody was forgotten of since it was found: forgotten_accounts."""
    there = day.memberships.groupBy("network_id").agg(F.count(F.lit(1)).alias("there"))
    found = day.networks.select("network_id", "accounts").join(there, on="network_id", how="left")
    gone = (F.col("accounts") - F.coalesce(F.col("there"), F.lit(0))).cast("bigint")
    return found.select("network_id", gone.alias("forgotten_accounts")).filter(
        F.col("forgotten_accounts") > 0
    )


def _review(engine: Engine, day: DayTables) -> DataFrame:
    """By network: what verdicts say of its members together, and how many none is about."""
    said = day.memberships.select("network_id", "account_id").join(
        day.verdicts, on="account_id", how="left"
    )
    counted = said.groupBy("network_id").agg(
        F.sort_array(F.collect_set("verdict")).alias("said"),
        F.sum(F.when(F.col("verdict").isNull(), 1).otherwise(0))
        .cast("bigint")
        .alias("unreviewed_accounts"),
    )
    return engine.map_arrow(counted, _in_one_word, REVIEW)


REVIEW = pa.schema(
    [("network_id", pa.string()), ("verdict", pa.string()), ("unreviewed_accounts", pa.int64())]
)


def _in_one_word(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        words = [together(said or ()) for said in batch.column("said").to_pylist()]
        columns = [batch.column("network_id"), pa.array(words, pa.string())]
        columns.append(batch.column("unreviewed_accounts"))
        yield pa.RecordBatch.from_arrays(columns, schema=REVIEW)


def _snapshots(day: DayTables) -> DataFrame:
    """By network: the hash of its latest snapshot, if that has exactly the members of today."""
    latest = Window.partitionBy("network_id").orderBy(F.col("ds").desc(), F.col("snapshot_sha256"))
    frozen = day.snapshots.groupBy("network_id", "snapshot_sha256").agg(
        F.max("ds").alias("ds"), F.count(F.lit(1)).alias("frozen")
    )
    frozen = frozen.withColumn("place", F.row_number().over(latest)).filter(F.col("place") == 1)
    members = day.memberships.withColumnRenamed("network_id", "network")
    same = (
        day.snapshots.select("snapshot_sha256", "network_id", "account_id")
        .join(members.select("network", "account_id"), on="account_id", how="inner")
        .filter(F.col("network") == F.col("network_id"))
        .groupBy("snapshot_sha256")
        .agg(F.count(F.lit(1)).alias("same"))
    )
    sizes = day.networks.select("network_id", F.col("accounts").alias("size"))
    found = frozen.join(same, on="snapshot_sha256", how="inner").join(
        sizes, on="network_id", how="inner"
    )
    is_todays = (F.col("same") == F.col("size")) & (F.col("frozen") == F.col("size"))
    return found.filter(is_todays).select("network_id", F.col("snapshot_sha256").alias("snapshot"))


def _named(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Name networks: what they look like, and how many accounts they have."""
    for batch in batches:
        rows = batch.to_pylist()
        names = [
            f"{row['signature'] or ', '.join(row['traces'])} ({row['accounts']})" for row in rows
        ]
        place = batch.schema.get_field_index("name")
        columns = batch.columns
        columns[place] = pa.array(names, pa.string())
        yield pa.RecordBatch.from_arrays(columns, schema=schema_of(NETWORK))


def _members(day: DayTables) -> DataFrame:
    return (
        decided_of_members(day)
        .join(linked_members(day), on="account_id", how="left")
        .join(day.samples, on=["network_id", "account_id"], how="left")
        .withColumnsRenamed({"account_id": "start_id", "network_id": "end_id"})
        .orderBy("end_id", "start_id")
    )


def _matched(day: DayTables, subject_type: str) -> DataFrame:
    found = day.findings.filter(F.col("subject_type") == subject_type)
    return found.withColumnsRenamed({"subject_id": "start_id", "signature_id": "end_id"})


def _account_matches(day: DayTables, scope: Scope) -> DataFrame:
    found = _matched(day, "account")
    if scope == "networks":
        members = day.memberships.select(F.col("account_id").alias("start_id"))
        found = found.join(members, on="start_id", how="left_semi")
    return found


def _successions(day: DayTables) -> DataFrame:
    return day.networks.select(
        F.col("network_id").alias("start_id"), F.explode("lineage").alias("end_id")
    ).filter(F.col("start_id") != F.col("end_id"))
