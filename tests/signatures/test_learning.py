"""Learned weights: fitted as by scikit-learn, tested on later networks, used only when better."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from signatures import learning
from signatures.estimators import Doubles
from signatures.learning import (
    FEWEST,
    Examples,
    fit,
    learn,
    log_loss,
    model_rows,
    split,
    weights_of,
)
from signatures.scores import HAND_SET, LIKELIHOOD_WEIGHTS, log_odds

DAY = date(2026, 11, 1)
FEATURES = list(LIKELIHOOD_WEIGHTS)


def world(
    weights: dict[str, float], networks: int = 400, days: int = 20, seed: int = 7
) -> Examples:
    """Networks that are abusive as often as the weights say, a few of them each day."""
    rng = np.random.default_rng(seed)
    terms: dict[str, Doubles] = {name: rng.random(networks) for name in FEATURES}
    terms["intercept"] = np.ones(networks)
    terms["matched"] = (rng.random(networks) < 0.4).astype(float)
    terms["explained"] = (rng.random(networks) < 0.3).astype(float)
    chances = 1 / (1 + np.exp(-log_odds(terms, weights)))
    return Examples(
        terms,
        (rng.random(networks) < chances).astype(float),
        rng.choice([0.2, 0.5, 1.0], networks),
        np.arange(networks),
        [DAY + timedelta(days=place * days // networks) for place in range(networks)],
    )


OTHERWISE = {name: -value for name, value in HAND_SET.items()}


def test_where_the_hand_set_weights_are_wrong_the_learned_ones_are_used() -> None:
    lesson = learn(world(OTHERWISE))
    assert lesson.used and lesson.gain is not None and lesson.gain > 0.3
    assert lesson.trained_networks + lesson.held_out_networks == 400
    assert lesson.trained_networks == pytest.approx(400 * 2 / 3, abs=20)
    assert weights_of(model_rows(lesson)) == lesson.weights


@pytest.mark.parametrize("seed", range(5))
def test_where_they_are_right_they_stay(seed: int) -> None:
    lesson = learn(world(HAND_SET, seed=seed))
    assert lesson.weights is not None and not lesson.used
    assert weights_of(model_rows(lesson)) is HAND_SET


def test_labels_of_one_day_teach_nothing() -> None:
    """Without a later day nothing could be tested."""
    lesson = learn(world(OTHERWISE, days=1))
    assert (lesson.weights, lesson.used, model_rows(lesson)) == (None, False, [])
    assert weights_of([]) is HAND_SET


def test_few_networks_teach_nothing() -> None:
    assert learn(world(OTHERWISE, networks=2 * FEWEST - 1)).weights is None


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=40),
    st.integers(0, 5),
)
def test_no_network_is_on_both_sides(rows: list[tuple[int, int]], cut: int) -> None:
    ages, clusters = (np.array(column) for column in zip(*rows, strict=True))
    days = [DAY + timedelta(days=int(age)) for age in ages]
    ones, last = np.ones(len(rows)), DAY + timedelta(days=cut)
    past, later = split(Examples({"intercept": ones}, ones, ones, clusters, days), last)
    assert not set(past.clusters.tolist()) & set(later.clusters.tolist())
    assert all(day <= last for day in past.days)
    assert all(day > last for day in later.days)


def test_the_fit_is_that_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn towards 0 instead of the hand-set weights it is plain ridge regression."""
    examples = world(OTHERWISE)
    nothing = dict.fromkeys(HAND_SET, 0.0)
    monkeypatch.setattr(learning, "HAND_SET", nothing)
    ours = fit(examples)
    design = np.column_stack([examples.terms[name] for name in HAND_SET])
    theirs = LogisticRegression(C=1 / learning.RIDGE, fit_intercept=False, tol=1e-10, max_iter=500)
    theirs.fit(design, examples.abusive, sample_weight=examples.weights)
    assert list(ours.values()) == pytest.approx(theirs.coef_[0].tolist(), abs=1e-4)


def test_without_evidence_a_fit_stays_at_the_hand_set_weights() -> None:
    """One network against the prior moves little; none of its terms leaves its place by much."""
    one = world(HAND_SET).where(np.arange(400) < 1)
    moved = fit(one)
    assert max(abs(moved[name] - HAND_SET[name]) for name in HAND_SET) < 1


def test_labels_that_separate_perfectly_do_not_run_away() -> None:
    examples = world(OTHERWISE)
    sure = (examples.terms["matched"] == 1).astype(float)
    certain = Examples(
        examples.terms, sure, examples.probabilities, examples.clusters, examples.days
    )
    weights = fit(certain)
    assert all(abs(value) < 20 for value in weights.values())
    assert np.isfinite(log_loss(certain, weights)).all()
