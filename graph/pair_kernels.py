"""Pairs of rows on one entity, as loops over numbers: the hot inside of graph/pairs.py.

Rows come sorted by entity, then time. `until[i]` is the end of the rows after i that may pair with
it: the end of i's entity, or of its window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.compiled import compiled
from graph.sort_kernels import Places, order_by

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PAIRS_AT_ONCE = 2_000_000
"""Pairs of rows that are held in memory before they are added up: some 100 MB."""

NO_WINDOW = -1


@dataclass(frozen=True)
class Rows:
    """Rows that may pair, sorted by entity and time.

    account, entity, event: numbers that stand for ids; equal means the same. at: microseconds, of
    the only or first event; last_at: of the last. events: how many it stands for. stays: whether a
    pair with it is kept whatever the other row is.
    """

    account: Int32s
    entity: Int32s
    event: Int32s
    at: Int64s
    last_at: Int64s
    events: Int64s
    stays: Bools

    def __len__(self) -> int:
        return len(self.account)


@dataclass(frozen=True)
class Pairs:
    """Added-up pairs of rows: one entry per smaller account, larger account and entity."""

    account_a: Int32s
    account_b: Int32s
    entity: Int32s
    co_actions: Int64s
    time_delta: Int64s
    first_at: Int64s
    last_at: Int64s

    def __len__(self) -> int:
        return len(self.account_a)

    def part(self, entries: slice | Places) -> Pairs:
        """Some of the entries; those of a slice are not copied."""
        return Pairs(
            self.account_a[entries],
            self.account_b[entries],
            self.entity[entries],
            self.co_actions[entries],
            self.time_delta[entries],
            self.first_at[entries],
            self.last_at[entries],
        )


def ends(rows: Rows, window: int) -> Int64s:
    """Where each row's possible partners end; `window` in microseconds, or NO_WINDOW."""
    return _ends(rows.entity, rows.at, window)


@compiled
def _ends(entity: Int32s, at: Int64s, window: int) -> Int64s:
    until = np.empty(len(entity), np.int64)
    end = 0
    for row in range(len(entity)):
        end = max(end, row + 1)
        while (
            end < len(entity)
            and entity[end] == entity[row]
            and (window < 0 or at[end] - at[row] <= window)
        ):
            end += 1
        until[row] = end
    return until


def paired(rows: Rows, until: Int64s) -> Bools:
    """Which rows have at least one partner: another account's row with another event."""
    return _paired(rows.account, rows.event, until)


@compiled
def _paired(account: Int32s, event: Int32s, until: Int64s) -> Bools:
    found = np.zeros(len(account), np.bool_)
    for row in range(len(account)):
        for other in range(row + 1, until[row]):
            if found[row] and found[other]:
                continue
            if account[row] != account[other] and event[row] != event[other]:
                found[row] = True
                found[other] = True
    return found


def every(pairs: Pairs) -> Pairs:
    """All entries, none left out."""
    return pairs


def add_up(rows: Rows, until: Int64s, wanted: Callable[[Pairs], Pairs] = every) -> Iterator[Pairs]:
    """Pair the rows and add up by accounts and entity, some millions of pairs at a time.

    The same accounts and entity may come again in a later part. Only pairs with an account that has
    several rows on the entity are sorted to find their like: most have none. `wanted` chooses
    entries by their accounts before that.
    """
    recurs = _recurs(rows.entity, rows.account, order_by(rows.entity, rows.account))
    reach = np.cumsum(until - np.arange(len(rows)) - 1)
    start = 0
    while start < len(rows):
        done = reach[start - 1] if start else 0
        stop = int(np.searchsorted(reach, done + PAIRS_AT_ONCE, side="right"))
        stop = min(max(stop, start + 1), len(rows))
        room = int(reach[stop - 1] - done)
        if room:
            yield from _added_up(rows, recurs, until, start, stop, room, wanted)
        start = stop


@compiled
def _recurs(entity: Int32s, account: Int32s, order: Places) -> Bools:
    """Which rows are of an account that has another row on their entity."""
    found = np.zeros(len(order), np.bool_)
    for place in range(1, len(order)):
        row, before = order[place], order[place - 1]
        if entity[row] == entity[before] and account[row] == account[before]:
            found[row] = True
            found[before] = True
    return found


def _added_up(
    rows: Rows,
    recurs: Bools,
    until: Int64s,
    start: int,
    stop: int,
    room: int,
    wanted: Callable[[Pairs], Pairs],
) -> Iterator[Pairs]:
    of_rows = (rows.account, rows.entity, rows.event, rows.at, rows.last_at, rows.events)
    found = _pairs(*of_rows, rows.stays, recurs, until, start, stop, room)
    made, once, several = Pairs(*found[:-2]), found[-2], found[-1]
    if len(pairs := wanted(made.part(slice(once)))):
        yield pairs
    if len(pairs := wanted(made.part(slice(several, room)))):
        yield _summed_up(pairs, order_by(pairs.entity, pairs.account_a, pairs.account_b))


