"""What accounts do, as columns of numbers; devices, addresses and text come later."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np

from jobs.simulation.arrays import Array

NONE = -1
NO_DEVICE = -4
"""The device of an action that no device of the account's took part in."""
POSTS = 1 << 52
"""A target from here on is the post with that content; below, it is an account."""


class Event(IntEnum):
    """The event types of the simulated platform."""

    SIGNUP = 0
    LOGIN = 1
    POST = 2
    COMMENT = 3
    SHARE = 4
    LIKE = 5
    FOLLOW = 6
    MESSAGE = 7
    REPORT = 8


class Realm(IntEnum):
    """Where a content number comes from: realm << 48 | day << 36 | number."""

    TREND = 1
    OWN = 2
    COORDINATED = 3
    VIRAL = 4

    def first(self, day: int = 0) -> int:
        """The first content number of a day."""
        return int(self) << 48 | day << 36


@dataclass(frozen=True)
class Actions:
    """One row an action."""

    account: Array
    time: Array
    """Microseconds of the day."""
    event: Array
    content: Array
    target: Array
    session: Array
    """A random 64-bit number that decides on device and address; equal within a session."""
    device: Array
    """A device number, NO_DEVICE, or NONE for one of the account's own."""
    place: Array
    """A place, or NONE for where the account is at that time."""

    def __len__(self) -> int:
        return len(self.account)

    def take(self, rows: Array) -> Self:
        """Some of the rows, by position or mask."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))


def actions(
    account: Array,
    time: Array,
    event: int | Array,
    session: Array,
    content: int | Array = NONE,
    target: int | Array = NONE,
    device: int | Array = NONE,
    place: int | Array = NONE,
) -> Actions:
    """Actions from columns and constants."""
    size = len(account)

    def column(values: int | Array, dtype: type) -> Array:
        return np.broadcast_to(np.asarray(values, dtype=dtype), size)

    return Actions(
        column(account, np.int32),
        column(time, np.int64),
        column(event, np.int8),
        column(content, np.int64),
        column(target, np.int64),
        column(session, np.uint64),
        column(device, np.int64),
        column(place, np.int32),
    )


def concatenate(parts: Sequence[Actions]) -> Actions:
    """All rows of all parts."""
    parts = parts or [actions(np.zeros(0), np.zeros(0), 0, np.zeros(0))]
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Actions))
    return Actions(*(np.concatenate(column) for column in columns))
