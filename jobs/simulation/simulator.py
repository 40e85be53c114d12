"""Plans a world and plays it day by day, in memory bounded by accounts, not by events."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.errors import ConfigError
from jobs.simulation.actions import NONE, Actions, Realm, concatenate
from jobs.simulation.arrays import DAY, Array, stream
from jobs.simulation.background import live, sign_up
from jobs.simulation.dirt import soil
from jobs.simulation.event_rows import FLAGGED, EventRows, locate
from jobs.simulation.identifiers import Identifiers
from jobs.simulation.lookalikes import LOOKALIKES
from jobs.simulation.planted import PLANTED_KINDS
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
  accounts: {{path: {folder}/accounts, format: parquet}}
  ip_networks: {{path: {folder}/ip_networks, format: parquet}}
"""
# First parts of the random streams' keys, so that no two parts of the simulation share a stream.
_PLAN, _REGISTRY, _NETWORKS, _BLOCKS, _TRENDS = 1, 2, 3, 4, 5


def plan_world(settings: Settings) -> World:
    """Everybody and everything that is decided before the first day.

    Raises ConfigError where the settings name an unknown kind or too many accounts.
    """
    known = [kind.name for kind in PLANTED_KINDS]
    if unknown := sorted(set(settings.planted) - set(known)):
        raise ConfigError(f"no planted kind {unknown[0]!r}; there are {', '.join(known)}")
    world = empty_world(settings)
    for number, kind in enumerate(PLANTED_KINDS):
        recruit(world, kind, stream(settings.seed, _PLAN, 0, number))
    for number, plant in enumerate(LOOKALIKES):
        plant(world, stream(settings.seed, _PLAN, 1, number))
    _make_unpopular(world)
    world.places.seal()
    return world


def _make_unpopular(world: World) -> None:
    """Nobody follows planted accounts much: those in the upper half of the ranks go to the end."""
    popular = world.people.popular
    too_high = world.planted[popular] & (np.arange(len(popular)) < len(popular) // 2)
    world.people.popular = popular[np.argsort(too_high, kind="stable")]


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
        rows = locate(done, people, world.places, day, midnight, workday, number)
        number += len(rows)
        yield rows if settings.clean else soil(rows, midnight, rng)


def simulate(
    settings: Settings, out: Path, after_day: Callable[[date, int], None] | None = None
) -> int:
    """Write events, accounts, ip_networks, truth and config.yaml; returns how many events.

    `after_day` is called with each day and the events written so far.
    """
    world = plan_world(settings)
    identifiers = Identifiers(settings.seed)
    _make_room(out)
    seen = np.zeros(settings.accounts, dtype=bool)
    (out / "config.yaml").write_text(_CONFIG.format(folder=out.resolve()), encoding="utf-8")
    events = 0
    for day in range(settings.days):
        folder = out / "events" / f"ds={settings.ds(day)}"
        for part, rows in enumerate(play_day(world, day)):
            table = event_table(rows, world.people.market, identifiers)
            write_events(table, folder / f"part-{part:05d}.parquet")
            seen[rows.account[rows.account != NONE] & ~FLAGGED] = True
            events += len(rows)
        if after_day:
            after_day(settings.ds(day), events)
    _write(out, "accounts", world.people.table(identifiers))
    _write(out, "ip_networks", world.providers.table(settings, stream(settings.seed, _REGISTRY)))
    _write(out, "truth", world.truth(seen))
    return events


def _make_room(out: Path) -> None:
    """Empty the folder; raises ConfigError if it holds anything but an earlier simulation."""
    if out.exists() and any(out.iterdir()) and not (out / "config.yaml").exists():
        raise ConfigError(f"{out} is not empty and no simulation; name another folder with --out")
    shutil.rmtree(out / "events", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)


def _write(out: Path, name: str, table: pa.Table) -> None:
    (out / name).mkdir(parents=True, exist_ok=True)
    pq.write_table(table, out / name / f"{name}.parquet", compression="zstd")


def _together(world: World, day: int, midnight: int) -> Actions:
    """What networks do on a day, and who signs up."""
    settings, people = world.settings, world.people
    parts = [sign_up(people, midnight, stream(settings.seed, _NETWORKS, day, 0))]
    for number, performer in enumerate(world.performers):
        rng = stream(settings.seed, _NETWORKS, day, number + 1)
        parts.append(performer.act(day, people, number, rng))
    done = concatenate(parts)
    return done.take(people.created[done.account] <= midnight + done.time)


def _blocks(accounts: int, rate: Array) -> list[Array]:
    """Consecutive accounts whose events of a day fit into one row group."""
    count = max(1, int(np.ceil(rate.sum() / _ROWS_PER_BLOCK)))
    return np.array_split(np.arange(accounts, dtype=np.int32), count)
