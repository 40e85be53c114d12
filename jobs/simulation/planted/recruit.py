"""Makes networks of a planted kind: accounts, equipment, life over the days, victims, truth."""

from dataclasses import replace

import numpy as np

from jobs.simulation.address_space import STATIC
from jobs.simulation.arrays import DAY, HOUR, MICROSECONDS, Array
from jobs.simulation.network import NEVER, Network
from jobs.simulation.planted.kind import PlantedKind, Pool
from jobs.simulation.planted.life import BANNED_AND_BACK, LIVES, Course, Life
from jobs.simulation.population import HABIT_US
from jobs.simulation.world import Change, Role, World

SMALLEST, LARGEST = 5, 200
_MEDIAN, _SPREAD = 24, 0.8
_FEWEST_MEMBERS = 8
_CELLS = 1000
_BURST_S = 600


def sizes(budget: int, rng: np.random.Generator) -> list[int]:
    """Sizes of networks, 5 to 200 with a log-normal spread, that use up a budget of accounts."""
    drawn: list[int] = []
    left = max(budget, _FEWEST_MEMBERS)
    while left >= SMALLEST:
        size = int(np.clip(rng.lognormal(np.log(_MEDIAN), _SPREAD), SMALLEST, LARGEST))
        drawn.append(min(size, left))
        left -= drawn[-1]
    return drawn


def recruit(world: World, kind: PlantedKind, rng: np.random.Generator) -> None:
    """Add all networks of a kind to the world; networks take the lives in LIVES in turn."""
    times = world.settings.planted.get(kind.name, 0.0 if kind.on_request else 1.0)
    if not times:
        return
    budget = int(kind.share * times * world.settings.accounts)
    for number, size in enumerate(sizes(budget, rng)):
        life = LIVES[len(world.performers) % len(LIVES)]
        unfit = world.settings.days < life.least_days or size < life.least_members
        if unfit or kind.begins_later or kind.never_rests:
            life = LIVES[0]
        if kind.comes_back:
            # Those who were banned are a network, and so are those who come back.
            life, size = BANNED_AND_BACK, max(size, 2 * SMALLEST)
        _recruit_network(world, kind, f"{kind.name}-{number + 1}", size, life, rng)


def _recruit_network(
    world: World, kind: PlantedKind, name: str, size: int, life: Life, rng: np.random.Generator
) -> None:
    evasion = world.settings.evasion
    course = life.course(size, world.settings.days, rng)
    if kind.begins_later:
        course = _late(kind, course, world.settings.days, rng)
    squad, squad_later = _with_cells(course, evasion.cell_ratio, rng)
    network = Network(
        name=name,
        kind=kind.name,
        members=world.take(size),
        tactics=kind.tactics,
        evasion=evasion,
        clients=world.ordinary(kind.clients, rng),
        lured=world.ordinary(round(evasion.inflation_ratio * size), rng),
        framed=world.ordinary(round(evasion.framed_ratio * size), rng),
        joins=course.joins,
        leaves=np.where(course.banned, course.noted_day, NEVER),
        quiet=course.quiet,
        squad=squad,
        squad_later=squad_later,
        regroups=course.turns,
    )
    for half in np.unique(course.half):
        part = np.flatnonzero(course.half == half)
        (_intrude if kind.hijacks else _equip)(world, kind, network, part, rng)
    if not kind.hijacks:
        _come_of_age(world, kind, network, course, rng)
    world.performers.append(network)
    world.planted[network.members] = True
    _record(world, kind, network, course)


def _late(kind: PlantedKind, course: Course, days: int, rng: np.random.Generator) -> Course:
    """A life that begins on some day, or in the middle if the accounts need a past in the log."""
    day = int(rng.integers(0, days)) if kind.signs_up_at_once else days // 2
    return replace(course, joins=course.joins + day, note="begins on {}", noted_day=day)


