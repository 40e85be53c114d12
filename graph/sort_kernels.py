"""The order of rows by several whole numbers, digit by digit: linear in rows, no comparisons.

Source: radix sort, least significant digit first (Knuth, The Art of Computer Programming 3, 5.2.5).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from graph.compiled import compiled

Places = npt.NDArray[np.uint32]  # unsigned, because numba asks of others whether they are negative
Int64s = npt.NDArray[np.int64]
Keys = npt.NDArray[np.int32] | Int64s

DIGIT_BITS = 11  # counters of one digit then fit a processor's nearest cache


def order_by(*keys: Keys) -> Places:
    """The places of rows sorted by their keys, the first key before the others; equal rows stay."""
    order = np.arange(len(keys[0]), dtype=np.uint32)
    if not len(order):
        return order
    for key in reversed(keys):
        smallest = int(key.min())
        bits = (int(key.max()) - smallest).bit_length()
        for shift in range(0, bits, DIGIT_BITS):
            order = _by_digit(key, order, smallest, shift)
    return order


@compiled
def _by_digit(key: Keys, order: Places, smallest: int, shift: int) -> Places:
    # Unsigned, since the difference of two int64 may not fit one.
    digits = np.empty(len(order), np.uint16)
    places = np.zeros((1 << DIGIT_BITS) + 1, np.uint32)
    for place in range(len(order)):
        above = np.uint64(np.int64(key[order[place]]) - np.int64(smallest)) >> np.uint64(shift)
        digits[place] = above & np.uint64((1 << DIGIT_BITS) - 1)
        places[digits[place] + np.uint16(1)] += np.uint32(1)
    for digit in range(1 << DIGIT_BITS):
        places[digit + 1] += places[digit]
    ordered = np.empty(len(order), np.uint32)
    for place in range(len(order)):
        ordered[places[digits[place]]] = order[place]
        places[digits[place]] += np.uint32(1)
    return ordered
