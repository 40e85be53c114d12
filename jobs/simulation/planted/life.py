"""How planted networks live over the days: born, growing, merging, splitting, resting.

DESIGN's history events (born, grew, merged, split, dormant, revived) each have a life here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from jobs.simulation.arrays import Array
from jobs.simulation.network import NEVER

_DAYS_SINCE_BAN = 4
"""At the end of the log; who evades a ban is back within days, and it is to be seen then."""


@dataclass(frozen=True)
class Course:
    """One network's life; arrays have one entry a member."""

    joins: Array
    """First day."""
    half: Array
    """0 or 1: which of two parts a member belongs to, each with equipment of its own."""
    quiet: frozenset[int] = frozenset()
    divided: tuple[bool, bool] = (False, False)
    """Whether the halves act apart before and from the day `turns`."""
    turns: int = NEVER
    note: str = ""
    """What happens, with {} for the date on which it does."""
    noted_day: int = 0
    banned: Array = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    """Whether a member is banned on `noted_day`, and another comes in its place; empty: none is."""

    @property
    def squads(self) -> tuple[Array, Array]:
        """Who acts with whom before and from the day `turns`."""
        before, after = (self.half * int(apart) for apart in self.divided)
        return before, after


@dataclass(frozen=True)
class Life:
    """A way to live, and the least it needs."""

    course: Callable[[int, int, np.random.Generator], Course]
    """From the number of members and of days."""
    least_days: int = 1
    least_members: int = 1


def _together(size: int) -> Array:
    return np.zeros(size, dtype=np.int64)


def _steady(size: int, days: int, rng: np.random.Generator) -> Course:
    return Course(_together(size), _together(size))


def _born(size: int, days: int, rng: np.random.Generator) -> Course:
    day = int(rng.integers(1, days - 1))
    return Course(_together(size) + day, _together(size), note="born on {}", noted_day=day)


def _grows(size: int, days: int, rng: np.random.Generator) -> Course:
    joins = np.where(np.arange(size) < size // 2, 0, rng.integers(1, days, size))
    return Course(joins, _together(size), note="grows from {}", noted_day=1)


def _halves(size: int) -> Array:
    return (np.arange(size) >= size // 2).astype(np.int64)


def _merges(size: int, days: int, rng: np.random.Generator) -> Course:
    day = days // 2
    note = "two networks that merge on {}"
    return Course(
        _together(size), _halves(size), divided=(True, False), turns=day, note=note, noted_day=day
    )


def _splits(size: int, days: int, rng: np.random.Generator) -> Course:
    day = days // 2
    note = "one network that splits on {}"
    return Course(
        _together(size), _halves(size), divided=(False, True), turns=day, note=note, noted_day=day
    )


def _rests(size: int, days: int, rng: np.random.Generator) -> Course:
    quiet = frozenset(range(days // 3, days - 1))
    return Course(
        _together(size),
        _together(size),
        quiet,
        note="dormant from {}, revived on the last day",
        noted_day=days // 3,
    )


def _banned_and_back(size: int, days: int, rng: np.random.Generator) -> Course:
    day = max(days - _DAYS_SINCE_BAN, days // 2)
    banned = np.arange(size) < size // 2
    joins = np.where(banned, 0, np.minimum(day + rng.integers(0, 2, size), days - 1))
    note = "banned on {}"
    return Course(joins, _together(size), note=note, noted_day=day, banned=banned)


BANNED_AND_BACK = Life(_banned_and_back)
"""Of the kinds that come back after a ban."""

LIVES = (
    Life(_steady),
    Life(_born, least_days=3),
    Life(_grows, least_days=3),
    Life(_steady),
    Life(_merges, least_days=4, least_members=12),
    Life(_steady),
    Life(_splits, least_days=4, least_members=12),
    Life(_rests, least_days=5),
)
"""Networks of the whole simulation take these in turn."""
