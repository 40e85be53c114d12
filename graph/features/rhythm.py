"""The rhythm of one account: pauses between its moments, hours of its day, round minutes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from zoneinfo import available_timezones

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from graph.engines.base import Engine
from graph.frames import DataFrame
from graph.tables import columns

Int64s = npt.NDArray[np.int64]

SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
MIN_MOMENTS = 10
MIN_MOMENTS_OF_HOURS = 24
NEAR_MEDIAN = 20  # within a twentieth of it
NIGHT_ENDS = 6
ROUND_MINUTES = 5

RHYTHMS = columns(
    account_id="string",
    moments="int64",
    round_moments="int64",  # in the first second of a minute divisible by five
    local_moments="int64",  # those whose hour in the account's own time zone is known
    night_moments="int64",  # those of them before six in the morning
    burstiness="float64",  # (s - m)/(s + m) of the gaps (Goh and Barabasi, EPL 2008)
    regularity="float64",  # share of gaps within 5% of their lower median
    hour_entropy="float64",  # bits, of the hours of day in UTC
)


def rhythms(engine: Engine, moments: DataFrame) -> DataFrame:
    """Describe the moments of accounts; columns of RHYTHMS, one row an account.

    `moments` has account_id, event_at, time_zone (null where unknown); equal times count once. All
    moments of the accounts of one partition are in memory at once.
    """

    def describe(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = list(batches)
        if held:
            yield from _rhythms(pa.Table.from_batches(held)).to_batches()

    ordered = moments.select("account_id", "event_at", "time_zone")
    return engine.map_arrow(ordered, describe, RHYTHMS, together=["account_id"])


def _rhythms(rows: pa.Table) -> pa.Table:
    distinct = rows.group_by(["account_id", "event_at", "time_zone"]).aggregate([])
    distinct = distinct.sort_by([("account_id", "ascending"), ("event_at", "ascending")])
    if not distinct.num_rows:
        return RHYTHMS.empty_table()
    local_hours = _local_hours(distinct)
    accounts = distinct.column("account_id").combine_chunks().dictionary_encode()
    codes = accounts.indices.to_numpy()
    cuts = np.flatnonzero(np.diff(codes)) + 1
    times = np.split(distinct.column("event_at").cast(pa.int64()).to_numpy(), cuts)
    hours = np.split(local_hours, cuts)
    made = [_rhythm(*each) for each in zip(times, hours, strict=True)]
    arrays = [
        pa.array([row[place] for row in made], field.type)
        for place, field in enumerate(list(RHYTHMS)[1:])
    ]
    return pa.Table.from_arrays([accounts.dictionary, *arrays], schema=RHYTHMS)


def _local_hours(rows: pa.Table) -> Int64s:
    """The hour of each row in its own time zone; -1 where that is unknown."""
    zones = rows.column("time_zone").combine_chunks().dictionary_encode()
    codes = zones.indices.fill_null(-1).to_numpy()
    times = rows.column("event_at").combine_chunks()
    hours = np.full(rows.num_rows, -1, np.int64)
    known = available_timezones()
    for code, zone in enumerate(zones.dictionary.to_pylist()):
        if zone in known:
            chosen = np.flatnonzero(codes == code)
            local = times.take(pa.array(chosen)).cast(pa.timestamp("us", zone))
            with suppress(pa.ArrowInvalid):  # Python also knows Factory, which stands for none
                hours[chosen] = pc.hour(local).to_numpy()
    return hours


def _rhythm(times: Int64s, hours: Int64s) -> tuple[int | float | None, ...]:
    local = hours >= 0
    is_round = (times // SECOND % 60 == 0) & (times // MINUTE % ROUND_MINUTES == 0)
    gaps = np.diff(times)
    enough = len(times) >= MIN_MOMENTS
    return (
        len(times),
        int(is_round.sum()),
        int(local.sum()),
        int((local & (hours < NIGHT_ENDS)).sum()),
        _burstiness(gaps) if enough else None,
        _regularity(gaps) if enough else None,
        _entropy(times // HOUR % 24) if len(times) >= MIN_MOMENTS_OF_HOURS else None,
    )


def _burstiness(gaps: Int64s) -> float:
    mean, deviation = float(gaps.mean()), float(gaps.std())
    return round((deviation - mean) / (deviation + mean), 9)


def _regularity(gaps: Int64s) -> float:
    median = int(np.sort(gaps)[(len(gaps) - 1) // 2])
    return float((np.abs(gaps - median) * NEAR_MEDIAN <= median).mean())


def _entropy(hours: Int64s) -> float:
    shares = np.bincount(hours) / len(hours)
    shares = shares[shares > 0]
    return round(float(-(shares * np.log2(shares)).sum()) + 0.0, 9)
