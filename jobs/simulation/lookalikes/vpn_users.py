"""VPN users: strangers who come from the same few addresses of a VPN's servers."""

import numpy as np

from jobs.simulation.address_space import STATIC
from jobs.simulation.lookalikes.circle import gather, premises
from jobs.simulation.world import World

_TUNNELLED_RATIO = 0.7


def plant(world: World, rng: np.random.Generator) -> None:
    """100 to 600 customers of a VPN with sixteen addresses."""
    customers = gather(world, "vpn_users", 0.02, (100, 600), rng, neighbours=False)
    people, account = world.people, customers.account
    people.away[account] = premises(world, customers, "vpn", 16, STATIC)
    people.away_ratio[account] = _TUNNELLED_RATIO
