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
    accounts adds n_a n_b chance, rounded up to a micro-unit. Accounts that share no bin, but act on
    both sides of a bin's edge, are judged by neighbouring bins and the larger chance of the two.
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
        found[link] = _meetings(bins, chance, side_a, side_b, 0, micro)
        if found[link] == 0:
            found[link] += _meetings(bins, chance, side_a, side_b, -1, micro)
            found[link] += _meetings(bins, chance, side_a, side_b, 1, micro)
        start_a, start_b = end_a, end_b
    return found


@compiled
def _meetings(
    bins: Int64s, chance: Float64s, side_a: Int64s, side_b: Int64s, apart: int, micro: int
) -> int:
    total = 0
    b = 0
    for a in range(len(side_a)):
        bin_a = side_a[a] >> 32
        bin_b = bin_a + apart
        while b < len(side_b) and side_b[b] >> 32 < bin_b:
            b += 1
        if b == len(side_b):
            break
        if side_b[b] >> 32 == bin_b:
            rate = max(_chance_in(bins, chance, bin_a), _chance_in(bins, chance, bin_b))
            product = (side_a[a] & 0xFFFFFFFF) * (side_b[b] & 0xFFFFFFFF)
            total += int(np.ceil(product * rate * micro))
    return total


@compiled
def _chance_in(bins: Int64s, chance: Float64s, wanted: int) -> float:
    place = np.searchsorted(bins, wanted)
    return chance[place] if place < len(bins) and bins[place] == wanted else 0.0
