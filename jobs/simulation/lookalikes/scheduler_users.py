"""Scheduler users: a shared tool publishes their posts on the quarter hour, from its servers.

Timing and addresses agree to the second; the contents are each user's own. No device is involved.
"""

import numpy as np

from jobs.simulation.actions import NO_DEVICE, Event
from jobs.simulation.address_space import STATIC
from jobs.simulation.lookalikes.circle import gather, perform, premises
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.world import World

_QUEUE = Tactic(
    Event.POST, Aim.OWN, window_s=2, rounds=8, participation=0.25, on_the_quarter_hour=True
)


def plant(world: World, rng: np.random.Generator) -> None:
    """Tools with 60 to 500 users and three servers."""
    tools = gather(world, "scheduler_users", 0.01, (60, 500), rng, neighbours=False)
    servers = premises(world, tools, "hosting", 3, STATIC)
    perform(world, tools, _QUEUE, place=servers, device=NO_DEVICE)
