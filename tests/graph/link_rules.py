"""The rules from sightings to links, read literally: an oracle for graph/traces.py and its parts.

No joins, no buckets, no fixed point: every pair of rows is looked at, in floating point, and events
without an id are told apart by the number of their row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from math import log, log10, sqrt

from graph.config import HubLimits, Trace

SECOND = 1_000_000
TEN_MINUTES = 600 * SECOND
EVENTS_PER_ACCOUNT = 10
LEAST_EXPECTED = 1e-6


@dataclass(frozen=True)
class Sighting:
    """An account's event that names an entity; `row` is its number in the log."""

    account: str
    entity: str
    event_type: str
    event_id: str | None
    at: int
    row: int

    @property
    def event(self) -> str | int:
        return self.row if self.event_id is None else self.event_id


@dataclass
class Link:
    """What two accounts did together: entity -> pairs of events, with the time between them."""

    evidence: Counter[str] = field(default_factory=Counter)
    time_delta_us: int = 0
    times: list[int] = field(default_factory=list)
    entities: int = 0
    weight: float = 0.0
    expected: float = 0.0
    found: int = 0

    @property
    def co_actions(self) -> int:
        return self.evidence.total()


@dataclass(frozen=True)
class Burst:
    entity: str
    moment_at: int
    accounts: int
    events: int


Pair = tuple[Sighting, Sighting]


def surprise(found: int, expected: float) -> float:
    """(k ln(k/lambda) - k + lambda)/ln 10 for k > lambda, else 0; lambda is a millionth or more."""
    expected = max(expected, LEAST_EXPECTED)
    if found <= expected:
        return 0.0
    return (found * log(found / expected) - found + expected) / log(10)


def disparity(weights: dict[tuple[str, str], float]) -> dict[tuple[str, str], float | None]:
    """The smaller alpha of each link's ends; None where both ends have no other link."""
    of: dict[str, list[float]] = defaultdict(list)
    for (a, b), weight in weights.items():
        of[a].append(weight)
        of[b].append(weight)
    alphas: dict[tuple[str, str], float | None] = {}
    for ends, weight in weights.items():
        own = [(1 - weight / sum(of[end])) ** (len(of[end]) - 1) for end in ends]
        alone = all(len(of[end]) == 1 for end in ends)
        alphas[ends] = None if alone else min(own)
    return alphas


