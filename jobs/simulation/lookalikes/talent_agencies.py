"""Talent agencies: managers run their talents' accounts from one office on three phones, openly.

Shared devices, a shared line and an agency campaign that all talents pass on: everything that a
device farm has, except that the people are who they say.
"""

import numpy as np

from jobs.simulation.actions import Event
from jobs.simulation.address_space import STATIC
from jobs.simulation.lookalikes.circle import gather, perform, premises, shared_devices
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.world import World

_CAMPAIGN = Tactic(
    Event.SHARE, Aim.CLIENT_CONTENT, window_s=1800, rounds=1, participation=0.7, reaction=True
)
_MANAGERS = 3


def plant(world: World, rng: np.random.Generator) -> None:
    """Agencies with 10 to 40 talents."""
    agencies = gather(world, "talent_agency", 0.002, (10, 40), rng)
    people, account = world.people, agencies.account
    people.work[account] = premises(world, agencies, "business", 1, STATIC)
    people.device[account, 1:] = shared_devices(world, agencies, _MANAGERS, 2, rng)
    perform(world, agencies, _CAMPAIGN, leaders=world.celebrities(agencies.count, rng))
