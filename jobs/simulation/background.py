"""Ordinary life: what every account does by itself, planted ones (as camouflage) included.

Activity per account has a power-law tail, comes in sessions (bursts, as Barabási observed in Nature
435, 2005) and follows the account's own day; what is passed on is what is spreading at that moment.
"""

import numpy as np

from jobs.simulation.actions import POSTS, Actions, Event, actions
from jobs.simulation.arrays import DAY, Array
from jobs.simulation.identifiers import mix
from jobs.simulation.population import Population
from jobs.simulation.rhythm import Trends, time_of_day, zipf

MIX = {
    Event.LOGIN: 0.12,
    Event.POST: 0.08,
    Event.COMMENT: 0.10,
    Event.SHARE: 0.15,
    Event.LIKE: 0.37,
    Event.FOLLOW: 0.08,
    Event.MESSAGE: 0.09,
    Event.REPORT: 0.01,
}
"""Shares of the event types; reading is not logged."""
EVENTS_PER_SESSION = 5
_NEAR_RATIO = 0.5
"""Share of likes and comments that go to friends' posts, which hardly anybody else sees."""
_SESSION_US = 6 * 60 * 1_000_000
_LADDER = np.repeat(
    np.array([int(event) for event in MIX], dtype=np.int8),
    np.round(np.array(list(MIX.values())) * 1000).astype(int),
)


def live(
    population: Population,
    block: Array,
    day: int,
    midnight: int,
    first_own: int,
    trends: Trends,
    rng: np.random.Generator,
) -> Actions:
    """One day of a block of accounts; own contents are numbered from `first_own`."""
    counts = rng.poisson(population.rate[block])
    account = np.repeat(block, counts)
    size = len(account)
    sessions = np.repeat(1 + counts // EVENTS_PER_SESSION, counts)
    number = (rng.random(size, dtype=np.float32) * sessions).astype(np.uint64)
    salt = rng.integers(0, 1 << 40, dtype=np.uint64) << np.uint64(24)
    session = mix((number << np.uint64(32)) ^ account.astype(np.uint64) ^ salt)
    start = time_of_day((session >> np.uint64(11)).astype(np.float64) / (1 << 53)) * DAY
    within = rng.standard_exponential(size, dtype=np.float32) * _SESSION_US
    time = (start + within - population.offset[account]).astype(np.int64) % DAY
    event = _LADDER[(rng.random(size, dtype=np.float32) * len(_LADDER)).astype(np.int32)]
    content, target = _objects(population, event, time, first_own, trends, rng)
    done = actions(account, time, event, session, content, target)
    born = population.created[block] >= midnight
    if not born.any():
        return done
    return done.take(population.created[account] < midnight + time)


def _objects(
    population: Population,
    event: Array,
    time: Array,
    first_own: int,
    trends: Trends,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Content and target of each action: own contents, trending ones, popular accounts."""
    size = len(event)
    content = np.full(size, -1, dtype=np.int64)
    target = np.full(size, -1, dtype=np.int64)
    own = np.flatnonzero((event == Event.POST) | (event == Event.COMMENT))
    content[own] = first_own + own
    share = np.flatnonzero(event == Event.SHARE)
    content[share] = trends.seen_at(time[share], rng.random(len(share)))
    seen = np.flatnonzero((event == Event.LIKE) | (event == Event.COMMENT))
    near = rng.random(len(seen)) < _NEAR_RATIO
    friends = first_own + rng.integers(0, size + 1, len(seen))
    target[seen] = POSTS + np.where(
        near, friends, trends.seen_at(time[seen], rng.random(len(seen)))
    )
    social = np.flatnonzero((event == Event.FOLLOW) | (event == Event.REPORT))
    target[social] = population.popular[zipf(rng.random(len(social)), len(population))]
    direct = np.flatnonzero(event == Event.MESSAGE)
    target[direct] = rng.integers(0, len(population), len(direct))
    return content, target


def sign_up(population: Population, midnight: int, rng: np.random.Generator) -> Actions:
    """The sign-ups of a day, at the instants the accounts were created."""
    new = np.flatnonzero((population.created >= midnight) & (population.created < midnight + DAY))
    session = rng.integers(0, 1 << 63, len(new), dtype=np.uint64)
    return actions(new, population.created[new] - midnight, Event.SIGNUP, session)
