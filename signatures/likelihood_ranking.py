"""How well the likelihood orders reviewed networks: overall, in each market and in each stratum.

An order that is good overall may be bad in one market, whose innocent networks stand in front
because its carriers share addresses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import numpy as np

from signatures.calibration import ALL, Key, places
from signatures.estimators import NOTHING, Estimate, needed_clusters
from signatures.ranking import (
    Bin,
    Judged,
    Threshold,
    average_precision,
    precision_at,
    reliability,
    threshold_for,
)
from signatures.reviews import Review, clusters

LOOKED_AT = (10, 50, 100, 500)
"""k of precision at k: networks that reviewers see first."""

WANTED = (0.80, 0.90, 0.95, 0.98, 0.99)
"""Precisions for which the threshold is told, ascending."""

FEWEST_OF_A_KIND = 5
"""Abusive networks, and others, below which their order may be luck.

Five stand in front of five by chance once in 252 times, three in front of three once in 20.
"""


Figure = TypeVar("Figure")


@dataclass(frozen=True)
class Told(Generic[Figure]):
    """A figure, or the reason why there is none."""

    figure: Figure | None
    reason: str | None = None


@dataclass(frozen=True)
class Ranking:
    """The likelihood's order of the networks of a place: a market, a stratum, or all of them (ALL).

    `abusive` is the share of them that is, which an order without any sense has as its average
    precision. Keys of `precision_at` and `thresholds` are LOOKED_AT and WANTED as text.
    """

    market: str
    stratum: str
    abusive: Estimate
    average_precision: Told[float]
    precision_at: Mapping[str, Told[Estimate]]
    reliability: Told[Sequence[Bin]]
    thresholds: Mapping[str, Told[Threshold]]


def rankings(found: Iterable[Review]) -> list[Ranking]:
    """Rank the reviewed networks of every place that has a review, by market and stratum.

    Quiet networks count, too; accounts and networks without a likelihood do not.
    """
    groups: dict[Key, list[Review]] = defaultdict(list, {(ALL, ALL): []})
    for each in found:
        scored = each.row["subject_type"] == "network" and each.row["likelihood"] is not None
        for place in places(each.row):
            groups[place] += [each] if scored else []
    return [_ranking(place, groups[place]) for place in sorted(groups)]


def _ranking(place: Key, reviewed: Iterable[Review]) -> Ranking:
    """Rank them in the order of their names, because sums are rounded by their order."""
    networks = sorted(reviewed, key=lambda each: (each.row["sample_id"], each.row["subject_id"]))
    judged = Judged(
        np.array([each.row["likelihood"] for each in networks], np.float64),
        np.array([each.abusive for each in networks], np.float64),
        np.array([each.row["sampling_probability"] for each in networks], np.float64),
        clusters(networks),
    )
    few = _few(judged)
    return Ranking(
        *place,
        judged.estimate(),
        _told(few or _few_of_a_kind(judged), partial(average_precision, judged)),
        {
            str(k): _told(
                few,
                partial(precision_at, judged, k),
                f"those reviewed stand for {judged.weights.sum():.0f} networks",
            )
            for k in LOOKED_AT
        },
        _told(few, lambda: list(reliability(judged))),
        {
            str(wanted): _told(
                few, partial(threshold_for, judged, wanted), "no likelihood reaches it"
            )
            for wanted in WANTED
        },
    )


def _few(judged: Judged) -> str | None:
    """Why nothing is told of so few networks; None where they are enough.

    Of fewer even a faultless sample reaches none of the precisions that are wanted.
    """
    reviewed, needed = len(np.unique(judged.clusters)), needed_clusters(NOTHING, min(WANTED))
    if needed is None or reviewed < needed:
        return f"networks reviewed: {reviewed}, needed: {needed}"
    return None


def _few_of_a_kind(judged: Judged) -> str | None:
    for kind, value in (("abusive", 1.0), ("other", 0.0)):
        reviewed = len(np.unique(judged.clusters[judged.abusive == value]))
        if reviewed < FEWEST_OF_A_KIND:
            return f"{kind} networks reviewed: {reviewed}, needed: {FEWEST_OF_A_KIND}"
    return None


def _told(
    hindrance: str | None, measure: Callable[[], Figure | None], otherwise: str | None = None
) -> Told[Figure]:
    """What is measured where nothing hinders it; `otherwise` is the reason if that is None."""
    if hindrance is not None:
        return Told(None, hindrance)
    figure = measure()
    return Told(figure, otherwise if figure is None else None)
