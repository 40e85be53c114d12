"""Carrier NAT: all subscribers of a mobile carrier behind few public addresses in many /24s.

One IPv4 address may stand for hundreds or thousands of people (Cloudflare, 2025). Who is there was
decided with the population; this only writes it into the truth.
"""

import numpy as np

from jobs.simulation.world import World

_MOSTLY = 0.9


def plant(world: World, rng: np.random.Generator) -> None:
    """Everyone who is nearly always on a carrier's network."""
    people = world.people
    carriers = np.concatenate(list(world.carriers.values()))
    there = (people.away_ratio > _MOSTLY) & np.isin(people.away, carriers)
    account = np.flatnonzero(there & ~world.planted)
    world.record_circles("carrier_nat", account, np.searchsorted(carriers, people.away[account]))
