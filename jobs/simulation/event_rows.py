"""Rows of the event log as numbers: actions with their devices, addresses and ids."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from jobs.simulation.actions import NO_DEVICE, NONE, Actions
from jobs.simulation.address_space import Places
from jobs.simulation.arrays import DAY, MICROSECONDS, Array
from jobs.simulation.population import NOWHERE, Population

FLAGGED = 1 << 60
"""Set on a number that is to be written in an odd way; which way depends on the column."""
UNKNOWN_DEVICE = -2
ZERO_DEVICE = -3
IPV6 = 1 << 61
"""Set on an address that is written as IPv6; bits 32 to 55 are then its interface."""
_OFFICE_HOURS = (9 * 3600 * MICROSECONDS, 18 * 3600 * MICROSECONDS)
# A day has less than 2^37 microseconds; the two together fit into 63 bits.
_POSITION_BITS = 26
_UNIT = 1 / (1 << 16)


@dataclass(frozen=True)
class EventRows:
    """One row an event; NONE stands for null in every column."""

    account: Array
    time: Array
    """Microseconds since 1970."""
    event: Array
    number: Array
    """Of the event id."""
    device: Array
    ip: Array
    """An IPv4 address as a whole number."""
    content: Array
    target: Array

    def __len__(self) -> int:
        return len(self.account)

    def take(self, rows: Array) -> Self:
        """Some of the rows, by position or mask."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))


def locate(
    done: Actions,
    people: Population,
    places: Places,
    day: int,
    midnight: int,
    workday: bool,
    first_number: int,
) -> EventRows:
    """Where each action came from, in order of time; event ids are numbered from `first_number`."""
    done = done.take(_by_time(done.time))
    draw = (done.session >> np.uint64(16)) & np.uint64(0xFFFF)
    which = (draw >= 52_000).astype(np.int8) + (draw >= 62_000)
    device = np.where(done.device == NONE, people.device[done.account, which], done.device)
    place = np.where(done.place == NONE, _place(done, people, workday), done.place)
    return EventRows(
        account=done.account.astype(np.int64),
        time=midnight + done.time,
        event=done.event,
        number=first_number + np.arange(len(done)),
        device=np.where(device == NO_DEVICE, NONE, device),
        ip=places.address(place, done.session >> np.uint64(32), day),
        content=done.content,
        target=done.target,
    )


def _by_time(time: Array) -> Array:
    """Positions in order of time, ties in their own order.

    Time and position are sorted as one number: three times as fast as numpy's stable argsort, and
    the same on every processor, which its default argsort is not.
    """
    keys = (time << _POSITION_BITS) | np.arange(len(time))
    keys.sort()
    positions: Array = keys & ((1 << _POSITION_BITS) - 1)
    return positions


def _place(done: Actions, people: Population, workday: bool) -> Array:
    chance = (done.session & np.uint64(0xFFFF)).astype(np.float64) * _UNIT
    place = people.home[done.account]
    if workday:
        work = people.work[done.account]
        clock = (done.time + people.offset[done.account]) % DAY
        at_work = (work != NOWHERE) & (clock >= _OFFICE_HOURS[0]) & (clock < _OFFICE_HOURS[1])
        place = np.where(at_work, work, place)
    away = chance < people.away_ratio[done.account]
    return np.where(away, people.away[done.account], place)
