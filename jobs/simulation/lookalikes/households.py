"""Households: families behind one residential line, many with a tablet that everybody uses.

The commonest way in which innocent people share a device and an address; Ianus (Yuan et al., CCS
2019) had most of its false positives in clusters this small.
"""

import numpy as np

from jobs.simulation.lookalikes.circle import gather
from jobs.simulation.world import World

_TABLET_RATIO = 0.4


def plant(world: World, rng: np.random.Generator) -> None:
    """Families of two to five."""
    families = gather(world, "household", 0.10, (2, 5), rng)
    people, account = world.people, families.account
    people.home[account] = people.home[families.first][families.circle]
    tablet = world.new_devices(families.count)[families.circle]
    has_tablet = (rng.random(families.count) < _TABLET_RATIO)[families.circle]
    people.device[account, 1] = np.where(has_tablet, tablet, people.device[account, 1])
