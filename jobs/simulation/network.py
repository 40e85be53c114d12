"""Accounts that act together: their tactics, and what they do on a day."""

from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from jobs.simulation.actions import (
    NONE,
    POSTS,
    Actions,
    Event,
    Realm,
    actions,
    concatenate,
)
from jobs.simulation.arrays import DAY, MICROSECONDS, Array
from jobs.simulation.evasion import Evasion
from jobs.simulation.population import Population
from jobs.simulation.rhythm import time_of_day

_LOGIN_RATIO = 0.3
_LURED_RATIO = 0.3
_FRAMED_RATIO = 0.4
_LOGIN_LEAD_S = (5, 240)
NEVER = 1 << 30
"""A day after every simulation."""
_QUARTER_HOUR = 900 * MICROSECONDS


class Aim(Enum):
    """What the members of a round have in common."""

    CONTENT = "all post the same content"
    CLIENT_CONTENT = "all pass on what a client has just posted"
    CLIENT_POST = "all act on one post of a client"
    CLIENT = "all act on one client's account"
    STRANGERS = "all send the same content, each to somebody else"
    OWN = "nothing: each has content of its own"


@dataclass(frozen=True)
class Tactic:
    """What a network does in rounds: in each, many members act on one object within a window."""

    event: Event
    aim: Aim
    window_s: float
    """Seconds from the first to the last of a round, before any jitter."""
    rounds: float
    """Mean rounds a day."""
    participation: float = 0.8
    """Share of members who take part in a round."""
    on_the_quarter_hour: bool = False
    """Rounds start at :00, :15, :30 and :45 exactly, as scheduling tools do it."""
    around_the_clock: bool = False
    """Rounds start at any hour alike, as machines work; else as people's days go."""
    reaction: bool = False
    """People's delays (heavy-tailed, half within the window), not a script's (uniform)."""


@dataclass
class Network:
    """A planted network, or innocents who act together."""

    name: str
    kind: str
    members: Array
    tactics: tuple[Tactic, ...]
    evasion: Evasion = field(default_factory=Evasion)
    clients: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    """Accounts acted for or against; authors, targets."""
    lured: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    framed: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    joins: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """First day of each member; empty: all from the first day."""
    leaves: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """The day from which each member is banned; empty: nobody is."""
    quiet: frozenset[int] = frozenset()
    """Days on which the network rests."""
    squad: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Who works with whom; empty: all together."""
    squad_later: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    regroups: int = NEVER
    """The day from which `squad_later` holds (a merger or a split)."""
    device: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """The intruder's device for each member, when accounts are hijacked."""
    place: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    def __post_init__(self) -> None:
        size = len(self.members)
        self.joins = self.joins if len(self.joins) else np.zeros(size, dtype=np.int64)
        self.leaves = self.leaves if len(self.leaves) else np.full(size, NEVER, dtype=np.int64)
        self.squad = self.squad if len(self.squad) else np.zeros(size, dtype=np.int64)
        self.squad_later = self.squad_later if len(self.squad_later) else self.squad

    @property
    def events_per_day(self) -> float:
        """Expected coordinated events a day of one member, log-ins included."""
        acts = sum(tactic.rounds * tactic.participation for tactic in self.tactics)
        return acts * self.evasion.drip_ratio * (1 + _LOGIN_RATIO)

    def act(self, day: int, people: Population, number: int, rng: np.random.Generator) -> Actions:
        """What the network does on a day, in the time zone of its first member."""
        if day in self.quiet:
            return concatenate([])
        offset = int(people.offset[self.members[0]])
        first_content = Realm.COORDINATED.first(day) + (number << 24)
        squad = self.squad_later if day >= self.regroups else self.squad
        there = (self.joins <= day) & (day < self.leaves)
        parts = []
        for tactic in self.tactics:
            for number in np.unique(squad[there]):
                present = np.flatnonzero((squad == number) & there)
                parts.append(_play(self, tactic, present, offset, first_content, people, rng))
                first_content += 1 << 16
        return concatenate(parts)


