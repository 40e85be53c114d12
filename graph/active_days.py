"""The days on which something was active, as the bits of a list of integers.

A set of days then costs no more to aggregate than a count.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce

import numpy as np
import numpy.typing as npt

from graph.frames import Column, F

DAY_US = 86_400_000_000
DAYS_PER_WORD = 62  # powers of two up to this are exact as doubles, and positive as int64


def words_of(days: int) -> int:
    """How many integers hold that many days."""
    return -(-days // DAYS_PER_WORD)


def day_bits(first_day: str, days: int, time: str = "event_at") -> Column:
    """Aggregate a time column to its days: bit i of word w is day 62 w + i after first_day."""
    start = int(datetime.fromisoformat(first_day).replace(tzinfo=UTC).timestamp()) * 1_000_000
    # Whole numbers: dates of a time zone cost several times as much.
    day = F.floor((F.unix_micros(time) - F.lit(start)) / F.lit(DAY_US)).cast("int")
    words = []
    for word in range(words_of(days)):
        place = day - F.lit(word * DAYS_PER_WORD)
        bit = F.floor(F.pow(F.lit(2.0), place)).cast("bigint")
        inside = (place >= 0) & (place < DAYS_PER_WORD)
        words.append(F.bit_or(F.when(inside, bit).otherwise(F.lit(0).cast("bigint"))))
    return F.array(*words)


def united(column: str, days: int) -> list[Column]:
    """Aggregate day_bits of several rows to those of all: one column a word."""
    return [
        F.bit_or(F.element_at(column, word + 1)).alias(f"{column}_{word}")
        for word in range(words_of(days))
    ]


def count_days(column: str, days: int) -> Column:
    """How many days the columns made by `united` hold."""
    counts = [F.bit_count(F.col(f"{column}_{word}")) for word in range(words_of(days))]
    return reduce(lambda left, right: left + right, counts).cast("bigint")


def longest_gaps(bits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Most silent days in a row between two active days; `bits` is one row of words each."""
    rows, words = bits.shape
    longest = np.zeros(rows, np.int64)
    last_active = np.full(rows, -1, np.int64)
    for day in range(words * DAYS_PER_WORD):
        word, bit = divmod(day, DAYS_PER_WORD)
        active = (bits[:, word] >> bit) & 1 == 1
        gap = np.where(active & (last_active >= 0), day - last_active - 1, 0)
        longest = np.maximum(longest, gap)
        last_active = np.where(active, day, last_active)
    return longest
