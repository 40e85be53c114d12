"""What is known of an account beyond one look-back: a table that each day adds to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from graph.active_days import day_bits, longest_gaps
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


STANDING = columns(account_id="string", prior_decisions="int64", cleared_until=TIMESTAMP)
"""What the ledger of decisions says of an account; one row an account that it says anything of."""


def with_standing(profile: DataFrame, standing: DataFrame) -> DataFrame:
    """Replace what a profile says of decisions by what the ledger says now; ACCOUNT_PROFILE."""
    rest = profile.drop("prior_decisions", "cleared_until")
    joined = rest.join(standing, on="account_id", how="left")
    prior = F.coalesce("prior_decisions", F.lit(0).cast("bigint"))
    return joined.withColumn("prior_decisions", prior).select(*ACCOUNT_PROFILE.columns)


def activity_of_accounts(events: DataFrame, first_day: str, days: int) -> DataFrame:
    """One row per account: first_seen_at, last_seen_at, events, day_bits (graph.active_days)."""
    return events.groupBy("account_id").agg(
        F.min("event_at").alias("first_seen_at"),
        F.max("event_at").alias("last_seen_at"),
        F.count(F.lit(1)).alias("events"),
        day_bits(first_day, days).alias("day_bits"),
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
        words = batch.column("day_bits").flatten().to_numpy().reshape(batch.num_rows, -1)
        gaps = pa.array(longest_gaps(words))
        names = ["account_id", "first_seen_at", "last_seen_at"]
        yield pa.RecordBatch.from_arrays(
            [*(batch.column(name) for name in names), gaps], names=[*names, "gap_days"]
        )
