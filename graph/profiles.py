"""What is known of an account beyond one look-back: a table that each day adds to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graph.config import MAX_LOOKBACK_DAYS
from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.tables import TIMESTAMP, Table, columns

ACCOUNT_PROFILE = Table(
    name="account_profile",
    grain="account ever seen",
    key=("account_id",),
    schema=columns(
        account_id="string",
        first_seen_ever_at=TIMESTAMP,
        last_active_at=TIMESTAMP,
        longest_gap_days="int64",  # most days in a row without an event, between two active days
        prior_decisions="int64",
        cleared_until=TIMESTAMP,
    ),
)


def activity_of_accounts(events: DataFrame, first_day: str) -> DataFrame:
    """One row per account: first_seen_at, last_seen_at, events, and day_bits (bit i: day i)."""
    day = F.datediff(F.to_date("event_at"), F.to_date(F.lit(first_day)))
    return events.groupBy("account_id").agg(
        F.min("event_at").alias("first_seen_at"),
        F.max("event_at").alias("last_seen_at"),
        F.count(F.lit(1)).alias("events"),
        F.bit_or(F.floor(F.pow(F.lit(2.0), day)).cast("bigint")).alias("day_bits"),
    )


def account_profile(engine: Engine, seen: DataFrame, previous: DataFrame | None) -> DataFrame:
    """Bring activity_of_accounts and the previous day's profile together; ACCOUNT_PROFILE.

    An account that was not seen keeps its row. The gap between the previous profile's last activity
    and the look-back's first counts too, so a sleeper's silence is known when it wakes.
    """
    gaps = engine.map_arrow(
        seen.select("account_id", "first_seen_at", "last_seen_at", "day_bits"),
        _with_gaps,
        columns(
            account_id="string",
            first_seen_at=TIMESTAMP,
            last_seen_at=TIMESTAMP,
            gap_days="int64",
        ),
    )
    if previous is None:
        return gaps.select(
            "account_id",
            F.col("first_seen_at").alias("first_seen_ever_at"),
            F.col("last_seen_at").alias("last_active_at"),
            F.col("gap_days").alias("longest_gap_days"),
            F.lit(0).cast("bigint").alias("prior_decisions"),
            F.lit(None).cast("timestamp").alias("cleared_until"),
        )
    silence = F.datediff(F.to_date("first_seen_at"), F.to_date("last_active_at")) - 1
    return gaps.join(previous, on="account_id", how="full_outer").select(
        "account_id",
        F.least("first_seen_ever_at", "first_seen_at").alias("first_seen_ever_at"),
        F.greatest("last_active_at", "last_seen_at").alias("last_active_at"),
        F.greatest(
            "gap_days", "longest_gap_days", F.greatest(silence, F.lit(0)).cast("bigint")
        ).alias("longest_gap_days"),
        F.coalesce("prior_decisions", F.lit(0).cast("bigint")).alias("prior_decisions"),
        "cleared_until",
    )


def _with_gaps(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        gaps = pa.array(longest_gaps(batch.column("day_bits").to_numpy()))
        names = ["account_id", "first_seen_at", "last_seen_at"]
        yield pa.RecordBatch.from_arrays(
            [*(batch.column(name) for name in names), gaps], names=[*names, "gap_days"]
        )


def longest_gaps(day_bits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Most zero bits in a row between two one bits of each integer: silent days."""
    longest = np.zeros(len(day_bits), np.int64)
    last_active = np.full(len(day_bits), -1, np.int64)
    for day in range(MAX_LOOKBACK_DAYS):
        active = (day_bits >> day) & 1 == 1
        gap = np.where(active & (last_active >= 0), day - last_active - 1, 0)
        longest = np.maximum(longest, gap)
        last_active = np.where(active, day, last_active)
    return longest
