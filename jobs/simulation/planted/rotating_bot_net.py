"""A bot net behind rotating proxies: emulators with device ids of their own, one pool of addresses.

Modelled on the bot accounts of BotGraph (Zhao et al., NSDI 2009) and EvilCohort (Stringhini et al.,
USENIX Security 2015), which share many addresses in many autonomous systems, one at a time.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind, Pool

ROTATING_BOT_NET = PlantedKind(
    name="rotating_bot_net",
    share=0.004,
    tactics=(
        Tactic(Event.COMMENT, Aim.CLIENT_POST, window_s=240, rounds=3, participation=0.6),
        Tactic(Event.LIKE, Aim.CLIENT_POST, window_s=120, rounds=3, participation=0.6),
    ),
    age_days=(10, 200),
    pool=Pool("hosting", addresses=24, across_providers=True),
    clients=6,
)
