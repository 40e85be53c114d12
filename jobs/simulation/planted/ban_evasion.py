"""Ban evasion: accounts that are banned, and new ones that go on with their work on the devices.

Modelled on Niverthi, Verma and Kumar (WWW 2022): who evades a ban comes back soon after it, and
does what the banned account did. Half of the accounts are of the first generation and fall silent
on the day of the ban; the log does not tell why, a site's ledger of decisions does.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind, Pool

BAN_EVASION = PlantedKind(
    name="ban_evasion",
    share=0.002,
    tactics=(
        Tactic(Event.FOLLOW, Aim.CLIENT, window_s=300, rounds=3, participation=0.7),
        Tactic(Event.COMMENT, Aim.CLIENT_POST, window_s=240, rounds=3, participation=0.6),
    ),
    age_days=(10, 200),
    accounts_per_device=6,
    pool=Pool("residential", addresses=2),
    clients=10,
    comes_back=True,
    on_request=True,
)
