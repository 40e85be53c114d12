"""A copypasta ring: people with phones and lines of their own who paste the same texts in step.

Modelled on co-tweet networks (Graham et al., coordination-network-toolkit) and the copied posts
that CooRTweet finds (Righetti and Balluff): the same content within half a minute, again and again.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind

COPYPASTA_RING = PlantedKind(
    name="copypasta_ring",
    share=0.003,
    tactics=(Tactic(Event.POST, Aim.CONTENT, window_s=30, rounds=5, participation=0.7),),
    age_days=(30, 900),
)
