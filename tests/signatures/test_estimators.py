"""Intervals against scipy and statsmodels, and their coverage by simulation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import proportion_confint

from signatures.estimators import (
    NOTHING,
    Doubles,
    Estimate,
    Integers,
    agreement,
    clopper_pearson,
    mean_low,
    needed_clusters,
    proportion,
)

SAMPLES = 2_000
Errors = Callable[[np.random.Generator, Integers], Doubles]


def of(
    correct: list[float], clusters: list[int], probabilities: list[float] | None = None
) -> Estimate:
    return proportion(
        np.array(correct, np.float64),
        np.array(probabilities or [1.0] * len(correct)),
        np.array(clusters, np.int64),
    )


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_that_of_scipy_and_statsmodels(counts: tuple[int, int]) -> None:
    hits, observations = counts
    ours = clopper_pearson(hits / observations, observations)
    theirs = proportion_confint(hits, observations, alpha=0.05, method="beta")
    assert ours == pytest.approx(theirs, abs=1e-9)
    exact = stats.binomtest(hits, observations).proportion_ci(0.95, method="exact")
    assert ours == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_weights_are_the_inverse_of_the_sampling_probability() -> None:
    estimate = of([1, 0, 1], [1, 2, 3], [0.1, 1, 0.5])
    assert estimate.value == pytest.approx((10 + 2) / (10 + 1 + 2))


def test_the_variance_is_that_of_a_ratio_over_clusters() -> None:
    """With one account a cluster and equal weights it is the textbook variance of a mean."""
    correct = [1.0] * 60 + [0.0] * 40
    estimate = of(correct, list(range(100)))
    mean = np.mean(correct)
    assert mean * (1 - mean) / (np.var(correct, ddof=1) / 100) == pytest.approx(99)
    student = stats.t.ppf(0.975, 99)
    penalised = 99 * (stats.norm.ppf(0.975) / student) ** 2
    assert estimate.effective == pytest.approx(penalised)
    assert (estimate.low, estimate.high) == pytest.approx(clopper_pearson(0.6, penalised))


def test_without_errors_a_network_is_one_observation() -> None:
    """A thousand accounts of ten networks prove no more than ten networks do."""
    estimate = of([1.0] * 1000, [place // 100 for place in range(1000)])
    assert (estimate.value, estimate.high, estimate.effective) == (1, 1, pytest.approx(10))
    assert estimate.low == pytest.approx(0.025 ** (1 / 10))


def test_the_bound_of_a_mean_is_that_of_scipy_and_of_clusters() -> None:
    rng = np.random.default_rng(3)
    values, alike = rng.normal(0.2, 1, 50), np.ones(50)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean_low(values, alike, np.arange(50)) == pytest.approx(theirs.low)
    twice = np.repeat(values, 2), np.repeat(alike, 2)
    assert mean_low(*twice, np.repeat(np.arange(50), 2)) == pytest.approx(theirs.low)
    assert mean_low(values, alike, np.zeros(50, np.int64)) is None


def test_nothing_judged_is_no_estimate() -> None:
    assert of([], []) == NOTHING
    assert (NOTHING.low, NOTHING.high) == (0, 1)


def test_a_probability_must_be_one() -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        of([1], [1], [0.0])


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 8), st.floats(0.01, 1)), min_size=1, max_size=60
    )
)
@example([(True, 0, 0.03125), (False, 1, 0.34375), (False, 2, 0.71875)])
def test_an_interval_holds_its_estimate_and_is_no_narrower_than_independence(
    rows: list[tuple[bool, int, float]],
) -> None:
    estimate = of([float(r[0]) for r in rows], [r[1] for r in rows], [r[2] for r in rows])
    assert estimate.value is not None
    assert 0 <= estimate.low <= estimate.value + 1e-9
    assert estimate.value - 1e-9 <= estimate.high <= 1
    assert 1 <= estimate.effective <= len(rows) + 1e-6
    order = list(reversed(rows))
    again = of([float(r[0]) for r in order], [r[1] for r in order], [r[2] for r in order])
    assert again.low == pytest.approx(estimate.low, abs=1e-9)


def whole_networks(share: float) -> Errors:
    return lambda rng, sizes: (rng.random(len(sizes)) < share).astype(np.float64)


def leaning_networks(share: float, correlation: float) -> Errors:
    """Each network has an error rate of its own (beta-binomial)."""
    odds = 1 / correlation - 1
    return lambda rng, sizes: rng.beta(share * odds, (1 - share) * odds, len(sizes))


@pytest.mark.parametrize(
    ("networks", "share", "errors", "sampled"),
    [
        (12, 0.05, whole_networks(0.05), False),
        (20, 0.2, leaning_networks(0.2, 0.3), False),
        (60, 0.05, leaning_networks(0.05, 0.3), True),
        (100, 0.01, whole_networks(0.01), True),
        (200, 0.02, leaning_networks(0.02, 0.15), False),
        (200, 0.01, leaning_networks(0.01, 0.3), False),
    ],
)
def test_the_interval_covers_the_truth(
    networks: int, share: float, errors: Errors, sampled: bool
) -> None:
    """At least 93% of 2,000 samples, however errors cluster and however few there are."""
    rng = np.random.default_rng(20261124)
    covered = 0
    for _ in range(SAMPLES):
        sizes = 1 + rng.geometric(1 / 15, networks)
        rates = errors(rng, sizes)
        judged = np.minimum(sizes, 20) if sampled else sizes
        clusters = np.repeat(np.arange(networks), judged)
        correct = (rng.random(len(clusters)) >= rates[clusters]).astype(np.float64)
        estimate = proportion(correct, (judged / sizes)[clusters], clusters)
        covered += estimate.low <= 1 - share <= estimate.high
    assert covered / SAMPLES >= 0.93


def test_the_needed_sample_is_the_smallest_that_would_do() -> None:
    """299 networks without an error are known to show 99% at one-sided 95%; two-sided needs 368."""
    needed = needed_clusters(NOTHING, 0.99)
    assert needed == 368
    assert clopper_pearson(1, 368)[0] >= 0.99 > clopper_pearson(1, 367)[0]


def test_no_sample_proves_more_than_the_estimate() -> None:
    assert needed_clusters(of([1.0] * 90 + [0.0] * 10, list(range(100))), 0.95) is None


@given(st.lists(st.tuples(*[st.sampled_from(["abusive", "benign", "unsure"])] * 2), min_size=1))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    ours = agreement(first, second)
    if len(set(first) | set(second)) == 1:
        assert ours.kappa is None
        return
    assert ours.kappa == pytest.approx(cohen_kappa_score(first, second))
    assert ours.share == np.mean([a == b for a, b in pairs])
