"""Opaque ids: a number becomes a string that reveals nothing about the number.

Everything that has an id (accounts, devices, contents, posts, events) is a whole number inside the
simulator, and becomes text only when it is written. One keyed bijection serves all of them, so ids
never collide and a planted account's id comes from the same generator as everyone else's.
"""

from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.simulation.arrays import Array

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = np.array([a + b for a in _ALPHABET for b in _ALPHABET], dtype="S2").view(np.uint16)
_BYTES = np.array([f"{byte:02x}" for byte in range(256)], dtype="S2").view(np.uint16)
_OCTETS = pa.array([str(octet) for octet in range(256)])


class Space(IntEnum):
    """The number spaces; each number is an id in one of them."""

    ACCOUNT = 1
    POST = 2
    EVENT = 3
    DEVICE = 4
    CONTENT = 5


def mix(numbers: Array, bits: int = 64) -> Array:
    """A bijection of unsigned numbers of so many bits that looks random.

    The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014); each step is invertible modulo
    any power of two.
    """
    mask = np.uint64((1 << bits) - 1)
    mixed = (numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)) & mask
    mixed = ((mixed ^ (mixed >> np.uint64(bits * 30 // 64))) * np.uint64(0xBF58476D1CE4E5B9)) & mask
    mixed = ((mixed ^ (mixed >> np.uint64(bits * 27 // 64))) * np.uint64(0x94D049BB133111EB)) & mask
    scrambled: Array = mixed ^ (mixed >> np.uint64(bits * 31 // 64))
    return scrambled


class Identifiers:
    """Writes numbers as ids under one key."""

    def __init__(self, seed: int) -> None:
        self._key = mix(np.array([seed], dtype=np.uint64))[0]

    def short(self, space: Space, numbers: Array) -> pa.StringArray:
        """Twelve base-32 characters, as platforms name accounts, posts and events."""
        mixed = self._scramble(space, numbers, 60)
        pairs = np.empty((len(mixed), 6), dtype=np.uint16)
        for column in range(6):
            pairs[:, column] = _PAIRS[(mixed >> np.uint64(10 * column)) & np.uint64(1023)]
        return _fixed_width(pairs)

    def hexadecimal(self, space: Space, numbers: Array, digits: int) -> pa.StringArray:
        """16 (a device) or 32 (a content hash) hexadecimal digits in lower case."""
        words = [self._scramble(space, numbers, 64)]
        while len(words) * 16 < digits:
            words.append(mix(words[-1] ^ self._key))
        octets = np.stack(words, axis=1).view(np.uint8)
        return _fixed_width(_BYTES[octets])

    def _scramble(self, space: Space, numbers: Array, bits: int) -> Array:
        mask = np.uint64((1 << bits) - 1)
        placed = numbers.astype(np.uint64) | np.uint64(int(space) << (bits - 4))
        return mix(placed ^ (self._key & (mask >> np.uint64(4))), bits)


def dotted(addresses: Array) -> pa.StringArray:
    """IPv4 addresses as text."""
    octets = [_OCTETS.take(pa.array((addresses >> shift) & 255)) for shift in (24, 16, 8, 0)]
    return pc.binary_join_element_wise(*octets, ".")


def _fixed_width(pairs: Array) -> pa.StringArray:
    rows, width = len(pairs), pairs.shape[1] * 2
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)
    data = np.ascontiguousarray(pairs)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))
