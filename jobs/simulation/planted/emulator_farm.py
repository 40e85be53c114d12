"""An emulator farm: phones that exist in a data centre only, and work through orders day and night.

Modelled on the farms that anti-fraud teams took apart (IBM Trusteer, 2020: a few emulators that
posed as 16,000 devices) and on the bots of Chu et al. (TDSC 2012), whom no night interrupts: every
account shows a device of its own, a few servers stand behind all of them, and a script acts.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind, Pool

EMULATOR_FARM = PlantedKind(
    name="emulator_farm",
    share=0.002,
    tactics=(
        Tactic(Event.LIKE, Aim.CLIENT_POST, 600, rounds=40, around_the_clock=True),
        Tactic(Event.FOLLOW, Aim.CLIENT, 600, rounds=8, around_the_clock=True),
    ),
    age_days=(3, 90),
    pool=Pool("hosting", addresses=4),
    clients=20,
    on_request=True,
)
