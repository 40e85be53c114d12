"""The likelihood's order by market and stratum, against scikit-learn on the networks of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from signatures.calibration import ALL
from signatures.likelihood_ranking import LOOKED_AT, WANTED, Ranking, rankings
from signatures.reviews import Review, reviews
from tests.signatures.reviewed import drawn, said

Network = tuple[float, bool, float, str | None, str | None]
"""Likelihood, whether it is abusive, sampling probability, market and stratum."""


def reviewed(networks: Sequence[Network]) -> list[Review]:
    rows, labels = [], []
    for number, (likelihood, abusive, chance, market, stratum) in enumerate(networks):
        told = {"likelihood": likelihood, "sampling_probability": chance}
        place = {"market": market, "stratum": stratum}
        name = f"n{number}"
        rows.append(drawn(name, name, subject_type="network", role=None, **told, **place))
        labels.append(said(rows[-1], "abusive" if abusive else "benign"))
    return reviews(rows, labels)


def of_place(found: list[Ranking], market: str = ALL, stratum: str = ALL) -> Ranking:
    (ranking,) = (each for each in found if (each.market, each.stratum) == (market, stratum))
    return ranking


def many(count: int, likelihood: float, abusive: bool, market: str) -> list[Network]:
    return [(likelihood, abusive, 1.0, market, "own")] * count


def test_a_good_order_overall_hides_the_bad_one_of_a_market() -> None:
    """In fr the ten innocents, behind one carrier, stand in front of the ten operators."""
    german = many(100, 0.9, True, "de") + many(100, 0.1, False, "de")
    french = many(10, 0.8, False, "fr") + many(10, 0.3, True, "fr")
    found = rankings(reviewed(german + french))
    overall, de, fr = of_place(found), of_place(found, "de"), of_place(found, "fr")

    assert overall.average_precision.figure == pytest.approx((100 + 10 * 110 / 120) / 110)
    assert de.average_precision.figure == 1
    assert fr.average_precision.figure == 0.5, "no better than an order without any sense"

    best = [each.precision_at["10"].figure for each in (overall, de, fr)]
    assert [each and each.value for each in best] == [1, 1, 0]
    threshold = overall.thresholds["0.8"].figure
    assert threshold is not None and threshold.score == 0.3, "overall even they may pass"
    assert fr.thresholds["0.8"].figure is None
    assert fr.thresholds["0.8"].reason == "no likelihood reaches it"
    bins = fr.reliability.figure
    assert bins is not None
    assert [(each.begins, each.observed.value) for each in bins] == [(0.3, 1), (0.8, 0)]


def test_of_few_networks_nothing_is_told_but_why() -> None:
    german = many(20, 0.9, True, "de") + many(20, 0.1, False, "de")
    found = rankings(reviewed(german + many(8, 0.9, True, "fr") + many(8, 0.1, False, "fr")))
    few = of_place(found, "fr")
    told = [few.average_precision, *few.precision_at.values(), few.reliability]
    for each in (*told, *few.thresholds.values()):
        assert (each.figure, each.reason) == (None, "networks reviewed: 16, needed: 17")
    assert few.abusive.clusters == 16
    assert of_place(found, "de").average_precision.figure == 1


def test_networks_of_one_lineage_are_one() -> None:
    found = reviewed(many(10, 0.9, True, "de") + many(10, 0.1, False, "de"))
    for each in found:
        each.row["lineage"].append("n0")  # type: ignore[index]
    assert of_place(rankings(found)).average_precision.reason == "networks reviewed: 1, needed: 17"


def test_an_order_needs_some_of_both_kinds() -> None:
    found = rankings(reviewed(many(30, 0.9, True, "de") + many(4, 0.1, False, "de")))
    overall = of_place(found)
    assert overall.average_precision.figure is None
    assert overall.average_precision.reason == "other networks reviewed: 4, needed: 5"
    assert overall.precision_at["10"].figure is not None
    assert overall.precision_at["50"].reason == "those reviewed stand for 34 networks"


def test_without_a_review_it_says_so() -> None:
    (overall,) = rankings([])
    assert overall.average_precision.reason == "networks reviewed: 0, needed: 17"
    assert overall.abusive.value is None


def test_accounts_and_networks_without_a_likelihood_are_not_ranked() -> None:
    rows = [drawn("n1", "a1", market="fr"), drawn("n2", "n2", subject_type="network")]
    rows[1]["likelihood"] = None
    found = rankings(reviews(rows, [said(row) for row in rows]))
    assert [(each.market, each.abusive.subjects) for each in found] == [
        (ALL, 0),
        (ALL, 0),
        ("de", 0),
        ("fr", 0),
    ]


NETWORKS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.2, 0.2, 0.7, 1.0]),
        st.booleans(),
        st.sampled_from([0.1, 0.25, 0.5, 1.0]),
        st.sampled_from(["de", "fr", None]),
        st.sampled_from(["own", "shared", None]),
    ),
    min_size=30,
    max_size=120,
)


@given(NETWORKS)
def test_every_place_is_ranked_as_scikit_learn_ranks_its_networks(networks: list[Network]) -> None:
    found = rankings(reviewed(networks))
    markets = {market for *_, market, _ in networks} - {None}
    strata = {stratum for *_, stratum in networks} - {None}
    expected = [(ALL, ALL), *((each, ALL) for each in markets), *((ALL, each) for each in strata)]
    assert [(each.market, each.stratum) for each in found] == sorted(expected)  # type: ignore[type-var]
    for ranking in found:
        here = [
            each
            for each in networks
            if ranking.market in (ALL, each[3]) and ranking.stratum in (ALL, each[4])
        ]
        abusive = [each[1] for each in here]
        told = ranking.average_precision
        if len(here) < 17 or not 5 <= sum(abusive) <= len(here) - 5:
            assert told.figure is None and told.reason
            continue
        scores, weights = [each[0] for each in here], [1 / each[2] for each in here]
        theirs = average_precision_score(abusive, scores, sample_weight=weights)
        assert told.figure == pytest.approx(theirs)


@given(NETWORKS, st.randoms(use_true_random=False))
def test_the_order_of_reviews_changes_nothing(networks: list[Network], random: Any) -> None:
    found = reviewed(networks)
    before = rankings(found)
    random.shuffle(found)
    assert rankings(found) == before


def test_every_figure_is_told_for_every_place_in_the_report() -> None:
    found = reviewed(many(20, 0.9, True, "de") + many(20, 0.1, False, "fr"))
    for row in json.loads(json.dumps([asdict(each) for each in rankings(found)])):
        assert list(row["precision_at"]) == [str(k) for k in LOOKED_AT]
        assert list(row["thresholds"]) == [str(wanted) for wanted in WANTED]
        figures = [row["average_precision"], row["reliability"]]
        figures += [*row["precision_at"].values(), *row["thresholds"].values()]
        assert all((each["figure"] is None) == (each["reason"] is not None) for each in figures)
