"""A device farm: racks of phones, each with many accounts, that sell follows and likes.

Modelled on the farms behind SynchroTrap's follow clusters (Cao et al., CCS 2014) and on the
shared-device pairs of Ianus (Yuan et al., CCS 2019): a dozen accounts a phone, one or two lines.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind, Pool

DEVICE_FARM = PlantedKind(
    name="device_farm",
    share=0.004,
    tactics=(
        Tactic(Event.FOLLOW, Aim.CLIENT, window_s=300, rounds=2),
        Tactic(Event.LIKE, Aim.CLIENT_POST, window_s=120, rounds=3, participation=0.6),
    ),
    age_days=(5, 120),
    accounts_per_device=12,
    pool=Pool("residential", addresses=2),
    clients=12,
)
