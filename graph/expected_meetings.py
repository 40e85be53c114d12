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
    if not len(chances.bins):
        return np.zeros(len(lengths_a), np.int64)
    first = int(chances.bins[0])
    by_bin = np.zeros(int(chances.bins[-1]) - first + 1)
    by_bin[chances.bins - first] = chances.chance
    return _expected(first, by_bin, bins_a, lengths_a, bins_b, lengths_b, MICRO)


@compiled
def _expected(
    first: int,
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
        found[link] = _meetings(first, chance, side_a, side_b, 0, micro)
        if found[link] == 0:
            found[link] += _meetings(first, chance, side_a, side_b, -1, micro)
            found[link] += _meetings(first, chance, side_a, side_b, 1, micro)
        start_a, start_b = end_a, end_b
    return found


@compiled
def _meetings(
    first: int, chance: Float64s, side_a: Int64s, side_b: Int64s, apart: int, micro: int
) -> int:
    total = 0
    a, b = 0, 0
    while a < len(side_a) and b < len(side_b):
        bin_a = side_a[a] >> 32
        bin_b = side_b[b] >> 32
        if bin_b == bin_a + apart:
            rate = max(_chance_in(first, chance, bin_a), _chance_in(first, chance, bin_b))
            product = (side_a[a] & 0xFFFFFFFF) * (side_b[b] & 0xFFFFFFFF)
            total += int(np.ceil(product * rate * micro))
        a += bin_b >= bin_a + apart
        b += bin_b <= bin_a + apart
    return total


@compiled
def _chance_in(first: int, chance: Float64s, wanted: int) -> float:
    place = wanted - first
    return chance[place] if 0 <= place < len(chance) else 0.0
