"""When an account may be proposed, as DECISIONS says it: read literally, in plain Python.

The heaviest action, not above its signature's, of which no rule is broken; None: it may not.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import networkx as nx

from graph.config import Proposals
from signatures.calibration import ALL
from signatures.ladder import LADDER
from signatures.model import Signature
from tests.graph.feature_days import DS
from tests.signatures.generated_days import (
    ACCOUNT_EXPLAINED_BY,
    EXPLAINED_BY,
    MY_TRACES,
    Account,
    Generated,
    Link,
    Network,
    Seen,
)

LOGIN = ("device", "network", "signup")
"""Families that may all be one login, so that they are one observation."""

MICRO = 1_000_000
Weights = dict[tuple[str, str], int]


def family(seen: Seen) -> str:
    return MY_TRACES[seen.trace].family


def entity(seen: Seen) -> tuple[str, str]:
    return MY_TRACES[seen.trace].entity, seen.entity


def is_open(network: Network, link: Link, seen: Seen) -> bool:
    """Whether a declared network of both accounts allows the trace; never one on devices."""
    declared = network.declared
    if "device" in (MY_TRACES[seen.trace].family, MY_TRACES[seen.trace].entity):
        return False
    both = link.a in declared and link.b in declared
    return both and seen.trace in f"{declared[link.a]} {declared[link.b]}".split()


class Evidence:
    """What counts of a network's links: all but what a declared network does openly."""

    def __init__(self, network: Network, core_cut: float) -> None:
        self.core_cut = Fraction(str(core_cut))
        self.names = [each.name for each in network.accounts]
        self.seen = {
            (link.a, link.b): [each for each in link.seen if not is_open(network, link, each)]
            for link in network.links
        }
        self.openly = {
            name
            for link in network.links
            if len(self.seen[link.a, link.b]) < len(link.seen)
            for name in (link.a, link.b)
        }
        whole = {(link.a, link.b): round(link.weight * MICRO) for link in network.links}
        every = {(link.a, link.b): len(link.traces) for link in network.links}
        self.traces = {pair: len({s.trace for s in seen}) for pair, seen in self.seen.items()}
        self.weights: Weights = {
            pair: weight * self.traces[pair] // every[pair]
            for pair, weight in whole.items()
            if self.traces[pair]
        }
        self.needed = self.least(whole)
        self.published = self.core_of(whole)
        self.needed = self.least(self.weights)
        self.core = self.core_of(self.weights)
        if self.openly:
            self.core &= self.published

    def strengths(self, weights: Weights) -> dict[str, int]:
        strength = dict.fromkeys(self.names, 0)
        for pair, weight in weights.items():
            for name in pair:
                strength[name] += weight
        return strength

    def least(self, weights: Weights) -> Fraction:
        """The strength that a core member needs: a share of the median."""
        ordered = sorted(self.strengths(weights).values())
        size = len(ordered)
        return self.core_cut * Fraction(ordered[(size - 1) // 2] + ordered[size // 2], 2)

    def core_of(self, weights: Weights) -> set[str]:
        """The largest set of which each is strong enough and linked to two others of the set."""
        strong = {name for name, of in self.strengths(weights).items() if of >= self.needed}
        graph: nx.Graph[str] = nx.Graph(pair for pair in weights if strong.issuperset(pair))
        return set(nx.k_core(graph, 2))

    def of(self, name: str) -> list[tuple[str, Seen]]:
        """The other account and the entity, of all that counts between an account and the core."""
        return [
            (other, each)
            for pair, seen in self.seen.items()
            if name in pair
            for other in pair
            if other != name and other in self.core
            for each in seen
        ]

    @cached_property
    def dropped(self) -> set[str]:
        """Who leaves the core without some single entity or neighbour."""
        entities = {entity(each) for seen in self.seen.values() for each in seen}
        found = {name for gone in entities for name in self.core - self.core_of(self.without(gone))}
        for gone in self.names:
            rest = {pair: weight for pair, weight in self.weights.items() if gone not in pair}
            found |= self.core - self.core_of(rest) - {gone}
        return found

    def without(self, gone: tuple[str, str]) -> Weights:
        """The weights that are left without an entity: a trace needs its least of entities."""
        left = {}
        for pair, weight in self.weights.items():
            by_trace = defaultdict(set)
            for each in self.seen[pair]:
                by_trace[each.trace].add(entity(each))
            lost = sum(
                gone in found and len(found) - 1 < max(1, MY_TRACES[trace].min_entities)
                for trace, found in by_trace.items()
            )
            if lost < len(by_trace):
                left[pair] = weight - weight * lost // len(by_trace)
        return left

    def observations(self, name: str) -> bool:
        """Whether two families of which neither is a part of the other link it to the core."""
        moments = defaultdict(set)
        for _, each in self.of(name):
            basis = "login" if family(each) in LOGIN else family(each)
            moments[basis] |= {each.first, each.last}
        return any(not (a <= b or b <= a) for a, b in combinations(moments.values(), 2))


def role_of(account: Account, is_core: bool, families: int) -> str:
    """The part that an account has; what is unknown gives none."""

    def between(name: str, low: float, high: float) -> bool:
        value = account.features[name]
        return value is not None and low <= value <= high

    most = float("inf")
    if between("targeted_ratio", 0.1, 1) and between("shared_devices", 0, 0):
        return "target"
    if between("first_poster_ratio", 0.8, 1) and between("shared_devices", 0, 0) and families <= 1:
        return "originator"
    if between("device_break", 1, most):
        return "compromised"
    in_step = "account_coordinated_ratio"
    if between("left_device_days", 3, most) and between(in_step, 0, 0.05):
        return "bystander"
    if (not is_core and between(in_step, 0, 0.05)) or (families <= 1 and between(in_step, 0, 0.02)):
        return "bystander"
    return "actor"


def signature_of(network: Network, library: tuple[Signature, ...]) -> Signature | None:
    """The signature that names a network: live ones first, then those that show inauthenticity."""
    matching = [
        each
        for each in library
        if each.subject == "network" and not each.benign and _half(network.features, _feature(each))
    ]
    ordered = sorted(
        matching, key=lambda each: (each.mode != "live", not _inauthentic(each), str(each.id))
    )
    return ordered[0] if ordered else None


def _feature(signature: Signature) -> str:
    return signature.evidence[0]


def _inauthentic(signature: Signature) -> bool:
    return any(part.inauthentic for part in signature.detection.selections.values())


def _half(features: dict[str, float | None], name: str) -> bool:
    value = features[name]
    return value is not None and value >= 0.5


def precision(day: Generated, found: Signature, account: Account, measure: str) -> float | None:
    """The lowest bound overall, in the account's market and in its stratum; None: one is unknown.

    An account of no market must pass in the worst one that is measured.
    """
    fresh = {
        (row["market"], row["stratum"]): row["low"]
        for row in day.calibration
        if (row["scope_id"], row["level"], row["measure"]) == (str(found.id), "account", measure)
        if row["estimate"] is not None
        if timedelta(0) <= DS - row["measured_on"] < timedelta(days=90)
    }
    shared = account.features["shared_address_ratio"]
    stratum = "shared" if shared is not None and shared >= 0.5 else "own"
    everywhere = fresh.get((ALL, ALL))
    markets = [low for (market, _), low in fresh.items() if market != ALL]
    of_market = fresh.get((account.market, ALL)) if account.market else min(markets or [everywhere])
    bounds = [everywhere, of_market, fresh.get((ALL, stratum))]
    return None if None in bounds else min(bounds)


def action_of(
    day: Generated, network: Network, evidence: Evidence, account: Account, limits: Proposals
) -> str | None:
    """The heaviest action of which no rule is broken."""
    found = signature_of(network, day.library)
    if found is None or found.enforcement is None:
        return None
    declared = found.enforcement.action
    actions = LADDER[: LADDER.index(declared) + 1] if declared in LADDER else ()
    for action in ("secure_account", *reversed(actions)):
        if not broken(day, network, evidence, account, action, limits):
            return action
    return None


def broken(
    day: Generated,
    network: Network,
    evidence: Evidence,
    account: Account,
    action: str,
    limits: Proposals,
) -> list[str]:
    """The rules of DECISIONS that an action against an account would break, by their numbers."""
    found = signature_of(network, day.library)
    assert found is not None
    ours = evidence.of(account.name)
    is_core = account.name in evidence.core
    families = {family(each) for _, each in ours}
    role = role_of(account, is_core, len(families))
    challenged = action == "challenge"
    bound = precision(day, found, account, "challenge_precision" if challenged else "precision")
    lightest = precision(
        day, found, account, "challenge_precision" if role == "actor" else "precision"
    )
    lent = any(row["borrowed_from"] for row in day.calibration if row["scope_id"] == str(found.id))
    all_seen = [each for seen in evidence.seen.values() for each in seen]
    linked_well = (
        is_core
        and evidence.observations(account.name)
        and len({other for other, _ in ours}) >= 2
        and account.name not in evidence.dropped
    )
    strong, hosted = (account.features[n] for n in ("strength_ratio", "account_hosting_ratio"))
    held = (
        bool(families & set(LOGIN))
        or (hosted is not None and hosted >= 0.8)
        or (is_core and (strong or 0) >= 0.75 and account.name not in evidence.openly)
    )
    linked_openly_alone = account.name in evidence.openly and not any(
        account.name in pair and seen and set(pair) - {account.name} <= evidence.published
        for pair, seen in evidence.seen.items()
    )
    rules = {
        "1 stable and live": found.status == "stable" and found.mode == "live",
        "1 measured": bound is not None and lightest is not None,
        "1 precise enough": bound is not None and bound >= dict(limits.floors)[action],
        "1 not borrowed": not lent or challenged,
        "2 not explained": not _half(network.features, EXPLAINED_BY),
        "2 account not explained": not _half(account.features, ACCOUNT_EXPLAINED_BY),
        "2 inauthentic": _inauthentic(found),
        "2 not content alone": any(family(s) in (*LOGIN, "target") for s in all_seen),
        "3 role": role == ("compromised" if action == "secure_account" else "actor"),
        "3 links": linked_well or action == "secure_account" or (challenged and held),
        "4 size": limits.min_accounts <= len(network.accounts) <= limits.max_accounts,
        "5 not protected": "protected" not in account.known,
        "5 not cleared": account.known.isdisjoint({"cleared lately", "called_benign"}),
        "5 not declared": not linked_openly_alone,
    }
    return [name for name, holds in rules.items() if not holds]
