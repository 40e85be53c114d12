"""Which pairs of accounts may come often enough: counters that several pairs share, never too low.

Pairs that a trace's minimums drop are nearly all; a first round that only counts spares the second
from keeping them.

Source: Park, Chen, Yu, "An effective hash-based algorithm for mining association rules" (SIGMOD
1995), section 2: pairs are counted in buckets, and only those of a full bucket are kept.
"""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from graph.compiled import compiled
from graph.pair_kernels import Int32s, Int64s, Pairs
from graph.sort_kernels import Places

Counters = npt.NDArray[np.uint8]

MOST = 255
"""What a counter holds at most."""

COUNTERS_A_ROW = 16
"""Counters for each row that is paired, up to MOST_COUNTERS: a simulated week of 2.7 million likes
and comments makes 21 million pairs, on 67 million counters."""

LEAST_COUNTERS, MOST_COUNTERS = 1 << 16, 1 << 28
"""One byte each."""


class Sieve:
    """Counts pairs, in threads at once, then lets those through that may have been enough.

    A pair of accounts needs `min_entities` entities, or where one is enough `min_co_actions`.
    """

    def __init__(self, rows: int, min_co_actions: int, min_entities: int) -> None:
        size = 1 << (COUNTERS_A_ROW * rows).bit_length()
        self._counters = np.zeros(min(max(size, LEAST_COUNTERS), MOST_COUNTERS), np.uint8)
        self._by_entities = min_entities > 1
        self._least = min(min_entities if self._by_entities else min_co_actions, MOST)
        self._lock = threading.Lock()

    def count(self, pairs: Pairs) -> None:
        """Count entries of the first round."""
        ones = np.ones_like(pairs.co_actions)
        times = ones if self._by_entities else pairs.co_actions
        with self._lock:
            _count(self._counters, pairs.account_a, pairs.account_b, times)

    def let_through(self, pairs: Pairs) -> Pairs:
        """The entries of pairs that may be enough, once all were counted."""
        found = _full(self._counters, pairs.account_a, pairs.account_b, self._least)
        return pairs.part(found)


@compiled
def _counter(account_a: int, account_b: int, counters: int) -> np.uint64:
    both = (np.uint64(account_a) << np.uint64(32)) | np.uint64(account_b)
    mixed = (both ^ (both >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))) & np.uint64(counters - 1)


@compiled
def _count(counters: Counters, account_a: Int32s, account_b: Int32s, times: Int64s) -> None:
    for place in range(len(account_a)):
        counter = _counter(account_a[place], account_b[place], len(counters))
        counters[counter] = min(counters[counter] + times[place], MOST)


@compiled
def _full(counters: Counters, account_a: Int32s, account_b: Int32s, least: int) -> Places:
    found = np.empty(len(account_a), np.uint32)
    count = 0
    for place in range(len(account_a)):
        if counters[_counter(account_a[place], account_b[place], len(counters))] >= least:
            found[count] = place
            count += 1
    return found[:count]
