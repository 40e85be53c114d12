"""Cloned device ids: cheap phones whose firmware gives all of them one id; owners are strangers."""

import numpy as np

from jobs.simulation.lookalikes.circle import gather, shared_devices
from jobs.simulation.world import World


def plant(world: World, rng: np.random.Generator) -> None:
    """30 to 400 strangers in any market with one device id."""
    models = gather(world, "cloned_device_id", 0.004, (30, 400), rng, neighbours=False)
    world.people.device[models.account] = shared_devices(world, models, 1, 1, rng)
