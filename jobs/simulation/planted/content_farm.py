"""A content-farm syndicate: pages of invented names that publish one stream, for weeks.

Modelled on the coordinated link sharing of Giglietto et al. (Information, Communication and
Society, 2020): the same links within a minute, day after day, from pages that do not say who owns
them. It is a business that lives on the traffic: one desk writes for all of them, every day.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind, Pool

CONTENT_FARM = PlantedKind(
    name="content_farm",
    share=0.002,
    tactics=(Tactic(Event.POST, Aim.CONTENT, window_s=60, rounds=8, participation=0.6),),
    age_days=(90, 900),
    accounts_per_device=5,
    pool=Pool("residential", addresses=2),
    never_rests=True,
    on_request=True,
)
