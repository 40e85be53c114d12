"""Resold phones: one person's device becomes another's on some day, factory reset in between."""

import numpy as np

from jobs.simulation.lookalikes.circle import gather
from jobs.simulation.world import Change, World


def plant(world: World, rng: np.random.Generator) -> None:
    """Pairs of a seller, who goes on with a new phone, and a buyer."""
    pairs = gather(world, "resold_phone", 0.004, (2, 2), rng)
    people = world.people
    seller, buyer = pairs.account[::2], pairs.account[1::2]
    old, new = people.device[seller].copy(), world.new_devices(len(seller))
    sold_on = rng.integers(1, max(2, world.settings.days), len(seller))
    for day in np.unique(sold_on).tolist():
        on = np.flatnonzero(sold_on == day)
        world.changes.append(Change(day, "device", seller[on], new[on, None]))
        world.changes.append(Change(day, "device", buyer[on], old[on, :1]))
