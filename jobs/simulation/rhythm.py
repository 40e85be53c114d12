"""When things happen and what is popular: daily rhythm, trends that feed on themselves, Zipf."""

from dataclasses import dataclass

import numpy as np

from jobs.simulation.arrays import DAY, MICROSECONDS, Array, stream

# Relative activity by local hour: a trough before dawn, a plateau by day, a peak in the evening.
_HOURS = np.array(
    [
        *(4, 2.2, 1.2, 0.8, 0.7, 1, 2.2, 4, 5.2, 5.5, 5.6, 5.8),
        *(6.2, 6, 5.6, 5.6, 5.8, 6.2, 6.8, 7.6, 8.4, 8.6, 7.6, 5.8),
    ]
)
_GRID = 4096
_TRENDS_DAYS = 3
"""A cascade is followed for so many days from its birth."""
_EVENING = 0.25
"""Part of the day before whose shares are still seen after midnight."""


def _quantiles() -> Array:
    shares = np.concatenate([[0.0], np.cumsum(np.repeat(_HOURS, 60))])
    grid = np.linspace(0, 1, _GRID + 1)
    quantiles: Array = np.interp(grid, shares / shares[-1], np.arange(1441) / 1440)
    return quantiles


_QUANTILES = _quantiles()


def time_of_day(unit: Array) -> Array:
    """Local time of day as a share of the day, for uniform numbers in [0, 1)."""
    place = unit * _GRID
    cell = place.astype(np.int32)
    low = _QUANTILES[cell]
    times: Array = low + (place - cell) * (_QUANTILES[cell + 1] - low)
    return times


def zipf(unit: Array, size: int) -> Array:
    """Ranks from 0 whose popularity falls as 1 / rank, for uniform numbers in [0, 1)."""
    ranks: Array = (np.exp(unit * np.log(size + 1)) - 1).astype(np.int64)
    return ranks


def heavy_tail(rng: np.random.Generator, size: int, exponent: float, most: float) -> Array:
    """Positive numbers with mean 1 and a power-law tail cut at `most` times the scale."""
    draws = np.minimum(rng.pareto(exponent, size) + 0.05, most)
    numbers: Array = draws / draws.mean()
    return numbers


@dataclass(frozen=True)
class Trends:
    """Shares of spreading contents in order of time: what people see and pass on during a day."""

    content: Array
    """Content numbers, one a share."""
    second_start: Array
    """How many of the shares came before each second of the day."""

    def seen_at(self, time: Array, unit: Array) -> Array:
        """The content that somebody passes on at a time of the day (us), seen shortly before."""
        latest = self.second_start[time // MICROSECONDS]
        back = (-np.log1p(-unit) * (1 + len(self.content) * 0.02)).astype(np.int64)
        seen: Array = self.content[np.maximum(latest - 1 - back, 0)]
        return seen


def trends(seed: int, first_content: int, day: int, shares: int) -> Trends:
    """The spreading contents of a day, among them those born on the days before.

    Each cascade is a Hawkes process in its branching form (Hawkes and Oakes, 1974): a share begets
    a Poisson number of shares, each after a heavy-tailed delay (Zhao et al., SEISMIC, KDD 2015),
    and contents differ in how many they beget.
    """
    times, contents = [], []
    for born in range(day - _TRENDS_DAYS + 1, day + 1):
        at, content = _cascades(stream(seed, born + _TRENDS_DAYS), shares)
        today = (at >= day - born - _EVENING) & (at < day - born + 1)
        times.append(((at[today] - (day - born)) * DAY).astype(np.int64))
        number = (np.int64(born + _TRENDS_DAYS) << 36) | content[today]
        contents.append(first_content | number)
    time, content = np.concatenate(times), np.concatenate(contents)
    order = np.argsort(time, kind="stable")
    seconds = np.searchsorted(time[order], np.arange(86_400) * MICROSECONDS)
    return Trends(content[order], seconds)


def _cascades(rng: np.random.Generator, shares: int) -> tuple[Array, Array]:
    """Times (days from the birth day's midnight) and contents of the cascades of one birth day."""
    contents = max(200, shares // 8)
    begets = np.minimum(0.25 + 0.12 * rng.pareto(1.5, contents), 1.05)
    time, content = rng.random(contents), np.arange(contents)
    times, numbers, total = [time], [content], contents
    while len(time) and total < shares:
        children = rng.poisson(begets[content])
        content = np.repeat(content, children)
        time = np.repeat(time, children) + 0.004 * rng.pareto(0.9, len(content))
        alive = time < _TRENDS_DAYS
        time, content = time[alive], content[alive]
        times.append(time)
        numbers.append(content)
        total += len(time)
    return np.concatenate(times), np.concatenate(numbers)
