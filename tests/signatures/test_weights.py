"""Learned weights: against scikit-learn, never of the same network twice, and only if better."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from signatures.estimators import Doubles
from signatures.reviews import Review, reviews
from signatures.weights import (
    FEATURES,
    HAND_SET,
    INTERCEPT,
    MATCHED,
    Examples,
    compare,
    fit,
    split,
    weight_rows,
    weights_in_use,
)
from tests.signatures.reviewed import DAY, drawn, said


def reviewed(networks: int, abusive: Doubles, **changes: Any) -> list[Review]:
    """Networks, half of them on each of two days, in the order of their days."""
    rows = []
    for number in range(networks):
        ds = DAY - timedelta(days=7 if number < networks // 2 else 0)
        name = f"n{number}"
        kind = {"subject_type": "network", "role": None, "ds": ds}
        rows.append(drawn(name, name, **kind) | changes)
    labels = [
        said(row, "abusive" if bad else "benign", subject_type="network")
        for row, bad in zip(rows, abusive, strict=True)
    ]
    return reviews(rows, labels)


def features_of(found: list[Review], values: Doubles) -> dict[tuple[Any, str], dict[str, float]]:
    return {
        (each.row["ds"], each.row["subject_id"]): dict(zip(FEATURES, row, strict=True))
        for each, row in zip(found, values, strict=True)
    }


def test_the_fit_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(7)
    values = rng.random((300, len(HAND_SET)))
    values[:, list(HAND_SET).index(INTERCEPT)] = 1
    abusive = (rng.random(300) < 1 / (1 + np.exp(2 - 4 * values[:, 1]))).astype(np.float64)
    probabilities = rng.choice([0.1, 0.5, 1.0], 300)
    ours = fit(Examples(values, abusive, probabilities, np.arange(300)), penalty=0.5)
    weights = 1 / probabilities
    theirs = LogisticRegression(C=2.0, tol=1e-10, max_iter=10_000)
    others = [name != INTERCEPT for name in HAND_SET]
    theirs.fit(values[:, others], abusive, sample_weight=weights / weights.mean())
    learned = [ours[name] for name in HAND_SET if name != INTERCEPT]
    assert learned == pytest.approx(theirs.coef_[0], abs=1e-3)
    assert ours[INTERCEPT] == pytest.approx(theirs.intercept_[0], abs=1e-3)


def example(
    seed: int, inverted: bool, like: Mapping[str, float] | None = None
) -> tuple[list[Review], dict[tuple[Any, str], dict[str, float]]]:
    """Networks whose abuse follows the features, or the other way round, or some weights."""
    rng = np.random.default_rng(seed)
    values = rng.random((400, len(FEATURES)))
    odds = 10 * (values.mean(axis=1) - 0.5)
    if like is not None:
        # All are named by a signature, as `drawn` has it.
        odds = like[INTERCEPT] + like[MATCHED] + values @ [like[name] for name in FEATURES]
    abusive = rng.random(400) < 1 / (1 + np.exp(odds if inverted else -odds))
    found = reviewed(400, abusive.astype(np.float64))
    return found, features_of(found, values)


def test_weights_that_are_better_on_later_networks_are_used() -> None:
    comparison = compare(*example(1, inverted=True))
    assert comparison.used
    assert comparison.learned_loss is not None and comparison.hand_set_loss is not None
    assert comparison.learned_loss < comparison.hand_set_loss
    rows = weight_rows(comparison)
    assert weights_in_use(rows) == comparison.learned


def test_what_was_true_only_earlier_is_not_used() -> None:
    """Abuse turned around between the days: what was learned is worse than what was set by hand."""
    found, features = example(2, inverted=False)
    turned = [
        Review(each.row, not each.abusive, False, each.labelled_at)
        if each.row["ds"] < DAY
        else each
        for each in found
    ]
    comparison = compare(turned, features)
    assert not comparison.used
    assert weights_in_use(weight_rows(comparison)) == HAND_SET


def test_what_chance_explains_is_not_used() -> None:
    """The hand-set weights are the truth: what is learned differs from them by luck, each time."""
    compared = [compare(*example(seed, inverted=False, like=HAND_SET)) for seed in range(20)]
    luckily_better = [
        each
        for each in compared
        if each.learned_loss is not None
        and each.hand_set_loss is not None
        and each.learned_loss < each.hand_set_loss
    ]
    assert len(luckily_better) >= 1
    assert sum(each.used for each in compared) <= 1


@pytest.mark.parametrize("networks", [0, 1, 10])
def test_from_few_networks_nothing_is_used(networks: int) -> None:
    found = reviewed(networks, np.arange(networks) % 2.0)
    comparison = compare(found, features_of(found, np.zeros((networks, len(FEATURES)))))
    assert not comparison.used
    assert weights_in_use(weight_rows(comparison)) == HAND_SET


def test_no_network_is_on_both_sides() -> None:
    early, again, other = date(2026, 11, 1), DAY, DAY
    rows = [
        drawn("a", "a", subject_type="network", ds=early, lineage=["a"]),
        drawn("b", "b", subject_type="network", ds=again, lineage=["a", "b"]),
        drawn("c", "c", subject_type="network", ds=other),
    ]
    trained, held_out = split(reviews(rows, [said(row, subject_type="network") for row in rows]))
    assert trained.tolist() == [True, False, False]
    assert held_out.tolist() == [False, False, True]


def test_without_a_table_the_weights_are_those_set_by_hand() -> None:
    assert weights_in_use([]) == HAND_SET
