"""Orders of scores against scikit-learn, and thresholds that keep their word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score

from signatures.ranking import (
    Judged,
    average_precision,
    precision_at,
    reliability,
    threshold_for,
)


def judged(rows: list[tuple[float, bool, float]]) -> Judged:
    """Each subject a cluster of its own."""
    scores, abusive, probabilities = (
        np.array(column, np.float64) for column in zip(*rows, strict=True)
    )
    return Judged(scores, abusive, probabilities, np.arange(len(rows)))


ROWS = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans(), st.floats(0.05, 1)),
    min_size=1,
    max_size=40,
)


@given(ROWS)
def test_average_precision_is_that_of_scikit_learn(rows: list[tuple[float, bool, float]]) -> None:
    sample = judged(rows)
    ours = average_precision(sample)
    if not sample.abusive.any():
        assert ours is None
        return
    theirs = average_precision_score(sample.abusive, sample.scores, sample_weight=sample.weights)
    assert ours == pytest.approx(theirs)


def test_precision_at_k_counts_the_population() -> None:
    """The best one stands for four, two of the next eight fill six places."""
    sample = judged([(0.9, True, 0.25), (0.5, False, 0.25), (0.5, True, 0.25)])
    best, more = precision_at(sample, 4), precision_at(sample, 6)
    assert best is not None and (best.value, best.subjects) == (1, 1)
    assert best.low < 0.05, "one network says little of four"
    assert more is not None and more.value == pytest.approx((4 + 1) / 6)
    assert precision_at(sample, 13) is None


COPIES = st.lists(
    st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.booleans(), st.integers(1, 5)),
    min_size=1,
    max_size=20,
)


@given(COPIES, st.integers(1, 60))
def test_precision_at_k_is_what_a_list_of_the_population_says(
    rows: list[tuple[float, bool, int]], k: int
) -> None:
    """Who was drawn with probability 1/3 stands there three times; ties are in no order."""
    population = [(score, abusive) for score, abusive, copies in rows for _ in range(copies)]
    found = precision_at(judged([(score, abusive, 1 / n) for score, abusive, n in rows]), k)
    if k > len(population):
        assert found is None
        return
    last = sorted((score for score, _ in population), reverse=True)[k - 1]
    before = [abusive for score, abusive in population if score > last]
    tied = [abusive for score, abusive in population if score == last]
    expected = sum(before) + (k - len(before)) * sum(tied) / len(tied)
    assert found is not None and found.value == pytest.approx(expected / k)


@given(COPIES)
def test_the_reliability_of_a_sample_is_that_of_a_list_of_the_population(
    rows: list[tuple[float, bool, int]],
) -> None:
    population = [(score, abusive) for score, abusive, copies in rows for _ in range(copies)]
    found = reliability(judged([(score, abusive, 1 / n) for score, abusive, n in rows]))
    abusive, said = calibration_curve(
        [abusive for _, abusive in population], [score for score, _ in population], n_bins=10
    )
    told = list(found)
    assert [each.mean for each in told] == pytest.approx(list(said))
    assert [each.observed.value for each in told] == pytest.approx(list(abusive))


def test_the_reliability_diagram_compares_what_was_said_with_what_is() -> None:
    low, high = reliability(judged([(0.72, True, 1), (0.78, False, 1), (0.05, False, 1)]))
    assert (low.begins, low.mean, low.observed.value) == (0.0, 0.05, 0)
    assert (high.begins, high.mean, high.observed.value) == (0.7, 0.75, 0.5)


def test_a_threshold_reaches_the_precision_and_tells_what_it_costs() -> None:
    rows = [(0.9, True, 1.0)] * 200 + [(0.6, place % 2 == 0, 1.0) for place in range(100)]
    found = threshold_for(judged(rows), 0.95)
    assert found is not None
    assert (found.score, found.precision.value) == (0.9, 1)
    assert found.recall == pytest.approx(200 / 250)
    assert threshold_for(judged(rows), 0.99) is None


@given(ROWS, st.floats(0.1, 0.9))
def test_a_threshold_never_promises_more_than_its_sample(
    rows: list[tuple[float, bool, float]], wanted: float
) -> None:
    sample = judged(rows)
    found = threshold_for(sample, wanted)
    if found is not None:
        assert sample.where(sample.scores >= found.score).estimate().low >= wanted


@given(ROWS, st.floats(0.1, 0.9))
def test_a_threshold_is_the_lowest_of_an_unbroken_row_of_precise_ones(
    rows: list[tuple[float, bool, float]], wanted: float
) -> None:
    sample = judged(rows)
    below = sorted({score for score, _, _ in rows}, reverse=True)
    reached = [sample.where(sample.scores >= score).estimate().low >= wanted for score in below]
    begin = reached.index(True) if any(reached) else len(reached)
    end = next((i for i in range(begin, len(reached)) if not reached[i]), len(reached))
    found = threshold_for(sample, wanted)
    if not any(reached):
        assert found is None
        return
    assert found is not None and found.score == below[end - 1]
    abusive = [(score, 1 / chance) for score, is_abusive, chance in rows if is_abusive]
    left = sum(weight for score, weight in abusive if score >= found.score)
    assert found.recall == pytest.approx(left / sum(weight for _, weight in abusive))
