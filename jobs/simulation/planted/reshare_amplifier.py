"""Fast reshare: bots pass on what an author posts within seconds, before any person could read it.

Modelled on the rapid retweets of Pacheco et al. (ICWSM 2021) and Luceri et al. (WWW 2024), whose
window is ten seconds. The authors have often not asked for it.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind, Pool
from jobs.simulation.world import Role

RESHARE_AMPLIFIER = PlantedKind(
    name="reshare_amplifier",
    share=0.002,
    tactics=(Tactic(Event.SHARE, Aim.CLIENT_CONTENT, window_s=8, rounds=8, participation=0.7),),
    age_days=(20, 400),
    accounts_per_device=6,
    pool=Pool("hosting", addresses=4),
    clients=4,
    client_role=Role.ORIGINATOR,
)
