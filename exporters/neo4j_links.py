"""Links between accounts as investigators see them: by which traces, and how surprising each is.

What chance has to do with a pair differs from trace to trace, so nothing here is of the pair alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from exporters.neo4j_tables import DayTables, Scope
from graph.engines.base import BatchFunction, Engine
from graph.frames import DataFrame, F, Window
from graph.networks import links_inside
from graph.tables import TIMESTAMP

EVIDENCE_SHOWN = 5

PAIR = ["account_a", "account_b"]
BY_TRACE = "by_trace"

OF_PAIRS = pa.schema(
    [
        *((name, pa.string()) for name in PAIR),
        ("first_at", TIMESTAMP),
        ("last_at", TIMESTAMP),
        ("traces", pa.list_(pa.string())),
        ("surprises", pa.list_(pa.float64())),
    ]
)
OF_NETWORKS = pa.schema(
    [
        ("network_id", pa.string()),
        ("traces", pa.list_(pa.string())),
        ("trace_pairs", pa.list_(pa.int64())),
        ("trace_surprises", pa.list_(pa.float64())),
    ]
)
EVIDENCE = pa.schema([(name, pa.string()) for name in (*PAIR, "text")])


def links(engine: Engine, day: DayTables, scope: Scope) -> DataFrame:
    """Pairs of accounts (start_id, end_id) with the properties of LINKED_TO."""
    pairs = day.account_links
    if scope == "networks":
        members = day.memberships.select("account_id", "network_id")
        pairs = links_inside(pairs, members, "network_id")
    kept = day.links.filter(F.col("kept")).join(pairs.select(*PAIR), on=PAIR, how="left_semi")
    by_pair = kept.groupBy(*PAIR).agg(
        F.min("first_at").alias("first_at"),
        F.max("last_at").alias("last_at"),
        F.sort_array(F.collect_list(F.struct("trace", "surprise"))).alias(BY_TRACE),
    )
    told = engine.map_arrow(by_pair, _side_by_side(OF_PAIRS), OF_PAIRS)
    joined = pairs.drop("traces").join(told, on=PAIR, how="left")
    joined = joined.join(_evidence(engine, day), on=PAIR, how="left")
    return joined.withColumnsRenamed({"account_a": "start_id", "account_b": "end_id"}).orderBy(
        "end_id", "start_id"
    )


def traces_of_networks(engine: Engine, day: DayTables) -> DataFrame:
    """By network: the traces that link its members, in how many pairs, the most surprising one's.

    network_id, and the lists traces, trace_pairs and trace_surprises side by side.
    """
    kept = day.links.filter(F.col("kept")).select(*PAIR, "trace", "surprise")
    members = day.memberships.select("account_id", "network_id")
    counted = (
        links_inside(kept, members, "network_id")
        .groupBy("network_id", "trace")
        .agg(F.count(F.lit(1)).cast("bigint").alias("pairs"), F.max("surprise").alias("surprise"))
        .groupBy("network_id")
        .agg(F.sort_array(F.collect_list(F.struct("trace", "pairs", "surprise"))).alias(BY_TRACE))
    )
    return engine.map_arrow(counted, _side_by_side(OF_NETWORKS), OF_NETWORKS)


def linked_members(day: DayTables) -> DataFrame:
    """By member (account_id): to how many members of its network it is linked, linked_members."""
    members = day.memberships.select("account_id", "network_id")
    inside = links_inside(day.account_links.select(*PAIR), members, "network_id")
    ends = [inside.select(F.col(name).alias("account_id")) for name in PAIR]
    return (
        ends[0]
        .unionByName(ends[1])
        .groupBy("account_id")
        .agg(F.count(F.lit(1)).cast("bigint").alias("linked_members"))
    )


def _side_by_side(schema: pa.Schema) -> BatchFunction:
    """Part a list of structs into lists, one a field in the order of the schema's lists.

    The database has no lists of structs.
    """

    def part(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            told = batch.column(BY_TRACE)
            lists = [pa.ListArray.from_arrays(told.offsets, each) for each in told.values.flatten()]
            columns = [*batch.drop_columns([BY_TRACE]).columns, *lists]
            yield pa.RecordBatch.from_arrays(
                [column.cast(field.type) for column, field in zip(columns, schema, strict=True)],
                schema=schema,
            )

    return part


def _evidence(engine: Engine, day: DayTables) -> DataFrame:
    """By pair: its strongest shared entities in words, rarest first."""
    strongest = Window.partitionBy(*PAIR).orderBy(
        F.col("rarity").desc(), F.col("co_actions").desc(), F.col("trace"), F.col("entity_id")
    )
    ranked = day.link_evidence.withColumn("place", F.row_number().over(strongest))
    shown = day.masked(ranked.filter(F.col("place") <= EVIDENCE_SHOWN))
    columns = [*PAIR, "place", "trace", "entity_type", "entity_id", "co_actions", "first_at"]
    told = engine.map_arrow(shown.select(*columns, "last_at"), _in_words, EVIDENCE)
    return told.groupBy(*PAIR).agg(F.sort_array(F.collect_list("text")).alias("evidence"))


def _in_words(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = [
            {
                "account_a": row["account_a"],
                "account_b": row["account_b"],
                "text": f"{row['place']}. {row['entity_type']} {row['entity_id']}: {row['trace']}, "
                f"{row['co_actions']} co-actions, {row['first_at']:%Y-%m-%d %H:%M} to "
                f"{row['last_at']:%Y-%m-%d %H:%M}",
            }
            for row in batch.to_pylist()
        ]
        yield pa.RecordBatch.from_pylist(rows, schema=EVIDENCE)
