"""Hijacked accounts: other people's, taken over by credential stuffing, used beside their owners.

Modelled on COMPA (Egele et al., NDSS 2013): an account breaks with its own history (new device, new
network) at the moment when it begins to say what others say. The owners are victims.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind, Pool

HIJACKED_ACCOUNTS = PlantedKind(
    name="hijacked_accounts",
    share=0.0015,
    tactics=(
        Tactic(Event.POST, Aim.CONTENT, window_s=60, rounds=4, participation=0.7),
        Tactic(Event.MESSAGE, Aim.CLIENT, window_s=120, rounds=2, participation=0.5),
    ),
    age_days=(100, 2000),
    accounts_per_device=10,
    pool=Pool("hosting", addresses=6, across_providers=True),
    clients=10,
    hijacks=True,
)
