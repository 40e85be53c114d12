"""The archive of what enforced networks used: evidence of ban evasion that fades with time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pyarrow as pa

from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.tables import TIMESTAMP, Table, columns

ENFORCED_ENTITIES = Table(
    name="enforced_entities",
    grain="entity that an enforced account of a network shared",
    key=("decision_id", "entity_type", "entity_id"),
    schema=columns(
        decision_id="string",
        account_id="string",
        network_id="string",
        entity_type="string",
        entity_id="string",
        family="string",
        rarity="float64",
        enforced_at=TIMESTAMP,
        last_used_at=TIMESTAMP,  # by the account, as its evidence was frozen
    ),
)
"""Hubs are not in it: they never link, so they never stand in the evidence of a decision."""

MICRO = 1_000_000

_WEIGHTED = columns(
    network_id="string",
    entity_type="string",
    entity_id="string",
    family="string",
    last_used_at=TIMESTAMP,
    weight="int64",  # micro-units: 1,000,000 on the day of the enforcement, half of it later
)


def faded(
    engine: Engine, archive: DataFrame, ds: date, half_life_days: float, keep_days: int
) -> DataFrame:
    """What enforced networks used, by how much it still says on a day: see the columns.

    Key network_id, entity_type, entity_id. The latest enforcement counts; what is older than
    `keep_days`, or was enforced after the day, does not. weight = 2^(-age / half-life).
    """
    end = datetime.combine(ds, time(), UTC) + timedelta(days=1)
    since = end - timedelta(days=keep_days)
    key = ["network_id", "entity_type", "entity_id"]
    latest = (
        archive.filter((F.col("enforced_at") >= F.lit(since)) & (F.col("enforced_at") < F.lit(end)))
        .groupBy(*key)
        .agg(
            F.max("enforced_at").alias("enforced_at"),
            F.max("last_used_at").alias("last_used_at"),
            F.min("family").alias("family"),
        )
    )

    def weigh(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            at = batch.column("enforced_at").cast(pa.int64()).to_numpy(zero_copy_only=False)
            days = (end.timestamp() * 1e6 - at) / 86_400e6
            weight = np.floor(MICRO * 2.0 ** (-days / half_life_days)).astype(np.int64)
            columns_ = [batch.column(name) for name in _WEIGHTED.names[:-1]]
            yield pa.RecordBatch.from_arrays([*columns_, pa.array(weight)], schema=_WEIGHTED)

    return engine.map_arrow(latest, weigh, _WEIGHTED)
