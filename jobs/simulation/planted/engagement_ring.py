"""An engagement ring: real-looking people who follow and like, in step, whoever paid.

Modelled on CopyCatch's lockstep likes (Beutel et al., WWW 2013) and SynchroTrap's Instagram follows
(Cao et al., CCS 2014): own phones, own lines, the same targets within a minute or two. The targets
paid, or were picked to look natural; either way they are not the ones who act.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind

ENGAGEMENT_RING = PlantedKind(
    name="engagement_ring",
    share=0.003,
    tactics=(
        Tactic(Event.FOLLOW, Aim.CLIENT, window_s=90, rounds=3, participation=0.7),
        Tactic(Event.LIKE, Aim.CLIENT_POST, window_s=45, rounds=5, participation=0.7),
    ),
    age_days=(60, 1200),
    clients=20,
)
