"""Co-actions that chance explains, as a loop over bins: the hot inside of graph/surprise.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.compiled import compiled
from graph.fixed_point import MICRO

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]

BINS_APART = 1 << 32
"""An account's events in a bin are packed as bin times this plus events, which are fewer."""


@dataclass(frozen=True)
class Chances:
    """The chance that two events of a trace in one bin are on one entity; bins are sorted."""

    bins: Int64s
    chance: Float64s


def expected_of_lists(
    chances: Chances, bins_a: Int64s, lengths_a: Int32s, bins_b: Int64s, lengths_b: Int32s
) -> Int64s:
    """Micro-units expected of each link, from its two accounts' packed bins, sorted.

    The lists of all links stand one after the other, with their lengths beside them. A bin of both
    accounts adds n_a n_b chance, rounded up to a micro-unit.
    """
    return _expected(chances.bins, chances.chance, bins_a, lengths_a, bins_b, lengths_b, MICRO)


@compiled
def _expected(
    bins: Int64s,
    chance: Float64s,
    bins_a: Int64s,
    lengths_a: Int32s,
    bins_b: Int64s,
    lengths_b: Int32s,
    micro: int,
) -> Int64s:
    found = np.zeros(len(lengths_a), np.int64)
    start_a, start_b = 0, 0
    for link in range(len(lengths_a)):
        end_a, end_b = start_a + lengths_a[link], start_b + lengths_b[link]
        side_a, side_b = bins_a[start_a:end_a], bins_b[start_b:end_b]
        b = 0
        for a in range(len(side_a)):
            bin_a = side_a[a] >> 32
            while b < len(side_b) and side_b[b] >> 32 < bin_a:
                b += 1
            if b == len(side_b):
                break
            place = np.searchsorted(bins, bin_a)
            if side_b[b] >> 32 == bin_a and place < len(bins) and bins[place] == bin_a:
                product = (side_a[a] & 0xFFFFFFFF) * (side_b[b] & 0xFFFFFFFF)
                found[link] += np.int64(np.ceil(product * chance[place] * micro))
        start_a, start_b = end_a, end_b
    return found
