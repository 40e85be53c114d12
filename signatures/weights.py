"""The weights behind a network's likelihood: set by hand, or learned and better on held-out ones.

Learned ones are a ridge logistic regression (Hastie, Tibshirani, Friedman 2009, 4.4 and 18.4) over
the features that the hand-set ones use. They are trained on earlier samples and compared on later
ones, of networks that share no lineage with any that was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from graph.tables import Table, columns
from signatures.estimators import Doubles, Integers, mean_low
from signatures.ranking import Judged, average_precision
from signatures.reviews import Review, clusters

FEATURES = {
    "multi_family_ratio": 2.0,
    "coordinated_ratio": 2.0,
    "shared_device_ratio": 1.0,
    "signup_hour_ratio": 1.0,
    "ip_hosting_ratio": 1.0,
    "core_ratio": 0.5,
}
"""Hand-set weights of features, unknown ones 0, in log odds; used until labels measure better."""

INTERCEPT, MATCHED, EXPLAINED = "intercept", "matched", "explained"
"""Beside the features: the start, a matching signature, an innocent explanation."""

HAND_SET: Mapping[str, float] = {INTERCEPT: -3.0, **FEATURES, MATCHED: 2.0, EXPLAINED: -2.0}

LIKELIHOOD_WEIGHTS = Table(
    name="likelihood_weights",
    grain="weight of a likelihood",
    key=("name",),
    schema=columns(
        name="string",
        hand_set="float64",  # log odds
        learned="float64",  # null: nothing to learn from
        used="bool",  # whether the learned ones were surely better on held-out networks
    ),
)

PENALTY = 1.0
"""Of the squared weights; one abusive network more or less must not turn a feature around."""

LATER = 0.3
"""The share of days that is held out, the latest."""

ENOUGH = 20
"""Held-out clusters of each kind, abusive and not, below which nothing is better by measure."""


@dataclass(frozen=True)
class Comparison:
    """Hand-set and learned weights on held-out networks; without a value nothing could be learned.

    loss is the weighted mean of the negative log likelihood: smaller is better. gain_low is the
    lower end of the 95% interval of how much smaller the learned loss is, network by network.
    """

    trained: int
    held_out: int
    learned: Mapping[str, float] | None = None
    hand_set_loss: float | None = None
    learned_loss: float | None = None
    gain_low: float | None = None
    hand_set_average_precision: float | None = None
    learned_average_precision: float | None = None
    used: bool = False


@dataclass(frozen=True)
class Examples:
    """Networks to learn from: a row a network, a column a weight of HAND_SET."""

    values: Doubles
    abusive: Doubles
    probabilities: Doubles
    clusters: Integers

    def where(self, chosen: np.ndarray) -> Examples:
        """The networks that a mask chooses."""
        return Examples(
            self.values[chosen],
            self.abusive[chosen],
            self.probabilities[chosen],
            self.clusters[chosen],
        )


def examples(
    found: Sequence[Review], features: Mapping[tuple[Any, str], Mapping[str, float]]
) -> Examples:
    """Reviewed networks as examples; features by ds and network_id, unknown ones 0."""
    rows = []
    for each in found:
        row = each.row
        known = features.get((row["ds"], row["subject_id"]), {})
        named = row["signature_id"] is not None
        explained = str(row["drawn_from"]).startswith("explained") or (
            named and not row["candidate"]
        )
        values = {name: known.get(name, 0.0) for name in FEATURES}
        values |= {INTERCEPT: 1.0, MATCHED: float(named), EXPLAINED: float(explained)}
        rows.append([values[name] for name in HAND_SET])
    return Examples(
        np.array(rows, np.float64).reshape(len(rows), len(HAND_SET)),
        np.array([each.abusive for each in found], np.float64),
        np.array([each.row["sampling_probability"] for each in found], np.float64),
        clusters(found),
    )


def fit(trained: Examples, penalty: float = PENALTY) -> dict[str, float]:
    """The weights of the largest penalised likelihood; the intercept is not penalised.

    Networks count by the inverse of their probability, scaled to a mean of 1.
    """
    from scipy.optimize import minimize  # here, because a day's run learns nothing

    weights = 1 / trained.probabilities
    weights = weights / weights.mean()
    signs = 2 * trained.abusive - 1
    penalised = np.array([name != INTERCEPT for name in HAND_SET], np.float64)

    def loss(guess: Doubles) -> tuple[float, Doubles]:
        margins = signs * (trained.values @ guess)
        value = float((weights * np.logaddexp(0, -margins)).sum())
        slopes = -weights * signs * _logistic(-margins)
        gradient: Doubles = trained.values.T @ slopes + penalty * penalised * guess
        return value + penalty / 2 * float((penalised * guess**2).sum()), gradient

    start = np.zeros(len(HAND_SET))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"gtol": 1e-9})
    return {name: float(value) for name, value in zip(HAND_SET, found.x, strict=True)}


def likelihoods(values: Doubles, weights: Mapping[str, float]) -> Doubles:
    """The likelihood of networks by weights."""
    return _logistic(values @ np.array([weights[name] for name in HAND_SET]))


def _logistic(log_odds: Doubles) -> Doubles:
    found: Doubles = np.exp(-np.logaddexp(0, -log_odds))
    return found


def split(found: Sequence[Review]) -> tuple[np.ndarray, np.ndarray]:
    """Masks of what is trained on and what is held out: earlier days, and later ones.

    What shares a lineage with a trained network is on neither side if it is later.
    """
    days = sorted({each.row["ds"] for each in found})
    held = max(1, round(LATER * len(days)))
    cut = days[-held] if len(days) > 1 else None
    early = np.array([cut is not None and each.row["ds"] < cut for each in found], bool)
    numbers = clusters(found)
    seen = np.isin(numbers, numbers[early])
    return early, ~early & ~seen


def compare(
    found: Sequence[Review], features: Mapping[tuple[Any, str], Mapping[str, float]]
) -> Comparison:
    """Learn weights from reviewed networks, and see whether they are better on held-out ones.

    They are used only if better by more than chance explains: what looks better on some networks
    may order the next ones worse.
    """
    early, late = split(found)
    everything = examples(found, features)
    trained, held_out = everything.where(early), everything.where(late)
    sizes = (int(early.sum()), int(late.sum()))
    if not (_both(trained, 1) and _both(held_out, 1)):
        return Comparison(*sizes)
    learned = fit(trained)
    hand_set_losses, learned_losses = (_losses(held_out, each) for each in (HAND_SET, learned))
    gains = hand_set_losses - learned_losses
    gain_low = mean_low(gains, held_out.probabilities, held_out.clusters)
    precisions = [
        average_precision(
            Judged(
                likelihoods(held_out.values, weights),
                held_out.abusive,
                held_out.probabilities,
                held_out.clusters,
            )
        )
        or 0.0
        for weights in (HAND_SET, learned)
    ]
    better = gain_low is not None and gain_low > 0 and precisions[1] >= precisions[0]
    mean = partial(np.average, weights=1 / held_out.probabilities)
    return Comparison(
        *sizes,
        learned=learned,
        hand_set_loss=float(mean(hand_set_losses)),
        learned_loss=float(mean(learned_losses)),
        gain_low=gain_low,
        hand_set_average_precision=precisions[0],
        learned_average_precision=precisions[1],
        used=better and _both(held_out, ENOUGH),
    )


def _both(some: Examples, least: int) -> bool:
    """Whether there are so many clusters of each kind."""
    return all(len(np.unique(some.clusters[some.abusive == kind])) >= least for kind in (0.0, 1.0))


def _losses(held_out: Examples, weights: Mapping[str, float]) -> Doubles:
    """The negative log likelihood of each network's verdict."""
    signs = 2 * held_out.abusive - 1
    odds = held_out.values @ np.array([weights[name] for name in HAND_SET])
    losses: Doubles = np.logaddexp(0, -signs * odds)
    return losses


def weight_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Rows of LIKELIHOOD_WEIGHTS."""
    learned = comparison.learned or {}
    return [
        {
            "name": name,
            "hand_set": value,
            "learned": learned.get(name),
            "used": comparison.used,
        }
        for name, value in HAND_SET.items()
    ]


def weights_in_use(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
    """The weights that a table of them says to use: the hand-set ones unless all were learned."""
    learned = {row["name"]: row["learned"] for row in rows if row["used"]}
    if learned.keys() != HAND_SET.keys() or None in learned.values():
        return HAND_SET
    return learned
