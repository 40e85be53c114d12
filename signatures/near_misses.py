"""The signatures that a subject is nearest to without matching them, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from signatures.conditions import combine
from signatures.evaluation import Values, parts_that_hold
from signatures.model import OPERATORS, Signature
from signatures.words import bound_in_words

FEW_PARTS = 3
"""Parts that may be in the way at most: what lacks more is not near."""


@dataclass(frozen=True)
class Failed:
    """A comparison that is in the way; value is None where the feature is unknown."""

    part: str
    feature: str
    value: float | None
    needed: str


@dataclass(frozen=True)
class NearMiss:
    """A signature that would match if a few parts were otherwise, and what is in their way."""

    signature: Signature
    lacking: float  # share of the signature's parts
    failed: Sequence[Failed]


def near_misses(library: Iterable[Signature], values: Values) -> list[NearMiss]:
    """The signatures of abuse of networks that a network does not match, the nearest first.

    Nearest is what the smallest share of parts keeps from a match, then the fewest comparisons.
    Left out are deprecated ones, those that lack more than FEW_PARTS parts, and those of which no
    selection holds.
    """
    found = [
        near
        for each in library
        if each.subject == "network" and not each.benign and each.status != "deprecated"
        if (near := _near(each, values)) is not None
    ]
    return sorted(found, key=lambda near: (near.lacking, len(near.failed), near.signature.title))


def _near(signature: Signature, values: Values) -> NearMiss | None:
    """How near the signature is; None if it matches, or is not near."""
    holds = parts_that_hold(signature, values)
    nothing_holds = not any(holds[name] for name in signature.detection.selections)
    if nothing_holds or combine(signature.tree, holds):
        return None
    for count in range(1, min(FEW_PARTS, len(holds)) + 1):
        choices = [
            [failed for part in parts for failed in _failed(signature, part, holds[part], values)]
            for parts in combinations(holds, count)
            if combine(signature.tree, {**holds, **{part: not holds[part] for part in parts}})
        ]
        if choices:
            return NearMiss(signature, count / len(holds), min(choices, key=len))
    return None


def _failed(signature: Signature, part: str, holds: bool, values: Values) -> Iterator[Failed]:
    """The comparisons of a part that fail, or if it holds and must not, all of them."""
    for feature, comparison in signature.parts[part].features.items():
        value = values.get(feature)
        for name, bound in comparison.bounds.items():
            if holds:
                yield Failed(part, feature, value, f"not {bound_in_words(name, bound)}")
            elif value is None or not OPERATORS[name](value, bound):
                yield Failed(part, feature, value, bound_in_words(name, bound))
