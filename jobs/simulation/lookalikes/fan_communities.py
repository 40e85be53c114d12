"""Fan communities: people who pass on a star's posts soon after they appear, day after day."""

import numpy as np

from jobs.simulation.actions import Event
from jobs.simulation.lookalikes.circle import gather, perform
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.world import World

_DEVOTION = Tactic(
    Event.SHARE, Aim.CLIENT_CONTENT, window_s=900, rounds=2, participation=0.4, reaction=True
)


def plant(world: World, rng: np.random.Generator) -> None:
    """30 to 150 fans of a star, half of whose shares come within a quarter of an hour."""
    fandoms = gather(world, "fan_community", 0.01, (30, 150), rng, neighbours=False)
    perform(world, fandoms, _DEVOTION, leaders=world.celebrities(fandoms.count, rng))
