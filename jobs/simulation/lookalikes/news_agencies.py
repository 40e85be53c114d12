"""News agencies: syndicates publish what their agency sends within minutes, all day long.

The best-known cluster of CooRTweet's German data is one publisher's pages.
"""

import numpy as np

from jobs.simulation.actions import Event
from jobs.simulation.lookalikes.circle import gather, perform
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.world import World

_WIRE = Tactic(Event.POST, Aim.CLIENT_CONTENT, window_s=180, rounds=12, participation=0.5)


def plant(world: World, rng: np.random.Generator) -> None:
    """10 to 30 syndicates of an agency; both are verified."""
    wires = gather(world, "news_agency", 0.001, (10, 30), rng)
    agencies = world.celebrities(wires.count, rng)
    world.people.verified[wires.account] = True
    world.people.verified[agencies] = True
    perform(world, wires, _WIRE, leaders=agencies)
