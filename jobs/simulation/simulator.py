"""Plans a world and plays it day by day, in memory bounded by accounts, not by events."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from jobs.simulation import planted
from jobs.simulation.actions import Actions, Realm, concatenate
from jobs.simulation.arrays import DAY, Array, stream
from jobs.simulation.background import live, sign_up
from jobs.simulation.event_rows import EventRows, locate
from jobs.simulation.identifiers import Identifiers
from jobs.simulation.planted.recruit import recruit
from jobs.simulation.rhythm import trends
from jobs.simulation.settings import Settings
from jobs.simulation.tables import ROW_GROUP, event_table, write_events
from jobs.simulation.world import World, empty_world

_MOST_TREND_SHARES = 1 << 19
_ROWS_PER_BLOCK = ROW_GROUP * 7 // 8
_CONFIG = """\
events:
  path: {folder}/events
  format: parquet
inputs:
  accounts: {folder}/accounts
  ip_networks: {folder}/ip_networks
"""
# First parts of the random streams' keys, so that no two parts of the simulation share a stream.
_PLAN, _NETWORKS, _BLOCKS, _TRENDS = 1, 3, 4, 5


def plan_world(settings: Settings) -> World:
    """Everybody and everything that is decided before the first day."""
    world = empty_world(settings)
    for number, kind in enumerate(planted.KINDS):
        recruit(world, kind, stream(settings.seed, _PLAN, number))
    world.places.seal()
    return world


def play_day(world: World, day: int) -> Iterator[EventRows]:
    """A day's events, block after block of accounts; days must be played in order."""
    settings, people = world.settings, world.people
    for change in world.changes:
        if change.day == day:
            getattr(people, change.column)[change.accounts] = change.values
    midnight = settings.start + day * DAY
    together = _together(world, day, midnight)
    shares = min(int(people.rate.sum() / 4) + 1000, _MOST_TREND_SHARES)
    spreading = trends(
        int(stream(settings.seed, _TRENDS).integers(1 << 62)), Realm.TREND.first(), day, shares
    )
    number = day << 36
    for index, block in enumerate(_blocks(len(people), people.rate)):
        rng = stream(settings.seed, _BLOCKS, day, index)
        alone = live(people, block, day, midnight, Realm.OWN.first() + number, spreading, rng)
        mine = (together.account >= block[0]) & (together.account <= block[-1])
        done = concatenate([alone, together.take(mine)])
        workday = settings.ds(day).weekday() < 5
        yield locate(done, people, world.places, day, midnight, workday, number)
        number += len(done)


def simulate(settings: Settings, out: Path) -> int:
    """Write events, accounts, ip_networks, truth and config.yaml under `out`; returns the events."""
    world = plan_world(settings)
    identifiers = Identifiers(settings.seed)
    tables = {
        "accounts": world.people.table(identifiers),
        "ip_networks": world.providers.table(settings, stream(settings.seed, 2)),
        "truth": world.truth(),
    }
    for name, table in tables.items():
        (out / name).mkdir(parents=True, exist_ok=True)
        pq.write_table(table, out / name / f"{name}.parquet")
    (out / "config.yaml").write_text(_CONFIG.format(folder=out.resolve()), encoding="utf-8")
    events = 0
    for day in range(settings.days):
        folder = out / "events" / f"ds={settings.ds(day)}"
        for part, rows in enumerate(play_day(world, day)):
            table = event_table(rows, world.people.market, identifiers)
            write_events(table, folder / f"part-{part:05d}.parquet")
            events += len(rows)
    return events


def _together(world: World, day: int, midnight: int) -> Actions:
    """What networks do on a day, and who signs up."""
    settings, people = world.settings, world.people
    parts = [sign_up(people, midnight, stream(settings.seed, _NETWORKS, day, 0))]
    for number, network in enumerate(world.networks):
        rng = stream(settings.seed, _NETWORKS, day, number + 1)
        first = Realm.COORDINATED.first(day) + (number << 24)
        offset = int(people.offset[network.members[0]])
        parts.append(network.act(day, offset, first, rng))
    return concatenate(parts)


def _blocks(accounts: int, rate: Array) -> list[Array]:
    """Consecutive accounts whose events of a day fit into one row group."""
    count = max(1, int(np.ceil(rate.sum() / _ROWS_PER_BLOCK)))
    return np.array_split(np.arange(accounts, dtype=np.int32), count)
