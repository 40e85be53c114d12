"""School tablets: a class takes turns with a cart of tablets; classes share the school's line."""

import numpy as np

from jobs.simulation.address_space import STATIC
from jobs.simulation.lookalikes.circle import gather, premises, shared_devices
from jobs.simulation.world import World

_TABLETS, _CLASSES = 12, 5


def plant(world: World, rng: np.random.Generator) -> None:
    """Classes of 20 to 30 with twelve tablets."""
    classes = gather(world, "school_tablets", 0.01, (20, 30), rng)
    people, account = world.people, classes.account
    people.work[account] = premises(world, classes, "education", 2, STATIC, per_place=_CLASSES)
    people.device[account, 1:] = shared_devices(world, classes, _TABLETS, 2, rng)
