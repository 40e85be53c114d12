"""A viral hash: one content that a third of all accounts pass on within days.

As an entity it links everybody with everybody; as a fact it says nothing about anyone.
"""

from dataclasses import dataclass

import numpy as np

from jobs.simulation.actions import Actions, Event, Realm, actions
from jobs.simulation.arrays import DAY, Array
from jobs.simulation.network import sessions
from jobs.simulation.population import Population
from jobs.simulation.rhythm import time_of_day
from jobs.simulation.world import World

_SHARE = 1 / 3
_FADES = 1.2


@dataclass(frozen=True)
class Viral:
    """The content's way through the accounts; arrays have one entry an account that shares it."""

    account: Array
    day: Array
    time: Array

    def act(self, day: int, people: Population, number: int, rng: np.random.Generator) -> Actions:
        """The day's shares."""
        now = self.day == day
        session = sessions(int(now.sum()), rng)
        content = Realm.VIRAL.first()
        return actions(self.account[now], self.time[now], Event.SHARE, session, content)


def plant(world: World, rng: np.random.Generator) -> None:
    """A third of the accounts, each at a time of its own day; the wave fades as a power of time."""
    people, days = world.people, world.settings.days
    awake = np.flatnonzero((people.created < world.settings.start) & (people.rate > 0))
    account = np.sort(rng.choice(awake, int(_SHARE * len(people)), replace=False))
    wave = (rng.pareto(_FADES, len(account)) % days).astype(np.int64)
    time = (time_of_day(rng.random(len(account))) * DAY).astype(np.int64)
    world.performers.append(Viral(account, wave, (time - people.offset[account]) % DAY))
    world.record_circles("viral_hash", account, np.zeros(len(account), dtype=np.int64))
