"""Offices: colleagues who share one or two addresses from nine to six on weekdays."""

import numpy as np

from jobs.simulation.address_space import STATIC
from jobs.simulation.lookalikes.circle import gather, premises
from jobs.simulation.world import World


def plant(world: World, rng: np.random.Generator) -> None:
    """Ten to eighty colleagues."""
    offices = gather(world, "office", 0.03, (10, 80), rng)
    world.people.work[offices.account] = premises(world, offices, "business", 2, STATIC)
