"""The compiled loops of `graph.id_index`: hashing and open addressing with linear probing.

A table of slots has two columns: the hash of an id and its position plus one, 0 for an empty slot.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from graph.compiled import compiled

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_MULTIPLIER = -7046029254386353131  # 2^64 divided by the golden ratio, as int64


@compiled
def mixed(value: np.int64) -> np.int64:
    """Map int64 to int64 one to one, so that the low bits depend on all bits."""
    folded = (value ^ ((value >> 32) & 0xFFFFFFFF)) * _MULTIPLIER
    return folded ^ ((folded >> 29) & 0x7FFFFFFFF)


@compiled
def word_at(data: Bytes, start: int) -> np.int64:
    """The eight bytes from `start` on as one integer, little end first.

    Unsigned positions spare numba its care for negative ones; then this is a single load.
    """
    word = np.uint64(0)
    for byte in range(8):
        at = np.uint64(start) + np.uint64(byte)
        word |= np.uint64(data[at]) << np.uint64(8 * byte)
    return np.int64(word)


@compiled
def last_word(data: Bytes, start: int, stop: int) -> np.int64:
    """The last eight bytes before `stop`, or the fewer there are, as one integer."""
    if stop - start >= 8:
        return word_at(data, stop - 8)
    word = np.int64(0)
    for byte in range(stop - start):
        word |= np.int64(data[start + byte]) << (8 * byte)
    return word


@compiled
def hashed(data: Bytes, start: int, stop: int) -> np.int64:
    """Hash the bytes data[start:stop], eight at a time; the last eight may overlap."""
    result = np.int64(stop - start)
    for word in range((stop - start) // 8):
        result = mixed(result ^ word_at(data, start + 8 * word))
    return mixed(result ^ last_word(data, start, stop))


@compiled
def same(data: Bytes, start: int, stop: int, other: Bytes, at: int, end: int) -> bool:
    """Whether data[start:stop] and other[at:end] are equal."""
    if stop - start != end - at:
        return False
    for word in range((stop - start) // 8):
        if word_at(data, start + 8 * word) != word_at(other, at + 8 * word):
            return False
    return bool(last_word(data, start, stop) == last_word(other, at, end))


@compiled
def less(data: Bytes, start: int, stop: int, at: int, end: int) -> bool:
    """Whether data[start:stop] comes before data[at:end] in the order of bytes."""
    for byte in range(min(stop - start, end - at)):
        if data[start + byte] != data[at + byte]:
            return bool(data[start + byte] < data[at + byte])
    return stop - start < end - at


@compiled
def move_slots(slots: Int64s, larger: Int64s) -> None:
    """Copy all used slots into a larger, empty table."""
    mask = len(larger) - 1
    for old in range(len(slots)):
        if slots[old, 1]:
            slot = slots[old, 0] & mask
            while larger[slot, 1]:
                slot = (slot + 1) & mask
            larger[slot, 0] = slots[old, 0]
            larger[slot, 1] = slots[old, 1]


@compiled
def place_integers(values: Int64s, slots: Int64s, ids: Int64s, count: int, found: Int32s) -> int:
    """Write each value's position to `found`, adding new ones to `ids`; return the new count."""
    mask = len(slots) - 1
    for row in range(len(values)):
        key = mixed(values[row])
        slot = key & mask
        while slots[slot, 1] and slots[slot, 0] != key:
            slot = (slot + 1) & mask
        if not slots[slot, 1]:
            ids[count] = values[row]
            count += 1
            slots[slot, 0] = key
            slots[slot, 1] = count
        found[row] = slots[slot, 1] - 1
    return count


@compiled
def place_strings(
    offsets: Int64s,
    data: Bytes,
    slots: Int64s,
    id_offsets: Int64s,
    id_data: Bytes,
    count: int,
    found: Int32s,
) -> int:
    """Write each string's position to `found`, adding new ones to the ids; return the new count.

    Strings are found or added by their hash, and compared afterwards. These are separate loops
    because only rows that do not wait for each other's memory overlap in the processor: one loop
    for all takes several times as long.
    """
    rows = len(found)
    keys = np.empty(rows, np.int64)
    for row in range(rows):
        keys[row] = hashed(data, offsets[row], offsets[row + 1])
    mask = len(slots) - 1
    for row in range(rows):
        slot = keys[row] & mask
        while slots[slot, 1] and slots[slot, 0] != keys[row]:
            slot = (slot + 1) & mask
        if not slots[slot, 1]:
            count = _append(data, offsets[row], offsets[row + 1], id_offsets, id_data, count)
            slots[slot, 0] = keys[row]
            slots[slot, 1] = count
        found[row] = slots[slot, 1] - 1
    for row in range(rows):
        start, stop, known = offsets[row], offsets[row + 1], found[row]
        if not same(data, start, stop, id_data, id_offsets[known], id_offsets[known + 1]):
            found[row] = -1
    for row in range(rows):
        if found[row] < 0:
            start, stop = offsets[row], offsets[row + 1]
            slot, known = _slot_of(data, start, stop, keys[row], slots, id_offsets, id_data)
            if known < 0:
                known = count
                count = _append(data, start, stop, id_offsets, id_data, count)
                slots[slot, 0] = keys[row]
                slots[slot, 1] = count
            found[row] = known
    return count


@compiled
def _slot_of(
    data: Bytes,
    start: int,
    stop: int,
    key: int,
    slots: Int64s,
    id_offsets: Int64s,
    id_data: Bytes,
) -> tuple[int, int]:
    """The slot and position of one string, by hash and bytes; position -1 if it is new."""
    mask = len(slots) - 1
    slot = key & mask
    while slots[slot, 1]:
        known = slots[slot, 1] - 1
        if slots[slot, 0] == key and same(
            data, start, stop, id_data, id_offsets[known], id_offsets[known + 1]
        ):
            return slot, known
        slot = (slot + 1) & mask
    return slot, -1


@compiled
def _append(
    data: Bytes, start: int, stop: int, id_offsets: Int64s, id_data: Bytes, count: int
) -> int:
    end = id_offsets[count]
    for byte in range(stop - start):
        id_data[end + byte] = data[start + byte]
    id_offsets[count + 1] = end + stop - start
    return count + 1


@compiled
def smallest_integers(ids: Int64s, groups: Int32s) -> Int32s:
    """For each position, the position of the smallest id of its group."""
    best = np.full(len(groups), -1, np.int32)
    for position in range(len(groups)):
        group = groups[position]
        if best[group] < 0 or ids[position] < ids[best[group]]:
            best[group] = position
    return best[groups]


@compiled
def smallest_strings(offsets: Int64s, data: Bytes, groups: Int32s) -> Int32s:
    """For each position, the position of the smallest id of its group, by bytes."""
    best = np.full(len(groups), -1, np.int32)
    for position in range(len(groups)):
        group = groups[position]
        first = best[group]
        if first < 0 or less(
            data, offsets[position], offsets[position + 1], offsets[first], offsets[first + 1]
        ):
            best[group] = position
    return best[groups]
