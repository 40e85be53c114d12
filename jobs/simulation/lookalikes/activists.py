"""Activists: supporters who paste a campaign's text within hours of the call, under their names.

Coordinated and authentic: the difference that the literature insists on (Mannocci et al., 2024).
"""

import numpy as np

from jobs.simulation.actions import Event
from jobs.simulation.lookalikes.circle import gather, perform
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.world import World

_CALL = Tactic(Event.POST, Aim.CONTENT, window_s=3600, rounds=0.8, participation=0.5, reaction=True)


def plant(world: World, rng: np.random.Generator) -> None:
    """20 to 120 supporters of a campaign."""
    campaigns = gather(world, "activists", 0.006, (20, 120), rng, neighbours=False)
    perform(world, campaigns, _CALL)
