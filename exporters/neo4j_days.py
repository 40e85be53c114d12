"""On which days the members of a network acted together.

A link tells its first and its last co-action. Whoever acts every day would seem to pause between
the two, and a pause is how sleepers look; so the days come from what was seen day by day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import pyarrow as pa

from graph.active_days import DAYS_PER_WORD
from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.networks import links_inside

SHARED = ["network_id", "entity_type", "entity_id"]
SEEN_ON = pa.schema([*((name, pa.string()) for name in (*SHARED, "account_id", "day"))])
TOLD = pa.schema([("network_id", pa.string()), ("text", pa.string())])


def days_of_networks(
    engine: Engine,
    memberships: DataFrame,
    link_evidence: DataFrame,
    edge_activity: DataFrame,
    first_day: date,
) -> DataFrame:
    """By network: each day on which two members or more were seen with what links them.

    network_id, days: texts such as `2026-11-19: 8 members`, in order. first_day is that of the
    look-back.
    """
    linking = _linking(memberships, link_evidence)
    seen = linking.join(edge_activity, on=["account_id", "entity_type", "entity_id"], how="inner")
    bits = seen.select(*SHARED, "account_id", "day_bits")

    def by_day(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = [
                {**row, "day": str(first_day + timedelta(days=place))}
                for row, words in zip(
                    batch.drop_columns(["day_bits"]).to_pylist(),
                    batch.column("day_bits").to_pylist(),
                    strict=True,
                )
                for place in _places(words)
            ]
            yield pa.RecordBatch.from_pylist(rows, schema=SEEN_ON)

    on_days = engine.map_arrow(bits, by_day, SEEN_ON).distinct()
    alone = on_days.groupBy(*SHARED, "day").agg(F.count(F.lit(1)).alias("members"))
    together = on_days.join(
        alone.filter(F.col("members") >= 2), on=[*SHARED, "day"], how="left_semi"
    )
    counted = (
        together.select("network_id", "day", "account_id")
        .distinct()
        .groupBy("network_id", "day")
        .agg(F.count(F.lit(1)).alias("members"))
    )
    told = engine.map_arrow(counted, _in_words, TOLD)
    return told.groupBy("network_id").agg(F.sort_array(F.collect_list("text")).alias("days"))


def _linking(memberships: DataFrame, link_evidence: DataFrame) -> DataFrame:
    """The members of each network with the entities that link them to each other."""
    evidence = links_inside(link_evidence, memberships, "network_id")
    sides = [
        evidence.select(
            "network_id",
            "entity_type",
            "entity_id",
            F.col(f"account_{side}").alias("account_id"),
        )
        for side in ("a", "b")
    ]
    return sides[0].unionByName(sides[1]).distinct()


def _places(words: list[int]) -> Iterator[int]:
    """The places of the bits that are set, of graph.active_days."""
    for word, bits in enumerate(words):
        for bit in range(DAYS_PER_WORD):
            if bits >> bit & 1:
                yield word * DAYS_PER_WORD + bit


def _in_words(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = [
            {"network_id": row["network_id"], "text": f"{row['day']}: {row['members']} members"}
            for row in batch.to_pylist()
        ]
        yield pa.RecordBatch.from_pylist(rows, schema=TOLD)
