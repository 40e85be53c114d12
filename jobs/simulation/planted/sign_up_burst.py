"""A sign-up burst: a script registers accounts within minutes and puts them to work at once.

Modelled on the registrations of Ianus (Yuan et al., CCS 2019) and LinkedIn's clusters of one
address and one date (Xiao, Freeman and Hwa, AISec 2015): few devices, few addresses, minutes apart.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind, Pool

SIGN_UP_BURST = PlantedKind(
    name="sign_up_burst",
    share=0.002,
    tactics=(Tactic(Event.FOLLOW, Aim.CLIENT, window_s=200, rounds=3, participation=0.6),),
    age_days=(0, 1),
    accounts_per_device=20,
    pool=Pool("residential", addresses=3),
    clients=8,
    signs_up_at_once=True,
)
