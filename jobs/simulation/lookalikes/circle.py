"""Circles of innocent people: who belongs together, and what they share."""

from dataclasses import dataclass

import numpy as np

from jobs.simulation.actions import NONE
from jobs.simulation.arrays import Array
from jobs.simulation.network import Network, Tactic
from jobs.simulation.world import Role, World


@dataclass(frozen=True)
class Circles:
    """All circles of one family; arrays have one entry an account."""

    kind: str
    account: Array
    circle: Array
    """Number of the circle, from 0."""

    @property
    def count(self) -> int:
        """How many circles there are."""
        return int(self.circle[-1]) + 1

    @property
    def first(self) -> Array:
        """The first account of each circle, which stands for where it is."""
        return self.account[np.searchsorted(self.circle, np.arange(self.count))]


def gather(
    world: World,
    kind: str,
    share: float,
    size: tuple[int, int],
    rng: np.random.Generator,
    neighbours: bool = True,
) -> Circles:
    """Take a share of all accounts and divide them into circles of some size (from, to).

    Neighbours live in the same market and zone. Small platforms get smaller circles, so that every
    family is there. The truth lists all of them as bystanders.
    """
    low, high = (min(limit, max(3, world.settings.accounts // 50)) for limit in size)
    budget = max(int(share * world.settings.accounts), low)
    sizes = rng.integers(low, high + 1, budget // low + 1)
    sizes = sizes[: max(1, int(np.searchsorted(np.cumsum(sizes), budget, side="right")))]
    account = world.take(int(sizes.sum()))
    if neighbours:
        people = world.people
        account = account[np.lexsort((people.zone[account], people.market[account]))]
    circles = Circles(kind, account, np.repeat(np.arange(len(sizes)), sizes))
    world.record_circles(kind, circles.account, circles.circle)
    return circles


def premises(
    world: World, circles: Circles, provider_kind: str, slots: int, lease: int, per_place: int = 1
) -> Array:
    """A place for every so many circles, as a column over the accounts."""
    heads = circles.first[::per_place]
    market = world.people.market[heads].tolist()
    provider = np.array([world.providers.of(number, provider_kind)[0] for number in market])
    place: Array = world.places.add(provider, 1, slots, lease)[circles.circle // per_place]
    return place


def shared_devices(
    world: World, circles: Circles, each: int, columns: int, rng: np.random.Generator
) -> Array:
    """Each account's devices among `each` of its circle, drawn at random, one a column."""
    devices = world.new_devices(circles.count * each).reshape(circles.count, each)
    choice = rng.integers(0, each, (len(circles.account), columns))
    chosen: Array = devices[circles.circle[:, None], choice]
    return chosen


def perform(
    world: World,
    circles: Circles,
    tactic: Tactic,
    leaders: Array | None = None,
    place: Array | None = None,
    device: int = NONE,
) -> None:
    """Let each circle act in rounds; `leaders` has the account that each circle follows."""
    for number in range(circles.count):
        rows = np.flatnonzero(circles.circle == number)
        network = Network(
            name=f"{circles.kind}-{number + 1}",
            kind=circles.kind,
            members=circles.account[rows],
            tactics=(tactic,),
        )
        if leaders is not None:
            network.clients = leaders[number : number + 1]
            world.record(network.name, circles.kind, Role.ORIGINATOR, network.clients)
        if place is not None:
            network.place = place[rows]
            network.device = np.full(len(rows), device, dtype=np.int64)
        world.performers.append(network)
