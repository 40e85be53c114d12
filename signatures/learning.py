"""Learned weights of the likelihood, used only where they predict later networks better.

Hand-set weights are arguments; labels can correct them. A fit is trained on networks of past days
and tested on networks that were first drawn later, so that no network teaches and tests at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from scipy import stats

from graph.tables import Table, columns
from signatures.estimators import Doubles, Integers
from signatures.scores import HAND_SET, log_odds

LIKELIHOOD_MODELS = Table(
    name="likelihood_models",
    grain="term of the likelihood",
    key=("term",),
    schema=columns(
        term="string",  # a feature, or one of intercept, matched, explained
        hand_set="float64",  # log odds
        learned="float64",
        used="bool",  # the learned ones, by all rows of a day
    ),
)

RIDGE = 1.0
"""How strongly a fit is drawn to the hand-set weights: as one network's worth of doubt a term."""

TRAINED_ON = 2 / 3
FEWEST = 20
"""Networks on either side, below which nothing is learned: a dozen right ones can be luck."""

STEPS = 50
CONFIDENCE = 0.95
SURE = 1e-9
"""How near to 0 or 1 a predicted probability counts as, so that one sure error is not endless."""


@dataclass(frozen=True)
class Examples:
    """Networks that were judged, aligned: the terms of HAND_SET, whether they are abusive (1 or 0),

    the probability that each was sampled, the number of its cluster (networks of one lineage) and
    the day of which its features are.
    """

    terms: Mapping[str, Doubles]
    abusive: Doubles
    probabilities: Doubles
    clusters: Integers
    days: Sequence[date]

    def where(self, chosen: np.ndarray) -> Examples:
        """The examples that a mask chooses."""
        return Examples(
            {name: values[chosen] for name, values in self.terms.items()},
            self.abusive[chosen],
            self.probabilities[chosen],
            self.clusters[chosen],
            [day for day, kept in zip(self.days, chosen, strict=True) if kept],
        )

    @property
    def weights(self) -> Doubles:
        """What each stands for, 1 on average."""
        weights: Doubles = 1 / self.probabilities
        return np.asarray(weights / weights.mean())


@dataclass(frozen=True)
class Lesson:
    """What was learned, and how it did: weights by term, None where there was too little to learn.

    gain: mean log loss of the hand-set weights over that of the learned ones, on held-out networks;
    gain_low: its one-sided 95% lower bound over clusters. Learned weights are used where that is
    above 0.
    """

    why: str
    weights: Mapping[str, float] | None = None
    trained_networks: int = 0
    held_out_networks: int = 0
    trained_to: date | None = None
    hand_set_loss: float | None = None
    learned_loss: float | None = None
    gain: float | None = None
    gain_low: float | None = None

    @property
    def used(self) -> bool:
        """Whether the learned weights replace the hand-set ones."""
        return self.gain_low is not None and self.gain_low > 0


def learn(examples: Examples) -> Lesson:
    """Fit weights on the past, and compare them with the hand-set ones on what came later."""
    cut = _cut(examples)
    if cut is None:
        return Lesson(f"labels of {FEWEST} networks of past days and of {FEWEST} later ones needed")
    past, later = split(examples, cut)
    if len(set(past.abusive.tolist())) < 2:
        return Lesson("networks of past days are all abusive, or all benign")
    weights = fit(past)
    hand_set, learned = log_loss(later, HAND_SET), log_loss(later, weights)
    gain, low = _gain(later, hand_set - learned)
    return Lesson(
        why="better on later networks" if low > 0 else "not surely better on later networks",
        weights=weights,
        trained_networks=len(set(past.clusters.tolist())),
        held_out_networks=len(set(later.clusters.tolist())),
        trained_to=cut,
        hand_set_loss=float(np.average(hand_set, weights=later.weights)),
        learned_loss=float(np.average(learned, weights=later.weights)),
        gain=gain,
        gain_low=low,
    )


def model_rows(lesson: Lesson) -> list[dict[str, Any]]:
    """Rows of LIKELIHOOD_MODELS; none where nothing was learned."""
    if lesson.weights is None:
        return []
    return [
        {"term": term, "hand_set": value, "learned": lesson.weights[term], "used": lesson.used}
        for term, value in HAND_SET.items()
    ]


def weights_of(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
    """The weights that a day's rows of LIKELIHOOD_MODELS say to use."""
    learned = {row["term"]: row["learned"] for row in rows if row["used"]}
    return learned if set(learned) == set(HAND_SET) else HAND_SET


def split(examples: Examples, cut: date) -> tuple[Examples, Examples]:
    """Past examples, up to `cut`, and those of networks that were first drawn after it.

    What a network of the past did later is in neither.
    """
    late = np.array([day > cut for day in examples.days])
    known = np.isin(examples.clusters, examples.clusters[~late])
    return examples.where(~late), examples.where(late & ~known)


def _cut(examples: Examples) -> date | None:
    """The last day to train on: nearest to two thirds of the networks, with enough on each side."""
    total = len(set(examples.clusters.tolist()))
    fitting = []
    for day in sorted(set(examples.days)):
        past, later = (len(set(part.clusters.tolist())) for part in split(examples, day))
        if min(past, later) >= FEWEST:
            fitting.append((abs(past / total - TRAINED_ON), day))
    return min(fitting)[1] if fitting else None


def fit(examples: Examples) -> dict[str, float]:
    """Ridge logistic regression by Newton's steps, drawn towards the hand-set weights.

    Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 4.4.1.
    """
    names = list(HAND_SET)
    design = np.column_stack([examples.terms[name] for name in names])
    prior = np.array([HAND_SET[name] for name in names])
    weights, found = examples.weights, prior.copy()
    for _ in range(STEPS):
        chances = _chances(design @ found)
        slope = design.T @ (weights * (examples.abusive - chances)) - RIDGE * (found - prior)
        spread = weights * chances * (1 - chances)
        curve = design.T @ (design * spread[:, None]) + RIDGE * np.eye(len(names))
        step = np.linalg.solve(curve, slope)
        found = found + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < SURE:
            break
    return dict(zip(names, (float(value) for value in found), strict=True))


def log_loss(examples: Examples, weights: Mapping[str, float]) -> Doubles:
    """How wrong each prediction is: minus the logarithm of what was thought of what is."""
    chances = np.clip(_chances(log_odds(examples.terms, weights)), SURE, 1 - SURE)
    losses: Doubles = -np.log(np.where(examples.abusive == 1, chances, 1 - chances))
    return losses


def _gain(later: Examples, saved: Doubles) -> tuple[float, float]:
    """The mean of what is saved, and its lower bound: a ratio over clusters, by Student's t."""
    weights = later.weights
    _, place = np.unique(later.clusters, return_inverse=True)
    count = int(place.max()) + 1
    mean = float(np.average(saved, weights=weights))
    residuals = np.bincount(place, weights * (saved - mean))
    error = np.sqrt(count / (count - 1) * (residuals**2).sum()) / weights.sum()
    return mean, mean - float(stats.t.ppf(CONFIDENCE, count - 1) * error)


def _chances(odds: Doubles) -> Doubles:
    chances: Doubles = 1 / (1 + np.exp(-np.clip(odds, -500, 500)))
    return chances
