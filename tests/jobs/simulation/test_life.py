"""Networks are born, grow, merge, split and rest, and the truth says when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jobs.simulation.actions import Actions
from jobs.simulation.evasion import Evasion
from jobs.simulation.network import Network
from jobs.simulation.planted.copypasta_ring import COPYPASTA_RING
from jobs.simulation.planted.life import LIVES
from jobs.simulation.settings import Settings
from jobs.simulation.simulator import plan_world
from jobs.simulation.world import World, empty_world
from tests.jobs.simulation.conftest import DAYS, Log

SIZE = 40
# So often that no day passes without a round.
OFTEN = replace(COPYPASTA_RING.tactics[0], rounds=20)


@pytest.fixture(scope="module")
def world() -> World:
    return empty_world(Settings(accounts=1000, days=DAYS))


def _play(world: World, life: int, evasion: Evasion | None = None) -> list[Actions]:
    """What a ring of 40 does on each day of such a life."""
    course = LIVES[life].course(SIZE, DAYS, np.random.default_rng(1))
    before, after = course.squads
    network = Network(
        "ring", "copypasta_ring", world.order[:SIZE], (OFTEN,),
        evasion=evasion or Evasion(), joins=course.joins, quiet=course.quiet,
        squad=before, squad_later=after, regroups=course.turns,
    )  # fmt: skip
    rng = np.random.default_rng(2)
    return [network.act(day, world.people, 0, rng) for day in range(DAYS)]


def _groups(done: Actions) -> int:
    """How many sets of accounts share no content with each other."""
    together: list[set[int]] = []
    for content in np.unique(done.content[done.content >= 0]).tolist():
        members = set(done.account[done.content == content].tolist())
        touching = [group for group in together if group & members]
        together = [group for group in together if not group & members]
        together.append(members.union(*touching))
    return len(together)


def _acting(days: list[Actions]) -> list[int]:
    return [len(np.unique(done.account)) for done in days]


def test_a_steady_network_acts_every_day(world: World) -> None:
    assert min(_acting(_play(world, 0))) > 0.9 * SIZE


def test_a_born_network_begins_in_the_middle(world: World) -> None:
    acting = _acting(_play(world, 1))
    first = next(day for day, accounts in enumerate(acting) if accounts)
    assert 1 <= first <= DAYS - 2
    assert min(acting[first:]) > 0.9 * SIZE


def test_a_growing_network_at_least_doubles(world: World) -> None:
    acting = _acting(_play(world, 2))
    assert acting[0] <= SIZE // 2
    assert acting[-1] > 1.8 * acting[0]


def test_two_networks_merge_and_one_splits(world: World) -> None:
    merging = [_groups(done) for done in _play(world, 4)]
    splitting = [_groups(done) for done in _play(world, 6)]
    middle = DAYS // 2
    assert merging == [2] * middle + [1] * (DAYS - middle)
    assert splitting == [1] * middle + [2] * (DAYS - middle)


def test_a_dormant_network_comes_back_on_the_last_day(world: World) -> None:
    acting = _acting(_play(world, 7))
    quiet = [day for day, accounts in enumerate(acting) if not accounts]
    assert quiet == list(range(DAYS // 3, DAYS - 1))


def test_notes_tell_what_happens_when(plain: Log) -> None:
    # At this size every kind has few networks; together they live all lives.
    notes = {note for (note,) in plain.rows("select distinct note from planted")}
    told = " ".join(notes)
    for event in ("born on 2026-11-", "grows from", "merge on", "splits on", "dormant from"):
        assert event in told


def test_merging_networks_have_two_names(plain: Log) -> None:
    names = plain.rows("""
        select network from planted where note like 'two networks that merge%'
        group by network order by network""")
    assert names
    stems = [name[:-1] for (name,) in names]
    assert [name[-1] for (name,) in names] == ["a", "b"] * (len(names) // 2)
    assert stems[::2] == stems[1::2]


def test_cells_of_two_share_nothing_with_the_rest() -> None:
    evasion = Evasion().with_knobs({"cell_ratio": 0.5})
    world = plan_world(Settings(accounts=4000, days=1, evasion=evasion))
    rings = [each for each in world.performers if getattr(each, "kind", "") == "copypasta_ring"]
    for number, ring in enumerate(rings):
        assert isinstance(ring, Network)
        squads = np.unique(ring.squad, return_counts=True)[1]
        assert sum(squads == 2) >= len(ring.members) // 4 - 1
        done = ring.act(0, world.people, number, np.random.default_rng(3))
        of = dict(zip(ring.members.tolist(), ring.squad.tolist(), strict=True))
        for content in np.unique(done.content[done.content >= 0]).tolist():
            accounts = done.account[done.content == content].tolist()
            assert len({of[account] for account in accounts}) == 1
