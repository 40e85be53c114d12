"""What a sample of judged subjects says about all of them, with 95% intervals.

Accounts are judged network by network, and their errors come that way too, so the network is the
cluster of every variance here. Sources: Horvitz and Thompson 1952 and Hajek 1971 for the weights,
Woodruff 1971 for the variance of a ratio, Korn and Graubard 1998 for the interval of a proportion
from a complex sample, Clopper and Pearson 1934 for its exact core, Kish 1965 for the effective
number of clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CONFIDENCE = 0.95
MOST_NEEDED = 100_000
"""Clusters beyond which a wanted bound is called out of reach."""


@dataclass(frozen=True)
class Estimate:
    """A proportion in a population, with its 95% interval.

    `effective` is the number of independent observations that the sample is worth; `clusters` and
    `subjects` are what was judged. Without a sample value is None and the interval [0, 1].
    """

    value: float | None
    low: float
    high: float
    effective: float
    clusters: int
    subjects: int


NOTHING = Estimate(None, 0.0, 1.0, 0.0, 0, 0)


def proportion(correct: Doubles, probabilities: Doubles, clusters: Integers) -> Estimate:
    """Estimate the share of correct subjects in the population that was sampled from.

    correct: 1 or 0 a subject, or parts of it; probabilities: that of each to be in the sample;
    clusters: the number of each subject's cluster. Subjects are weighted by the inverse of their
    probability. How many independent observations the sample is worth is read from how the errors
    spread over clusters, but trusted only as far as enough clusters have errors: with none or few
    of them a cluster counts as one observation, which is the worst it can be worth when errors do
    not depend on its size. Raises ValueError for a probability outside (0, 1].
    """
    if len(correct) == 0:
        return NOTHING
    if not np.all((probabilities > 0) & (probabilities <= 1)):
        raise ValueError("sampling probabilities must be above 0 and at most 1")
    order = np.lexsort((correct, probabilities, clusters))  # sums are rounded by their order
    correct, probabilities, clusters = correct[order], probabilities[order], clusters[order]
    weights = 1 / probabilities
    of_clusters = _by_cluster(weights, clusters)
    total = float(weights.sum())
    value = float((weights * correct).sum()) / total
    effective = _effective(value, weights, correct, clusters, of_clusters)
    low, high = clopper_pearson(value, effective)
    return Estimate(value, low, high, effective, len(of_clusters), len(correct))


def mean_low(values: Doubles, probabilities: Doubles, clusters: Integers) -> float | None:
    """The lower end of the 95% interval of a population's mean, from values of a sample.

    values: one a subject; probabilities and clusters as in `proportion`. Student's t over the
    clusters, with the linearised variance of a weighted mean (Woodruff 1971); None for a single
    cluster, which tells nothing of the spread.
    """
    weights = 1 / probabilities
    count = len(np.unique(clusters))
    if count < 2:
        return None
    mean = float(np.average(values, weights=weights))
    return mean - _student(count - 1) * math.sqrt(_variance(mean, weights, values, clusters))


def _by_cluster(values: Doubles, clusters: Integers) -> Doubles:
    _, places = np.unique(clusters, return_inverse=True)
    sums: Doubles = np.bincount(places, weights=values).astype(np.float64)
    return sums


def _variance(mean: float, weights: Doubles, values: Doubles, clusters: Integers) -> float:
    """The linearised variance of a weighted mean over two clusters or more."""
    residuals = _by_cluster(weights * (values - mean), clusters)
    count = len(residuals)
    return count / (count - 1) * float((residuals**2).sum()) / float(weights.sum()) ** 2


def _kish(weights: Doubles) -> float:
    """The number of equal weights that vary an average as much as these do."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _effective(
    value: float, weights: Doubles, correct: Doubles, clusters: Integers, of_clusters: Doubles
) -> float:
    """Independent observations that the sample is worth, between 1 and its subjects' number."""
    worst = _kish(of_clusters)
    count = len(of_clusters)
    if count == 1:
        return 1.0
    variance = _variance(value, weights, correct, clusters)
    if variance == 0 or value <= 0 or value >= 1:
        return worst
    linear = min(value * (1 - value) / variance, _kish(weights))
    if linear <= worst:
        return max(1.0, linear * _penalty(_kish(of_clusters) - 1))
    freedom = min(
        _kish(_by_cluster(weights * (1 - correct), clusters)),
        _kish(_by_cluster(weights * correct, clusters)),
    )
    return max(worst, linear * _penalty(freedom))


def _penalty(freedom: float) -> float:
    """What a variance is worth that was itself estimated with few degrees of freedom."""
    from scipy.special import ndtri

    return float((ndtri((1 + CONFIDENCE) / 2) / _student(max(1.0, freedom))) ** 2)


def _student(freedom: float) -> float:
    """How many standard errors of a mean its 95% interval reaches to each side."""
    from scipy.special import stdtrit  # here, because a day's run computes no interval

    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))


def clopper_pearson(value: float, observations: float) -> tuple[float, float]:
    """The exact 95% interval of a proportion; observations may be a fraction of a number."""
    from scipy.special import betaincinv

    tail = (1 - CONFIDENCE) / 2
    hits = value * observations
    misses = observations - hits
    low = 0.0 if hits <= 0 else float(betaincinv(hits, misses + 1, tail))
    high = 1.0 if misses <= 0 else float(betaincinv(hits + 1, misses, 1 - tail))
    return low, high


def needed_clusters(estimate: Estimate, wanted: float) -> int | None:
    """The clusters to sample so that the lower bound reaches `wanted`, were the estimate to hold.

    Without a sample, or with one that has no errors, none are expected. None where the estimate
    itself is not above `wanted`, or more than MOST_NEEDED would be needed.
    """
    value = 1.0 if estimate.value is None else estimate.value
    worth = estimate.effective / estimate.clusters if estimate.clusters else 1.0
    if value <= wanted or clopper_pearson(value, MOST_NEEDED * worth)[0] < wanted:
        return None
    few, enough = 0, MOST_NEEDED
    while enough - few > 1:
        middle = (few + enough) // 2
        if clopper_pearson(value, middle * worth)[0] >= wanted:
            enough = middle
        else:
            few = middle
    return enough


@dataclass(frozen=True)
class Agreement:
    """How far two reviewers who did not know of each other's verdict agree.

    kappa is Cohen's (1960): agreement beyond chance over what is possible beyond chance; None where
    both always said the same one thing, or nothing was reviewed twice.
    """

    pairs: int
    share: float | None
    kappa: float | None


def agreement(first: list[str], second: list[str]) -> Agreement:
    """Compare the labels that two reviewers gave to the same subjects, in the same order."""
    pairs = len(first)
    if not pairs:
        return Agreement(0, None, None)
    share = sum(a == b for a, b in zip(first, second, strict=True)) / pairs
    chance = sum(first.count(label) * second.count(label) for label in set(first)) / pairs**2
    kappa = None if math.isclose(chance, 1) else (share - chance) / (1 - chance)
    return Agreement(pairs, share, kappa)