def _with_cells(course: Course, ratio: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """The squads before and after the turn, some accounts in cells of two instead."""
    size = len(course.half)
    pairs = int(ratio * size / 2)
    chosen = rng.permutation(size)[: 2 * pairs]
    cell = np.zeros(size, dtype=np.int64)
    cell[chosen] = _CELLS + np.arange(2 * pairs) // 2
    before, after = course.squads
    return np.where(cell, cell, before), np.where(cell, cell, after)


def _equip(
    world: World, kind: PlantedKind, network: Network, part: Array, rng: np.random.Generator
) -> None:
    """Give the accounts of a part the operator's devices and addresses."""
    people, evasion = world.people, network.evasion
    accounts = network.members[part]
    shared = rng.permutation(len(part)) >= round(evasion.own_device_ratio * len(part))
    if kind.accounts_per_device:
        people.device[accounts[shared]] = _racked(
            world, kind.accounts_per_device, int(shared.sum()), rng
        )
    market = int(people.market[accounts[0]])
    if kind.pool:
        _settle(world, accounts, rng)
    if evasion.addresses:
        people.home[accounts] = _own_places(world, market, len(part), evasion.addresses)
    if kind.pool:
        people.away[accounts] = _pool(world, kind.pool, market)
        people.away_ratio[accounts] = evasion.pool_ratio
    elif evasion.addresses:
        people.away_ratio[accounts] = 0.0


def _settle(world: World, accounts: Array, rng: np.random.Generator) -> None:
    """Let accounts live where the first of them does, as those of one operator."""
    people, first = world.people, accounts[0]
    people.market[accounts] = people.market[first]
    people.zone[accounts] = people.zone[first]
    habit = rng.normal(0, HABIT_US, len(accounts)).astype(np.int64)
    people.offset[accounts] = people.offset[first] + habit


def _racked(world: World, per_device: int, accounts: int, rng: np.random.Generator) -> Array:
    """Devices of accounts that share a rack: a main one each, and two more to fall back on."""
    count = max(1, round(accounts / per_device))
    rack = world.new_devices(count)
    main = np.arange(accounts) % count
    return rack[np.stack([main, (main + 1) % count, rng.integers(0, count, accounts)], axis=1)]


def _intrude(
    world: World, kind: PlantedKind, network: Network, part: Array, rng: np.random.Generator
) -> None:
    """The intruder's devices and addresses, used beside the owners' own."""
    evasion, size = network.evasion, len(network.members)
    if not len(network.device):
        network.device = world.new_devices(size)
        network.place = np.zeros(size, dtype=np.int32)
    shared = rng.permutation(len(part)) >= round(evasion.own_device_ratio * len(part))
    if kind.accounts_per_device:
        rack = _racked(world, kind.accounts_per_device, int(shared.sum()), rng)
        network.device[part[shared]] = rack[:, 0]
    market = int(world.people.market[network.members[part[0]]])
    network.place[part] = _own_places(world, market, len(part), max(1, evasion.addresses))
    if kind.pool:
        pooled = part[rng.random(len(part)) < evasion.pool_ratio]
        network.place[pooled] = _pool(world, kind.pool, market)


def _own_places(world: World, market: int, accounts: int, addresses: int) -> Array:
    """A place an account with so many residential addresses, each in another /24."""
    first, count = world.providers.of(market, "residential")
    return world.places.add(np.full(accounts, first), count, addresses, STATIC)


def _pool(world: World, pool: Pool, market: int) -> int:
    """The place of an operator's shared addresses."""
    first, count = world.providers.of(market, pool.kind)
    providers = count if pool.across_providers else 1
    return int(world.places.add(np.array([first]), providers, pool.addresses, STATIC)[0])


def _come_of_age(
    world: World, kind: PlantedKind, network: Network, course: Course, rng: np.random.Generator
) -> None:
    """When the accounts were made, and how much they do besides (camouflage)."""
    people, members, evasion = world.people, network.members, network.evasion
    begins = world.settings.start + network.joins * DAY
    people.verified[members] = False
    low, high = kind.age_days
    age = rng.integers(low * DAY, high * DAY, len(members))
    people.created[members] = begins - age
    if kind.signs_up_at_once:
        window = (_BURST_S + evasion.jitter_s) * MICROSECONDS
        burst = rng.integers(0, DAY // 2) + rng.random(len(members)) * window
        people.created[members] = begins + burst.astype(np.int64)
    if kind.batch_hours:
        made = begins.min() - rng.integers(low, high) * DAY
        unit = rng.random(len(members))
        people.created[members] = made + (unit * kind.batch_hours * HOUR).astype(np.int64)
    if kind.comes_back:
        back = np.flatnonzero(~course.banned)
        later = (rng.random(len(back)) * DAY / 2).astype(np.int64)
        people.created[members[back]] = begins[back] + later
    covered = evasion.camouflage_ratio / (1 - evasion.camouflage_ratio)
    people.rate[members] = network.events_per_day * covered
    if course.banned.any():
        world.changes.append(Change(course.noted_day, "rate", members[course.banned], 0.0))
    if kind.sleeps:
        for day in np.unique(network.joins).tolist():
            waking = members[network.joins == day]
            world.changes.append(Change(day, "rate", waking, people.rate[waking]))
        people.rate[members] = 0.0


def _record(world: World, kind: PlantedKind, network: Network, course: Course) -> None:
    """Members and victims into the truth; two networks that merge have two names."""
    date = world.settings.ds(course.noted_day)
    note = course.note.format(date)
    role = Role.COMPROMISED if kind.hijacks else Role.ACTOR
    name = network.name
    if course.divided[0]:
        for half, letter in enumerate("ab"):
            part = network.members[course.half == half]
            world.record(f"{name}{letter}", kind.name, role, part, note)
        name += "a"
    elif course.banned.any():
        world.record(name, kind.name, role, network.members[course.banned], note)
        back = f"comes back after {date}"
        world.record(name, kind.name, role, network.members[~course.banned], back)
    else:
        world.record(name, kind.name, role, network.members, note)
    world.record(name, kind.name, kind.client_role, network.clients)
    world.record(name, kind.name, Role.BYSTANDER, network.framed, "framed")
    world.record(name, kind.name, Role.BYSTANDER, network.lured, "lured")
