"""Campuses: hundreds of students behind a university's addresses, many in its dormitories."""

import numpy as np

from jobs.simulation.address_space import STATIC
from jobs.simulation.lookalikes.circle import gather, premises
from jobs.simulation.world import World

_DORMITORY_RATIO = 0.3


def plant(world: World, rng: np.random.Generator) -> None:
    """150 to 800 students on 32 addresses."""
    campuses = gather(world, "campus", 0.03, (150, 800), rng)
    people, account = world.people, campuses.account
    place = premises(world, campuses, "education", 32, STATIC)
    people.work[account] = place
    resident = rng.random(len(account)) < _DORMITORY_RATIO
    people.home[account[resident]] = place[resident]
