"""A sleeper network: accounts made long ago, idle, that wake on one day and push the same contents.

Modelled on the aged accounts that platforms describe in takedown reports and that DISARM lists as
T0090.001 and T0145 (prepared inauthentic assets): nothing for months, then everything in a day.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind, Pool

SLEEPER_NETWORK = PlantedKind(
    name="sleeper_network",
    share=0.002,
    tactics=(
        Tactic(Event.POST, Aim.CONTENT, window_s=60, rounds=4, participation=0.7),
        Tactic(Event.SHARE, Aim.CONTENT, window_s=60, rounds=4, participation=0.7),
    ),
    age_days=(300, 1500),
    pool=Pool("vpn", addresses=12),
    sleeps=True,
)
