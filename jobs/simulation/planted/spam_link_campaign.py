"""A spam link campaign: bought accounts that write one text after another to strangers.

Modelled on the waves of Gao et al. (IMC 2010), whose messages differ between campaigns and not
within, on the changing links of Grier et al. (CCS 2010), and on the accounts that merchants
register in bulk and sell (Thomas et al., USENIX Security 2013): rented servers, several accounts
on each.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind, Pool

SPAM_LINK_CAMPAIGN = PlantedKind(
    name="spam_link_campaign",
    share=0.002,
    tactics=(Tactic(Event.MESSAGE, Aim.STRANGERS, window_s=1200, rounds=8, participation=0.7),),
    age_days=(2, 45),
    batch_hours=3,
    accounts_per_device=4,
    pool=Pool("hosting", addresses=6, across_providers=True),
    on_request=True,
)
