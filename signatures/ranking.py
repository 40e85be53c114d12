"""How well a score orders subjects: average precision, precision at k, reliability, thresholds.

Every subject stands for 1 / (its sampling probability) of the population. Under heavy imbalance
these say what ROC-AUC and accuracy hide (Saito and Rehmsmeier 2015).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from signatures.estimators import Doubles, Estimate, Integers, proportion

BINS = 10
MOST_THRESHOLDS = 100
"""Thresholds that are tried at most: quantiles of the scores."""


@dataclass(frozen=True)
class Judged:
    """Subjects that were scored and judged, aligned: their score, whether they are abusive (1 or

    0), the probability that they were sampled, and the number of their cluster.
    """

    scores: Doubles
    abusive: Doubles
    probabilities: Doubles
    clusters: Integers

    @property
    def weights(self) -> Doubles:
        """What each subject stands for in the population."""
        return 1 / self.probabilities

    def where(self, chosen: np.ndarray) -> Judged:
        """The subjects that a mask chooses."""
        return Judged(
            self.scores[chosen],
            self.abusive[chosen],
            self.probabilities[chosen],
            self.clusters[chosen],
        )

    def estimate(self) -> Estimate:
        """The share of them that is abusive."""
        return proportion(self.abusive, self.probabilities, self.clusters)


def average_precision(judged: Judged) -> float | None:
    """The mean precision over all abusive subjects, best score first; None without any.

    Subjects of one score come together, so that their order cannot matter.
    """
    weights, order = judged.weights, np.argsort(-judged.scores, kind="stable")
    hits = np.cumsum((weights * judged.abusive)[order])
    if not len(hits) or hits[-1] == 0:
        return None
    seen = np.cumsum(weights[order])
    last = np.flatnonzero(np.append(np.diff(judged.scores[order]) != 0, True))
    gained = np.diff(hits[last], prepend=0.0)
    return float((gained * hits[last] / seen[last]).sum() / hits[-1])


def precision_at(judged: Judged, k: float) -> Estimate | None:
    """The abusive share of the k subjects of the population with the best scores.

    Subjects of one score share their places evenly. None where the population has fewer than k.
    """
    weights, room = judged.weights, k
    if k > weights.sum() * (1 + 1e-9):
        return None
    shares = np.zeros(len(weights))
    for score in np.unique(judged.scores)[::-1]:
        level = judged.scores == score
        size = float(weights[level].sum())
        shares[level] = min(1.0, room / size)
        room -= size
        if room <= k * 1e-9:
            break
    best = judged.where(shares > 0)
    stretched = best.probabilities / shares[shares > 0]
    return proportion(best.abusive, stretched / stretched.max(), best.clusters)


@dataclass(frozen=True)
class Bin:
    """Subjects of similar score: where the scores begin, their mean, and how many are abusive."""

    begins: float
    mean: float
    observed: Estimate


def reliability(judged: Judged) -> Iterator[Bin]:
    """The reliability diagram: whether of subjects scored 0.7 seven in ten are abusive.

    Scores are probabilities; empty bins are left out.
    """
    places = np.minimum((judged.scores * BINS).astype(np.int64), BINS - 1)
    for place in np.unique(places):
        part = judged.where(places == place)
        mean = float(np.average(part.scores, weights=part.weights))
        yield Bin(float(place) / BINS, mean, part.estimate())


@dataclass(frozen=True)
class Threshold:
    """The lowest score whose subjects are precise enough, and the recall that is left there."""

    score: float
    precision: Estimate
    recall: float


def threshold_for(judged: Judged, wanted: float) -> Threshold | None:
    """The lowest score at and above which the precision's lower bound reaches `wanted`.

    Every higher score that was tried reaches it too, down from the first that does, so that a lucky
    dip in the middle counts for nothing. None where no score does.
    """
    scores = np.unique(judged.scores)[::-1]
    if len(scores) > MOST_THRESHOLDS:
        scores = scores[np.linspace(0, len(scores) - 1, MOST_THRESHOLDS).astype(np.int64)]
    total = float((judged.weights * judged.abusive).sum())
    found: Threshold | None = None
    for score in scores:
        kept = judged.where(judged.scores >= score)
        estimate = kept.estimate()
        if estimate.low >= wanted:
            hits = float((kept.weights * kept.abusive).sum())
            found = Threshold(float(score), estimate, hits / total if total else 0.0)
        elif found is not None:
            break
    return found
