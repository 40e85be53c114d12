"""Events to the heterogeneous graph: account-entity edges, nodes with their degrees, activity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from graph.active_days import count_days, day_bits, united, words_of
from graph.engines.base import Engine
from graph.entities import ENTITY_TYPES
from graph.frames import DataFrame, F, Window
from graph.ingest import flat_values
from graph.ip_networks import IpNetworks
from graph.tables import TIMESTAMP, Table, columns
from graph.union import union_all

EDGE_ACTIVITY = Table(
    name="edge_activity",
    grain="account, entity and event type",
    key=("account_id", "entity_type", "entity_id", "event_type"),
    schema=columns(
        account_id="string",
        entity_type="string",
        entity_id="string",
        event_type="string",
        events="int64",
        first_seen_at=TIMESTAMP,
        last_seen_at=TIMESTAMP,
        day_bits=pa.list_(pa.int64()),  # graph.active_days: the days of the look-back
    ),
)

EDGES = Table(
    name="edges",
    grain="account and entity",
    key=("account_id", "entity_type", "entity_id"),
    schema=columns(
        account_id="string",
        entity_type="string",
        entity_id="string",
        first_seen_at=TIMESTAMP,
        last_seen_at=TIMESTAMP,
        events="int64",
        active_days="int64",
    ),
)

NODES = Table(
    name="nodes",
    grain="account or entity",
    key=("node_type", "node_id"),
    schema=columns(
        node_type="string",  # account, or an entity type
        node_id="string",
        first_seen_at=TIMESTAMP,
        last_seen_at=TIMESTAMP,
        events="int64",
        degree="int64",  # distinct accounts; of an account: distinct entities
        is_hub="bool",
        hub_reason="string",  # shared: <reason given> | degree; null when no hub
        ip_network="string",  # of an ip: the network it is in
        ip_kind="string",  # of an ip or ip_network: residential, mobile, ... where known
        market="string",  # of an account: that of most of its events; null where none has one
    ),
    version=2,
)


def entity_events(events: DataFrame, entity_types: Sequence[str] | None = None) -> DataFrame:
    """One row per event and entity it names: entity_type, entity_id and the event's columns.

    Of all entity types that the events have, or of those that are named.
    """
    kept = ["account_id", "event_type", "event_id", "event_at"]
    rows = [
        flat_values(events, name, kept).select(
            *kept, F.lit(name).alias("entity_type"), F.col("value").alias("entity_id")
        )
        for name in (entity_type.name for entity_type in ENTITY_TYPES)
        if name in events.columns and (entity_types is None or name in entity_types)
    ]
    return union_all(rows)


def edge_activity(
    engine: Engine, events: DataFrame, ip_networks: IpNetworks, first_day: str, days: int
) -> DataFrame:
    """Aggregate events to account, entity and event type; columns of EDGE_ACTIVITY.

    Nearly every event names an address, and a network with it: addresses are counted first, and
    networks added up from them, which are far fewer rows.
    """
    present = [each for each in ENTITY_TYPES if each.name in events.columns]
    networks = {each.name: each.derived_from for each in present if each.derived_from is not None}
    addresses = set(networks.values())
    others = [each.name for each in present if each.name not in {*networks, *addresses}]
    counted = [_edge_activity(entity_events(events, others), first_day, days)] if others else []
    for address in sorted(addresses):
        rows = _edge_activity(entity_events(events, [address]), first_day, days)
        rows = engine.materialize(rows, f"{address}_activity")
        known = networks_of(engine, rows.select("entity_id").distinct(), ip_networks)
        known = engine.materialize(known.select("entity_id", "ip_network"), f"{address}_networks")
        derived = [name for name, made_from in networks.items() if made_from == address]
        counted += [rows, *(_network_activity(rows, known, name, days) for name in derived)]
    return union_all(counted)


def _edge_activity(rows: DataFrame, first_day: str, days: int) -> DataFrame:
    """Aggregate entity_events.

    The rows are brought together by entity before they are aggregated: keys are nearly distinct,
    and aggregating them where they were read only fills memory.
    """
    return (
        rows.repartition("entity_type", "entity_id")
        .groupBy("entity_type", "entity_id", "account_id", "event_type")
        .agg(
            F.count(F.lit(1)).alias("events"),
            F.min("event_at").alias("first_seen_at"),
            F.max("event_at").alias("last_seen_at"),
            day_bits(first_day, days).alias("day_bits"),
        )
        .select(*EDGE_ACTIVITY.columns)
    )


def _network_activity(
    addresses: DataFrame, known: DataFrame, entity_type: str, days: int
) -> DataFrame:
    """Add up the EDGE_ACTIVITY of addresses by their networks."""
    rows = addresses.drop("entity_type").join(known, on="entity_id", how="inner")
    summed = (
        rows.filter(F.col("ip_network").isNotNull())
        .groupBy("ip_network", "account_id", "event_type")
        .agg(
            F.min("first_seen_at").alias("first_seen_at"),
            F.max("last_seen_at").alias("last_seen_at"),
            F.sum("events").cast("bigint").alias("events"),
            *united("day_bits", days),
        )
    )
    words = [F.col(f"day_bits_{word}") for word in range(words_of(days))]
    return summed.select(
        "account_id",
        F.lit(entity_type).alias("entity_type"),
        F.col("ip_network").alias("entity_id"),
        "event_type",
        "events",
        "first_seen_at",
        "last_seen_at",
        F.array(*words).alias("day_bits"),
    )


def edges(activity: DataFrame, days: int) -> DataFrame:
    """Aggregate edge_activity to account and entity; columns of EDGES."""
    united_rows = activity.groupBy("account_id", "entity_type", "entity_id").agg(
        F.min("first_seen_at").alias("first_seen_at"),
        F.max("last_seen_at").alias("last_seen_at"),
        F.sum("events").cast("bigint").alias("events"),
        *united("day_bits", days),
    )
    return united_rows.withColumn("active_days", count_days("day_bits", days)).select(
        *EDGES.columns
    )


def degrees(edge_rows: DataFrame) -> DataFrame:
    """Aggregate edges to entities: degree (distinct accounts), events, first and last seen."""
    return edge_rows.groupBy("entity_type", "entity_id").agg(
        F.min("first_seen_at").alias("first_seen_at"),
        F.max("last_seen_at").alias("last_seen_at"),
        F.sum("events").cast("bigint").alias("events"),
        F.count(F.lit(1)).alias("degree"),
    )


def account_markets(events: DataFrame) -> DataFrame:
    """The market of most of an account's events, the smallest on a tie: account_id (key), market.

    An account has no row if none of its events names a market.
    """
    named = events.filter(F.col("market").isNotNull())
    counted = named.groupBy("account_id", "market").agg(F.count(F.lit(1)).alias("events"))
    most = Window.partitionBy("account_id").orderBy(F.col("events").desc(), F.col("market"))
    ranked = counted.withColumn("place", F.row_number().over(most))
    return ranked.filter(F.col("place") == 1).select("account_id", "market")


def account_nodes(seen: DataFrame, edge_rows: DataFrame, markets: DataFrame) -> DataFrame:
    """One row per account of activity_of_accounts; its degree counts distinct entities.

    `markets` is account_markets.
    """
    entities = edge_rows.groupBy("account_id").agg(F.count(F.lit(1)).alias("degree"))
    rows = seen.join(entities, on="account_id", how="left")
    return rows.join(markets, on="account_id", how="left").select(
        F.lit("account").alias("node_type"),
        F.col("account_id").alias("node_id"),
        "first_seen_at",
        "last_seen_at",
        "events",
        F.coalesce("degree", F.lit(0)).cast("bigint").alias("degree"),
        "market",
    )


def networks_of(engine: Engine, addresses: DataFrame, ip_networks: IpNetworks) -> DataFrame:
    """The network of each address and the kind of it: entity_id, ip_network, ip_kind."""
    schema = columns(entity_id="string", ip_network="string", ip_kind="string")

    def look_up(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            networks, kinds = ip_networks.of(batch.column("entity_id"))
            yield pa.RecordBatch.from_arrays(
                [batch.column("entity_id"), networks, kinds], schema=schema
            )

    return engine.map_arrow(addresses, look_up, schema)


def with_networks(engine: Engine, entities: DataFrame, ip_networks: IpNetworks) -> DataFrame:
    """Add to entity rows the network of each ip and the kind of each ip and ip_network.

    A network's kind is that of most of its addresses seen, the smallest name on a tie.
    """
    addresses = entities.filter(F.col("entity_type") == "ip").select("entity_id")
    known = engine.materialize(networks_of(engine, addresses, ip_networks), "ip_kinds")
    counted = (
        known.filter(F.col("ip_kind").isNotNull())
        .groupBy("ip_network", "ip_kind")
        .agg(F.count(F.lit(1)).alias("addresses"))
    )
    most = Window.partitionBy("ip_network").orderBy(F.col("addresses").desc(), F.col("ip_kind"))
    kinds = counted.withColumn("place", F.row_number().over(most)).filter(F.col("place") == 1)
    both = known.select(F.lit("ip").alias("entity_type"), "entity_id", "ip_network", "ip_kind")
    both = both.unionByName(
        kinds.select(
            F.lit("ip_network").alias("entity_type"),
            F.col("ip_network").alias("entity_id"),
            F.lit(None).cast("string").alias("ip_network"),
            "ip_kind",
        )
    )
    return entities.join(both, on=["entity_id", "entity_type"], how="left")


def nodes(accounts: DataFrame, entities: DataFrame) -> DataFrame:
    """Bring accounts and judged entities to one table; columns of NODES."""
    absent = F.lit(None).cast("string")
    account_rows = (
        accounts.withColumn("is_hub", F.lit(False))
        .withColumn("hub_reason", absent)
        .withColumn("ip_network", absent)
        .withColumn("ip_kind", absent)
    )
    entity_rows = entities.withColumnsRenamed(
        {"entity_type": "node_type", "entity_id": "node_id"}
    ).withColumn("market", absent)
    return account_rows.select(*NODES.columns).unionByName(entity_rows.select(*NODES.columns))
