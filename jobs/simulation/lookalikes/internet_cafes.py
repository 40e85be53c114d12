"""Internet cafés: patrons without a computer, on any of a dozen machines of one line."""

import numpy as np

from jobs.simulation.address_space import STATIC
from jobs.simulation.lookalikes.circle import gather, premises, shared_devices
from jobs.simulation.population import DEVICES
from jobs.simulation.world import World

_MACHINES = 14


def plant(world: World, rng: np.random.Generator) -> None:
    """40 to 150 patrons on fourteen machines."""
    cafes = gather(world, "internet_cafe", 0.003, (40, 150), rng)
    people, account = world.people, cafes.account
    people.home[account] = premises(world, cafes, "business", 1, STATIC)
    people.away_ratio[account] = 0.0
    people.device[account] = shared_devices(world, cafes, _MACHINES, DEVICES, rng)