class TraceRules:
    """One trace over the sightings of its entity type.

    `counts_as` says as which thing an entity counts towards min_entities, None if not at all.
    """

    def __init__(
        self,
        trace: Trace,
        sightings: Iterable[Sighting],
        limits: HubLimits | None = None,
        max_burst: int | None = None,
        counts_as: Callable[[str], str | None] = lambda entity: entity,
    ) -> None:
        self.trace, self.limits, self.max_burst = trace, limits, max_burst
        self.counts_as = counts_as
        everything = list(sightings)
        accounts_of = defaultdict(set)
        first: dict[str, tuple[int, str]] = {}
        for each in everything:
            accounts_of[each.entity].add(each.account)
            moment = (each.at, each.account)
            first[each.entity] = min(first.get(each.entity, moment), moment)
        self.degree = {entity: len(accounts) for entity, accounts in accounts_of.items()}
        self.originator = {entity: account for entity, (_, account) in first.items()}
        self.rows = [s for s in everything if trace.events is None or s.event_type in trace.events]
        self.edges = Counter((s.account, s.entity) for s in self.rows)
        self.accounts = {s.account for s in self.rows}
        self.df = Counter(entity for _, entity in self.edges)
        self.bursts: list[Burst] = []

    def may_link(self, entity: str) -> bool:
        most = float("inf")
        if self.limits is not None:
            most = self.limits.soft if self.trace.window is None else self.limits.hard
        return 2 <= self.degree[entity] <= most

    def pairs(self) -> list[Pair]:
        """All pairs that count, the smaller account first."""
        present = self._participating(self.rows)
        rows = [s for s in self.rows if s.account in present]
        if self.trace.exclude_originator:
            rows = [s for s in rows if s.account != self.originator[s.entity]]
        pairs = list(self._pairs_of(rows))
        if self.trace.min_participation <= 1:
            return pairs
        surviving = {each.event for pair in pairs for each in pair}
        left = [s for s in rows if s.event in surviving]
        steady = self._participating(left)
        active = {s.event for s in left if s.account in steady}
        return [pair for pair in pairs if pair[0].event in active or pair[1].event in active]

    def _participating(self, rows: list[Sighting]) -> set[str]:
        counts = Counter(s.account for s in rows)
        return {a for a, count in counts.items() if count >= self.trace.min_participation}

    def _pairs_of(self, rows: list[Sighting]) -> Iterator[Pair]:
        by_entity = defaultdict(list)
        for s in rows:
            # What has the entity's own id pairs with nothing, and counts in no moment either.
            is_own = self.trace.window is not None and s.event == s.entity
            if self.may_link(s.entity) and not is_own:
                by_entity[s.entity].append(s)
        for own in by_entity.values():
            for one, other in combinations(self._without_bursts(own), 2):
                if self._is_pair(one, other):
                    yield (one, other) if one.account < other.account else (other, one)

    def _without_bursts(self, rows: list[Sighting]) -> list[Sighting]:
        if self.trace.window is None or self.max_burst is None:
            return rows
        moments = defaultdict(list)
        for s in rows:
            moments[s.at // max(self.trace.window, 1)].append(s)
        calm = []
        for own in moments.values():
            accounts = {s.account for s in own}
            if len(accounts) > self.max_burst or len(own) > self.max_burst * EVENTS_PER_ACCOUNT:
                moment_at = min(s.at for s in own)
                self.bursts.append(Burst(own[0].entity, moment_at, len(accounts), len(own)))
            else:
                calm += own
        return calm

    def _is_pair(self, one: Sighting, other: Sighting) -> bool:
        if one.account == other.account:
            return False
        if self.trace.window is None:
            return True
        return abs(one.at - other.at) <= self.trace.window and one.event != other.event

    def links(self) -> dict[tuple[str, str], Link]:
        """The trace's links after its minimums, with weight, k and lambda."""
        links: dict[tuple[str, str], Link] = defaultdict(Link)
        for one, other in self.pairs():
            link = links[one.account, other.account]
            link.evidence[one.entity] += 1
            link.time_delta_us += abs(one.at - other.at)
            link.times += [one.at, other.at]
        for ends, link in links.items():
            counted = {self.counts_as(entity) for entity in link.evidence} - {None}
            link.entities = len(counted)
            link.weight = self._weight(ends, link)
            windowless = self.trace.window is None
            link.found = link.entities if windowless else link.co_actions
            link.expected = self._by_degree(ends) if windowless else self._in_windows(ends)
        return {
            ends: link
            for ends, link in links.items()
            if link.co_actions >= self.trace.min_co_actions
            and link.entities >= self.trace.min_entities
        }

    def rarity(self, entity: str) -> float:
        """ln(N/df)"""
        return log(len(self.accounts) / self.df[entity])

    def _weight(self, ends: tuple[str, str], link: Link) -> float:
        if self.trace.weight == "co_actions":
            return link.co_actions
        if self.trace.weight == "idf":
            return sum(self.rarity(entity) for entity in link.evidence)
        a, b = (self._vector(end) for end in ends)
        lengths = [sqrt(sum(x * x for x in vector.values())) for vector in (a, b)]
        product = sum(a[entity] * b[entity] for entity in link.evidence)
        return product / (lengths[0] * lengths[1]) if all(lengths) else 0.0

    def _vector(self, account: str) -> dict[str, float]:
        """Times seen, by ln(N/df), over all of the account's entities."""
        return {
            entity: count * self.rarity(entity)
            for (owner, entity), count in self.edges.items()
            if owner == account
        }

    def _by_degree(self, ends: tuple[str, str]) -> float:
        degrees = Counter(account for account, _ in self.edges)
        chances = sum(df * (df - 1) for entity, df in self.df.items() if self.may_link(entity))
        return degrees[ends[0]] * degrees[ends[1]] * chances / len(self.edges) ** 2

    def _in_windows(self, ends: tuple[str, str]) -> float:
        return self._meetings(ends, (0,)) or self._meetings(ends, (-1, 1))

    def _meetings(self, ends: tuple[str, str], apart: tuple[int, ...]) -> float:
        events, _ = self._bins
        return sum(
            count * events[ends[1], t + step] * max(self._chance(t), self._chance(t + step))
            for step in apart
            for (account, t), count in list(events.items())
            if account == ends[0] and (ends[1], t + step) in events
        )

    def _chance(self, t: int) -> float:
        own = self._bins[1][t].values()
        return sum((n / sum(own)) ** 2 for n in own)

    @property
    def _bins(self) -> tuple[Counter[tuple[str, int]], dict[int, Counter[str]]]:
        if not hasattr(self, "_counted"):
            width = max(TEN_MINUTES, 2 * (self.trace.window or 0) + 1)
            of_entity: dict[int, Counter[str]] = defaultdict(Counter)
            for s in self.rows:
                of_entity[s.at // width][s.entity] += 1
            self._counted = Counter((s.account, s.at // width) for s in self.rows), of_entity
        return self._counted


def digits_of(probability: float) -> float:
    """How many decimal digits of improbability; infinite for none."""
    return -log10(probability) if probability > 0 else float("inf")