@compiled
def _pairs(
    account: Int32s,
    entity: Int32s,
    event: Int32s,
    at: Int64s,
    last_at: Int64s,
    events: Int64s,
    stays: Bools,
    recurs: Bools,
    until: Int64s,
    start: int,
    stop: int,
    room: int,
) -> tuple[Int32s, Int32s, Int32s, Int64s, Int64s, Int64s, Int64s, int, int]:
    """Pairs that come once stand from the front up to the first number given back, those that may
    come several times from the second on."""
    account_a, account_b, of_entity = (
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.int32),
    )
    co_actions, time_delta, first_at, until_at = (
        np.empty(room, np.int64),
        np.empty(room, np.int64),
        np.empty(room, np.int64),
        np.empty(room, np.int64),
    )
    once, several = 0, room
    for row in range(start, stop):
        for other in range(row + 1, until[row]):
            if (
                account[row] != account[other]
                and event[row] != event[other]
                and (stays[row] or stays[other])
            ):
                if recurs[row] or recurs[other]:
                    several -= 1
                    place = several
                else:
                    place = once
                    once += 1
                account_a[place] = min(account[row], account[other])
                account_b[place] = max(account[row], account[other])
                of_entity[place] = entity[row]
                co_actions[place] = events[row] * events[other]
                time_delta[place] = at[other] - at[row]
                first_at[place] = at[row]
                until_at[place] = max(last_at[row], last_at[other])
    return (
        account_a,
        account_b,
        of_entity,
        co_actions,
        time_delta,
        first_at,
        until_at,
        once,
        several,
    )


def by_accounts(pairs: Pairs) -> Pairs:
    """Sort by accounts, then entity, and add up equal ones."""
    return _summed_up(pairs, order_by(pairs.account_a, pairs.account_b, pairs.entity))


def _summed_up(pairs: Pairs, order: Places) -> Pairs:
    """Add up entries of equal accounts and entity, which stand side by side in this order."""
    ids = (pairs.account_a, pairs.account_b, pairs.entity)
    return Pairs(
        *_sums(*ids, pairs.co_actions, pairs.time_delta, pairs.first_at, pairs.last_at, order)
    )


@compiled
def _sums(
    account_a: Int32s,
    account_b: Int32s,
    entity: Int32s,
    co_actions: Int64s,
    time_delta: Int64s,
    first_at: Int64s,
    last_at: Int64s,
    order: Places,
) -> tuple[Int32s, Int32s, Int32s, Int64s, Int64s, Int64s, Int64s]:
    heads = np.empty(len(order), np.uint32)
    sums = np.empty((4, len(order)), np.int64)
    count = 0
    for place in order:
        head = heads[count - 1]
        if (
            count
            and account_a[place] == account_a[head]
            and account_b[place] == account_b[head]
            and entity[place] == entity[head]
        ):
            sums[0, count - 1] += co_actions[place]
            sums[1, count - 1] += time_delta[place]
            sums[2, count - 1] = min(sums[2, count - 1], first_at[place])
            sums[3, count - 1] = max(sums[3, count - 1], last_at[place])
        else:
            heads[count] = place
            sums[0, count] = co_actions[place]
            sums[1, count] = time_delta[place]
            sums[2, count] = first_at[place]
            sums[3, count] = last_at[place]
            count += 1
    kept = heads[:count]
    return (
        account_a[kept],
        account_b[kept],
        entity[kept],
        sums[0, :count],
        sums[1, :count],
        sums[2, :count],
        sums[3, :count],
    )


def enough(pairs: Pairs, counts_as: Int32s | None, min_co_actions: int, min_entities: int) -> Bools:
    """Which entries, sorted by accounts, are of accounts that share enough.

    `counts_as` says as which distinct thing each entry's entity counts, below 0 if not at all;
    without it each counts as itself.
    """
    changes = (pairs.account_a[1:] != pairs.account_a[:-1]) | (
        pairs.account_b[1:] != pairs.account_b[:-1]
    )
    first = np.flatnonzero(np.concatenate([[True], changes]))
    lengths = np.diff(np.append(first, len(pairs)))
    co_actions = np.add.reduceat(pairs.co_actions, first)
    entities = lengths if counts_as is None else _distinct(counts_as, first, lengths)
    return np.repeat((co_actions >= min_co_actions) & (entities >= min_entities), lengths)


@compiled
def _distinct(values: Int32s, first: Int64s, lengths: Int64s) -> Int64s:
    counts = np.zeros(len(first), np.int64)
    for group in range(len(first)):
        ordered = np.sort(values[first[group] : first[group] + lengths[group]])
        for place in range(len(ordered)):
            is_new = place == 0 or ordered[place] != ordered[place - 1]
            if ordered[place] >= 0 and is_new:
                counts[group] += 1
    return counts
