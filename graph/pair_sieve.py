"""Which pairs of accounts may come often enough: counters that several pairs share, never too low.

Pairs that a trace's minimums drop are nearly all; a first round that only counts spares the second
from keeping them.

Source: Park, Chen, Yu, "An effective hash-based algorithm for mining association rules" (SIGMOD
1995), section 2: pairs are counted in buckets, and only those of a full bucket are kept.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from graph.compiled import compiled
from graph.pair_kernels import Int32s, Int64s, Pairs
from graph.sort_kernels import Places

Counters = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.uint64]

WIDTHS = (2, 4, 8)
"""Bits of a counter: the fewest that hold what is enough."""

MOST = 255
"""What a counter holds at most."""

COUNTERS_A_PAIR = 2
"""Counters for each pair that a layer is to count: a tenth of those that come once pass it
where three are enough."""

LEAST_BYTES, MOST_BYTES = 1 << 16, 1 << 28
"""Of a layer's counters. A simulated week of 46 million likes and comments makes 1.4 billion pairs,
which three layers sift."""

MOST_MAPPED = 4
"""Files that a process keeps mapped."""


@dataclass(frozen=True)
class Layer:
    """Counters in a file, which threads and processes of one machine map and lock."""

    file: Path
    bits: int

    @property
    def counters(self) -> int:
        """How many they are."""
        return len(self.mapped) * 8 // self.bits

    @property
    def mapped(self) -> Counters:
        """The file's bytes, as all tasks see them."""
        return _mapped(self.file, self.file.stat().st_ino)

    @contextmanager
    def locked(self) -> Iterator[Counters]:
        """The same, while no other task changes them."""
        with self.file.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
            yield self.mapped


@lru_cache(maxsize=MOST_MAPPED)
def _mapped(file: Path, inode: int) -> Counters:
    """Map a file once, not for every million pairs; of a later file of this name anew."""
    return np.asarray(np.memmap(file, np.uint8, "r+"))


@dataclass(frozen=True)
class Sieve:
    """Counts pairs, in tasks at once, then lets those through that may have been enough.

    A pair of accounts needs `min_entities` entities, or where one is enough `min_co_actions`. Each
    layer counts, by a hash of its own, what passes those before it.
    """

    min_co_actions: int
    min_entities: int
    layers: tuple[Layer, ...] = ()

    @property
    def least(self) -> int:
        """What a counter must hold for its pairs to pass."""
        by_entities = self.min_entities > 1
        return min(self.min_entities if by_entities else self.min_co_actions, MOST)

    def finer(self, file: Path, pairs: int) -> Sieve:
        """This sieve with a further layer, which has counted nothing, for about so many pairs."""
        bits = next(width for width in WIDTHS if self.least < 1 << width)
        size = 1 << (COUNTERS_A_PAIR * pairs * bits // 8).bit_length()
        file.unlink(missing_ok=True)  # who has it mapped keeps the old one
        # Written rather than left as a hole: a disk that is full says so here, not by a signal.
        file.write_bytes(bytes(min(max(size, LEAST_BYTES), MOST_BYTES)))
        return replace(self, layers=(*self.layers, Layer(file, bits)))

    def count(self, pairs: Pairs) -> int:
        """Count entries in the last layer, those that pass the others; gives their number."""
        *before, layer = self.layers
        places = _places(before, pairs, self.least)
        account_a, account_b = pairs.account_a[places], pairs.account_b[places]
        times = np.minimum(pairs.co_actions[places], 1 if self.min_entities > 1 else MOST)
        counts = _counts(account_a, account_b, times, len(before), layer.counters)
        counts.sort()  # memory is then changed in its order, while others wait
        with layer.locked() as mapped:
            _count(mapped, layer.bits, counts)
        return len(counts)

    def let_through(self, pairs: Pairs) -> Pairs:
        """The entries of pairs that may be enough, once all were counted."""
        return pairs.part(_places(self.layers, pairs, self.least))

    def remove(self) -> None:
        """Remove the files."""
        _mapped.cache_clear()
        for layer in self.layers:
            layer.file.unlink()


def _places(layers: Sequence[Layer], pairs: Pairs, least: int) -> slice | Places:
    """The places of entries that pass all layers."""
    places: slice | Places = slice(None)
    for number, layer in enumerate(layers):
        account_a, account_b = pairs.account_a[places], pairs.account_b[places]
        passed = _full(layer.mapped, layer.bits, number, account_a, account_b, least)
        places = passed if isinstance(places, slice) else places[passed]
    return places


@compiled
def _counter(account_a: int, account_b: int, layer: int, counters: int) -> np.uint64:
    both = (np.uint64(account_a) << np.uint64(32)) | np.uint64(account_b)
    both += np.uint64(layer) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (both ^ (both >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))) & np.uint64(counters - 1)


@compiled
def _counts(
    account_a: Int32s, account_b: Int32s, times: Int64s, number: int, counters: int
) -> Counts:
    """Each entry's counter, and in the last eight bits by how much it rises."""
    counts = np.empty(len(account_a), np.uint64)
    for place in range(len(account_a)):
        counter = _counter(account_a[place], account_b[place], number, counters)
        counts[place] = (counter << np.uint64(8)) | np.uint64(times[place])
    return counts


@compiled
def _count(layer: Counters, bits: int, counts: Counts) -> None:
    a_byte, most = 8 // bits, (1 << bits) - 1
    for place in range(len(counts)):
        counter, times = int(counts[place] >> np.uint64(8)), int(counts[place] & np.uint64(MOST))
        byte, shift = counter // a_byte, counter % a_byte * bits
        held = (layer[byte] >> shift) & most
        layer[byte] += (min(held + times, most) - held) << shift


@compiled
def _full(
    layer: Counters, bits: int, number: int, account_a: Int32s, account_b: Int32s, least: int
) -> Places:
    a_byte, most = 8 // bits, (1 << bits) - 1
    found = np.empty(len(account_a), np.uint32)
    count = 0
    for place in range(len(account_a)):
        counter = int(_counter(account_a[place], account_b[place], number, len(layer) * a_byte))
        held = (layer[counter // a_byte] >> (counter % a_byte * bits)) & most
        if held >= least:
            found[count] = place
            count += 1
    return found[:count]
