"""The plan of a simulation: the internet, the people, who is in which network, and the truth."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
import pyarrow as pa

from jobs.errors import ConfigError
from jobs.simulation.actions import Actions
from jobs.simulation.address_space import Places, Providers, build_providers
from jobs.simulation.arrays import Array, stream
from jobs.simulation.identifiers import Identifiers, Space
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


class Performer(Protocol):
    """Accounts that act together."""

    def act(self, day: int, people: Population, number: int, rng: np.random.Generator) -> Actions:
        """What they do on a day; `number` tells this performer from all others."""
        ...


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
    """Accounts that may be taken, in the order in which they are."""
    reserve: Array
    """Accounts that are never taken, older than the log."""
    planted: Array
    """Whether an account is in a planted network."""
    performers: list[Performer] = field(default_factory=list)
    """All who act together, planted or not."""
    changes: list[Change] = field(default_factory=list)
    _taken: int = 0
    _devices: int = 0
    _truth: list[tuple[Array, list[str], str, Role, str]] = field(default_factory=list)

    def take(self, count: int) -> Array:
        """So many accounts that nobody has taken yet; ConfigError when too few are left."""
        if self._taken + count > len(self.order):
            raise ConfigError(
                f"{self.settings.accounts} accounts are too few for all networks; ask for more"
            )
        self._taken += count
        return self.order[self._taken - count : self._taken]

    def ordinary(self, count: int, rng: np.random.Generator) -> Array:
        """Different accounts from the reserve of those that nobody takes."""
        return rng.choice(self.reserve, min(count, len(self.reserve)), replace=False)

    def celebrities(self, count: int, rng: np.random.Generator) -> Array:
        """Different well-followed accounts from the same reserve."""
        famous = self.people.popular[np.isin(self.people.popular, self.reserve)]
        return rng.choice(famous[: max(count, len(famous) // 50)], count, replace=False)

    def new_devices(self, count: int) -> Array:
        """Numbers of devices that no account has."""
        self._devices += count
        last = self.settings.accounts * DEVICES + self._devices
        return np.arange(last - count, last, dtype=np.int64)

    def record(self, network: str, kind: str, role: Role, accounts: Array, note: str = "") -> None:
        """Write accounts of one network into the truth."""
        self._truth.append((accounts, [network] * len(accounts), kind, role, note))

    def record_circles(self, kind: str, accounts: Array, circle: Array) -> None:
        """Write innocent circles into the truth; `circle` numbers each account's, from 0."""
        names = [f"{kind}-{number + 1}" for number in circle.tolist()]
        self._truth.append((accounts, names, kind, Role.BYSTANDER, ""))

    def truth(self, seen: Array) -> pa.Table:
        """The truth about the accounts that are seen in the log (a mask over all accounts).

        Grain: an account in a network; key network, account_id. Actors and compromised accounts are
        planted. A planted account that never acts is a sleeper and stays in.
        """
        identifiers = Identifiers(self.settings.seed)
        tables = []
        for accounts, networks, kind, role, note in self._truth:
            planted = role in (Role.ACTOR, Role.COMPROMISED)
            constants = [kind, str(role), planted, note]
            columns: Sequence[pa.Array] = [
                identifiers.short(Space.ACCOUNT, accounts),
                pa.array(networks, pa.string()),
                *(pa.repeat(pa.scalar(value), len(accounts)) for value in constants),
            ]
            table = pa.Table.from_arrays(list(columns), schema=TRUTH_SCHEMA)
            tables.append(table.filter(pa.array(seen[accounts] | planted)))
        keys = [("network", "ascending"), ("account_id", "ascending")]
        return pa.concat_tables(tables).sort_by(keys)


def empty_world(settings: Settings) -> World:
    """A world of ordinary people only."""
    rng = stream(settings.seed, 0)
    providers = build_providers(settings, rng)
    places = Places(providers)
    nat = carriers(providers, places, settings)
    people = build_population(settings, providers, places, nat, rng)
    order = rng.permutation(settings.accounts)
    order, reserve = np.split(order, [int(settings.accounts * (1 - _RESERVE_RATIO))])
    return World(
        settings=settings,
        providers=providers,
        places=places,
        carriers=nat,
        people=people,
        order=order,
        reserve=reserve[people.created[reserve] < settings.start],
        planted=np.zeros(settings.accounts, dtype=bool),
    )
