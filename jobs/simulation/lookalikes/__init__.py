"""The innocent look-alikes: each file plants one family, and this list is the registry."""

from collections.abc import Callable

import numpy as np

from jobs.simulation.lookalikes import (
    activists,
    campuses,
    carrier_nat,
    cloned_devices,
    factory_dorms,
    fan_communities,
    households,
    internet_cafes,
    news_agencies,
    offices,
    resold_phones,
    scheduler_users,
    school_tablets,
    talent_agencies,
    viral_hash,
    vpn_users,
)
from jobs.simulation.world import World

LOOKALIKES: tuple[Callable[[World, np.random.Generator], None], ...] = (
    households.plant,
    offices.plant,
    campuses.plant,
    school_tablets.plant,
    internet_cafes.plant,
    factory_dorms.plant,
    resold_phones.plant,
    cloned_devices.plant,
    scheduler_users.plant,
    talent_agencies.plant,
    fan_communities.plant,
    activists.plant,
    news_agencies.plant,
    vpn_users.plant,
    viral_hash.plant,
    carrier_nat.plant,
)
"""Planted after the abusive kinds; the last two describe accounts that others may have taken."""
