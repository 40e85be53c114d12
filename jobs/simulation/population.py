"""The accounts of the platform: who they are, when they are awake, what they connect with."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from jobs.simulation.address_space import STATIC, Places, Providers
from jobs.simulation.arrays import DAY, Array
from jobs.simulation.geography import MARKETS
from jobs.simulation.identifiers import Identifiers, Space
from jobs.simulation.rhythm import heavy_tail
from jobs.simulation.settings import Settings

DEVICES = 3
"""An account uses up to so many devices: mostly the first, seldom the last."""
NOWHERE = -1
_PLATFORM_DAYS = 6 * 365
HABIT_US = 4_680_000_000
"""People are earlier or later than their time zone by 1.3 hours (one standard deviation)."""
ACCOUNTS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("created_at", pa.timestamp("us", tz="UTC")),
        ("market", pa.string()),
        ("time_zone", pa.string()),
        ("verified", pa.bool_()),
        ("followers", pa.int64()),
    ]
)


@dataclass
class Population:
    """One entry an account in every array; planning writes them, then they change only by day."""

    market: Array
    zone: Array
    """Number of the time zone within the market."""
    offset: Array
    """Local time minus UTC, in microseconds, with the account's habit of being early or late."""
    created: Array
    """Microseconds since 1970."""
    rate: Array
    """Mean number of ordinary events a day."""
    popular: Array
    """Accounts from the most to the least followed."""
    verified: Array
    device: Array
    """Device numbers, shape (accounts, 3); those with fewer repeat the first."""
    home: Array
    """Place where the account is unless it is away or at work."""
    away: Array
    """Place on the move: a carrier's NAT, or an operator's shared pool."""
    away_ratio: Array
    work: Array
    """Place during office hours of weekdays, or NOWHERE."""

    def __len__(self) -> int:
        return len(self.market)

    def table(self, identifiers: Identifiers) -> pa.Table:
        """The optional input `accounts`."""
        followers = np.empty(len(self), dtype=np.int64)
        followers[self.popular] = 3 * len(self) // (np.arange(len(self)) + 5)
        zones = [[zone.name for zone in market.zones] for market in MARKETS]
        columns = [
            identifiers.short(Space.ACCOUNT, np.arange(len(self))),
            pa.array(self.created).cast(ACCOUNTS_SCHEMA.field("created_at").type),
            pa.array([MARKETS[m].country for m in self.market.tolist()]),
            pa.array(
                [zones[m][z] for m, z in zip(self.market.tolist(), self.zone.tolist(), strict=True)]
            ),
            pa.array(self.verified),
            pa.array(followers),
        ]
        return pa.Table.from_arrays(columns, schema=ACCOUNTS_SCHEMA).sort_by("account_id")


def carriers(providers: Providers, places: Places, settings: Settings) -> dict[int, Array]:
    """Each market's carriers as places: few public addresses in many /24s for all subscribers."""
    nat = {}
    for market, place in enumerate(MARKETS):
        first, count = providers.of(market, "mobile")
        slots = 40 + int(settings.accounts * place.share / 250)
        nat[market] = places.add(np.arange(first, first + count), 1, slots, STATIC)
    return nat


def build_population(
    settings: Settings,
    providers: Providers,
    places: Places,
    nat: dict[int, Array],
    rng: np.random.Generator,
) -> Population:
    """Ordinary people, each with a home, one to three devices and a phone on a carrier."""
    size = settings.accounts
    market = rng.choice(len(MARKETS), size, p=[m.share for m in MARKETS]).astype(np.int8)
    zone = np.zeros(size, dtype=np.int8)
    offset = np.zeros(size, dtype=np.int64)
    provider = np.zeros(size, dtype=np.int32)
    away = np.zeros(size, dtype=np.int32)
    away_ratio = rng.beta(1.2, 4, size)
    for number, place in enumerate(MARKETS):
        here = np.flatnonzero(market == number)
        zone[here] = rng.choice(len(place.zones), len(here), p=[z.share for z in place.zones])
        offset[here] = np.array([z.offset_minutes * 60_000_000 for z in place.zones])[zone[here]]
        first, count = providers.of(number, "residential")
        provider[here] = first + np.minimum(rng.geometric(0.45, len(here)) - 1, count - 1)
        carrier = np.minimum(rng.geometric(0.55, len(here)) - 1, len(nat[number]) - 1)
        away[here] = nat[number][carrier]
        away_ratio[here[rng.random(len(here)) < place.mobile_only]] = 0.97
    devices = np.arange(size, dtype=np.int64)[:, None] * DEVICES + np.arange(DEVICES)
    owned = 1 + (rng.random(size) < 0.3).astype(np.int8) + (rng.random(size) < 0.08)
    lacking = np.arange(DEVICES)[None, :] >= owned[:, None]
    return Population(
        market=market,
        zone=zone,
        offset=offset + rng.normal(0, HABIT_US, size).astype(np.int64),
        created=_creation(settings, size, rng),
        rate=settings.events_per_account_day * heavy_tail(rng, size, 1.6, 120),
        popular=rng.permutation(size),
        verified=rng.random(size) < 0.01,
        device=np.where(lacking, devices[:, :1], devices),
        home=places.add(provider, 1, 1, rng.integers(3, 60, size)),
        away=away,
        away_ratio=away_ratio,
        work=np.full(size, NOWHERE, dtype=np.int32),
    )


def _creation(settings: Settings, size: int, rng: np.random.Generator) -> Array:
    """Creation times over six years of growth; about three accounts in a thousand a day are new."""
    end = settings.start + settings.days * DAY
    oldest = settings.start - _PLATFORM_DAYS * DAY
    age = rng.exponential(330, size) * DAY
    return np.maximum(end - age.astype(np.int64), oldest + rng.integers(0, 60 * DAY, size))