@dataclass(frozen=True)
class _Rounds:
    """The rounds of one tactic on one day; arrays have one entry a round."""

    tactic: Tactic
    start: Array
    client: Array
    content: Array
    strangers: int
    """So many accounts there are to write to."""

    def actions(
        self, account: Array, turn: Array, time: Array, content: Array, rng: np.random.Generator
    ) -> Actions:
        """What these accounts do in these rounds (`turn`) at these times, with these contents."""
        aim = self.tactic.aim
        target: Array = np.full(len(turn), NONE, dtype=np.int64)
        if aim is Aim.CLIENT:
            target = self.client[turn]
        elif aim is Aim.CLIENT_POST:
            target = POSTS + self.content[turn]
        elif aim is Aim.STRANGERS:
            target = rng.integers(0, self.strangers, len(turn))
        if aim in (Aim.CLIENT, Aim.CLIENT_POST) and self.tactic.event is not Event.COMMENT:
            content = np.full(len(turn), NONE, dtype=np.int64)
        return actions(account, time, self.tactic.event, sessions(len(turn), rng), content, target)


def sessions(size: int, rng: np.random.Generator) -> Array:
    """So many sessions of their own."""
    return rng.integers(0, 1 << 63, size, dtype=np.uint64)


def _play(
    network: Network,
    tactic: Tactic,
    present: Array,
    offset: int,
    first_content: int,
    people: Population,
    rng: np.random.Generator,
) -> Actions:
    """All rounds of a tactic by one squad on one day; uses 2^16 content numbers."""
    count = rng.poisson(tactic.rounds * network.evasion.drip_ratio)
    unit = rng.random(count)
    local = unit if tactic.around_the_clock else time_of_day(unit)
    start = (local * DAY - offset).astype(np.int64) % DAY
    if tactic.on_the_quarter_hour:
        start -= start % _QUARTER_HOUR
    choice = rng.integers(0, max(1, len(network.clients)), count)
    client = network.clients[choice] if len(network.clients) else choice
    rounds = _Rounds(tactic, start, client, first_content + np.arange(count), len(people))
    parts = [
        _members_act(network, rounds, present, first_content + (1 << 12), rng),
        _crowd(rounds, network.framed, _FRAMED_RATIO, (-60, -5), rng),
        _crowd(rounds, network.lured, _LURED_RATIO, (300, 40_000), rng),
    ]
    if tactic.aim is Aim.CLIENT_CONTENT:
        session = sessions(count, rng)
        parts.append(actions(client, start, Event.POST, session, rounds.content))
    played = concatenate(parts)
    return played.take((played.time >= 0) & (played.time < DAY))


def _members_act(
    network: Network,
    rounds: _Rounds,
    present: Array,
    first_varied: int,
    rng: np.random.Generator,
) -> Actions:
    """The members' part, with log-ins shortly before."""
    tactic, evasion = rounds.tactic, network.evasion
    joined = rng.random((len(rounds.start), len(present))) < tactic.participation
    turn, member = np.nonzero(joined)
    size = len(turn)
    unit = rng.random(size)
    delay = unit / (1 - unit) if tactic.reaction else unit
    delay = delay * tactic.window_s + rng.random(size) * evasion.jitter_s
    time = rounds.start[turn] + (delay * MICROSECONDS).astype(np.int64) + MICROSECONDS
    varied = rng.random(size) < evasion.varied_content_ratio
    alone = varied | (tactic.aim is Aim.OWN)
    content = np.where(alone, first_varied + np.arange(size), rounds.content[turn])
    who = present[member]
    done = rounds.actions(network.members[who], turn, time, content, rng)
    if len(network.device):
        done = replace(done, device=network.device[who], place=network.place[who])
    before = done.take(rng.random(size) < _LOGIN_RATIO)
    nothing = np.full(len(before), NONE, dtype=np.int64)
    log_ins = replace(
        before,
        time=before.time - _microseconds(_LOGIN_LEAD_S, len(before), rng),
        event=np.full(len(before), Event.LOGIN, dtype=np.int8),
        content=nothing,
        target=nothing,
    )
    return concatenate([done, log_ins])


def _crowd(
    rounds: _Rounds,
    accounts: Array,
    ratio: float,
    delay_s: tuple[int, int],
    rng: np.random.Generator,
) -> Actions:
    """Outsiders in the members' rounds, so many seconds after the start (or before it)."""
    turn, who = np.nonzero(rng.random((len(rounds.start), len(accounts))) < ratio)
    time = rounds.start[turn] + _microseconds(delay_s, len(turn), rng)
    return rounds.actions(accounts[who], turn, time, rounds.content[turn], rng)


def _microseconds(seconds: tuple[int, int], size: int, rng: np.random.Generator) -> Array:
    """Uniform durations; to the microsecond, so that no clock reading repeats in another event."""
    low, high = seconds
    return rng.integers(low * MICROSECONDS, high * MICROSECONDS, size)
