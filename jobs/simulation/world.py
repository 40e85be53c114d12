"""The plan of a simulation: the internet, the people, who is in which network, and the truth."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pyarrow as pa

from jobs.simulation.address_space import Places, Providers, build_providers
from jobs.simulation.arrays import Array, stream
from jobs.simulation.identifiers import Identifiers, Space
from jobs.simulation.network import Network
from jobs.simulation.population import DEVICES, Population, build_population, carriers
from jobs.simulation.settings import Settings

TRUTH_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("network", pa.string()),
        ("kind", pa.string()),
        ("role", pa.string()),
        ("planted", pa.bool_()),
        ("note", pa.string()),
    ]
)
_RESERVE_RATIO = 0.35


class Role(StrEnum):
    """What an account is in a network."""

    ACTOR = "actor"
    COMPROMISED = "compromised"
    TARGET = "target"
    ORIGINATOR = "originator"
    BYSTANDER = "bystander"


@dataclass(frozen=True)
class Change:
    """Values of one column of the population that some accounts get at the start of a day."""

    day: int
    column: str
    accounts: Array
    values: Array | float


@dataclass
class World:
    """What the planted kinds and look-alikes are planned into.

    `take` gives each account to at most one of them; a reserve is never given away, so that victims
    are ordinary people.
    """

    settings: Settings
    providers: Providers
    places: Places
    carriers: dict[int, Array]
    people: Population
    order: Array
    networks: list[Network] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    _taken: int = 0
    _devices: int = 0
    _truth: list[pa.Table] = field(default_factory=list)

    def take(self, count: int) -> Array:
        """So many accounts that nobody has taken yet, at random; ValueError when there are too few."""
        if self._taken + count > len(self.order) * (1 - _RESERVE_RATIO):
            raise ValueError(
                f"{self.settings.accounts} accounts are too few for all planned networks; ask for more"
            )
        self._taken += count
        return self.order[self._taken - count : self._taken]

    def ordinary(self, count: int, rng: np.random.Generator) -> Array:
        """Different accounts from the reserve of those that nobody takes."""
        reserve = self.order[int(len(self.order) * (1 - _RESERVE_RATIO)) + 1 :]
        return rng.choice(reserve, min(count, len(reserve)), replace=False)

    def new_devices(self, count: int) -> Array:
        """Numbers of devices that no account has."""
        self._devices += count
        last = self.settings.accounts * DEVICES + self._devices
        return np.arange(last - count, last, dtype=np.int64)

    def record(self, network: str, kind: str, role: Role, accounts: Array, note: str = "") -> None:
        """Write accounts into the truth; actors and compromised accounts count as planted."""
        size = len(accounts)
        planted = role in (Role.ACTOR, Role.COMPROMISED)
        identifiers = Identifiers(self.settings.seed).short(Space.ACCOUNT, accounts)
        constants = [network, kind, str(role), planted, note]
        columns = [pa.repeat(pa.scalar(value), size) for value in constants]
        self._truth.append(pa.Table.from_arrays([identifiers, *columns], schema=TRUTH_SCHEMA))

    def truth(self) -> pa.Table:
        """The truth: a row an account and network; key account_id, network."""
        keys = [("network", "ascending"), ("account_id", "ascending")]
        return pa.concat_tables(self._truth).sort_by(keys)


def empty_world(settings: Settings) -> World:
    """A world of ordinary people only."""
    rng = stream(settings.seed, 0)
    providers = build_providers(settings, rng)
    places = Places(providers)
    nat = carriers(providers, places, settings)
    people = build_population(settings, providers, places, nat, rng)
    return World(settings, providers, places, nat, people, rng.permutation(settings.accounts))
