"""Factory dormitories: workers with phones of their own on one line, awake in the same shifts."""

import numpy as np

from jobs.simulation.address_space import STATIC
from jobs.simulation.lookalikes.circle import gather, premises
from jobs.simulation.world import World

_SHIFT_NOISE_US = 20 * 60 * 1_000_000


def plant(world: World, rng: np.random.Generator) -> None:
    """80 to 300 workers on two addresses, their day in step within twenty minutes."""
    dorms = gather(world, "factory_dorm", 0.005, (80, 300), rng)
    people, account = world.people, dorms.account
    people.home[account] = premises(world, dorms, "residential", 2, STATIC)
    people.away_ratio[account] *= 0.3
    noise = rng.normal(0, _SHIFT_NOISE_US, len(account)).astype(np.int64)
    people.offset[account] = people.offset[dorms.first][dorms.circle] + noise
