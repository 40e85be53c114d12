"""Measured precision: what counts, in which market and stratum, who borrows, and for how long."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.config import Floors
from signatures.calibration import ALL, CALIBRATION, band, bounds_on, calibrate, standing
from signatures.estimators import proportion
from signatures.reviews import blind_agreement, clusters, reviews
from tests.signatures.reviewed import DAY, FARM, LIBRARY, drawn, said, signature

FLOORS = dict(Floors())
FRESH = timedelta(days=90)
Rows = list[dict[str, Any]]


def measured(samples: Rows, labels: Rows) -> Rows:
    rows = calibrate(reviews(samples, labels), LIBRARY, FLOORS)
    assert pa.Table.from_pylist(rows, schema=CALIBRATION.schema).num_rows == len(rows)
    keys = [tuple(row[name] for name in CALIBRATION.key) for row in rows]
    assert len(set(keys)) == len(keys)
    return rows


def row_of(rows: Rows, **wanted: str) -> dict[str, Any]:
    usual = {"measure": "precision", "level": "account", "scope": "signature", "scope_id": FARM}
    usual |= {"market": ALL, "stratum": ALL}
    (found,) = (row for row in rows if (usual | wanted).items() <= row.items())
    return found


def farms(count: int, size: int = 5, **changes: Any) -> Rows:
    return [
        drawn(f"n{number}", f"n{number}-{place}", **changes)
        for number in range(count)
        for place in range(size)
    ]


def test_precision_is_the_weighted_share_with_its_interval_over_networks() -> None:
    samples = farms(20)
    samples[0] |= {"sampling_probability": 0.25}
    labels = [said(row, "benign" if row["network_id"] == "n1" else "abusive") for row in samples]
    row = row_of(measured(samples, labels))
    correct = np.array([each["network_id"] != "n1" for each in samples], np.float64)
    weights = np.array([each["sampling_probability"] for each in samples])
    expected = proportion(correct, weights, np.repeat(np.arange(20), 5))
    assert (row["estimate"], row["low"], row["high"]) == (
        expected.value,
        expected.low,
        expected.high,
    )
    assert (row["networks"], row["subjects"], row["measured_on"]) == (20, 100, DAY)
    assert row["wanted"] == FLOORS["suspend"], "what the signature's action needs"


def test_markets_and_strata_are_measured_by_themselves() -> None:
    samples = farms(30)
    for number, row in enumerate(samples):
        row |= {"market": "fr" if number >= 100 else "de", "stratum": ["own", "shared"][number % 2]}
    labels = [said(row, "benign" if row["market"] == "fr" else "abusive") for row in samples]
    rows = measured(samples, labels)
    assert row_of(rows, market="de")["estimate"] == 1
    assert row_of(rows, market="fr")["estimate"] == 0
    assert row_of(rows, stratum="shared")["estimate"] == pytest.approx(2 / 3, abs=0.01)
    assert row_of(rows, scope="family", scope_id="device")["networks"] == 30
    assert row_of(rows, scope="band", scope_id="0.7-0.8")["networks"] == 30


def test_a_signature_without_a_sample_borrows_from_its_kind_and_says_so() -> None:
    samples = farms(30)
    rows = measured(samples, [said(row) for row in samples])
    kin, stranger = signature("Emulator farm"), signature("Copypasta ring")
    borrowed = row_of(rows, scope_id=str(kin.id))
    assert borrowed["borrowed_from"] == kin.abuse_type == signature("Device farm").abuse_type
    assert borrowed["low"] == row_of(rows)["low"]
    assert standing(borrowed, DAY, FRESH) == "borrowed"
    empty = row_of(rows, scope_id=str(stranger.id))
    assert (empty["estimate"], empty["low"]) == (None, 0)
    assert standing(empty, DAY, FRESH) == "no sample"
    assert empty["needed_networks"] == 72, "as many without an error show 95%"


def test_recall_counts_what_was_missed_in_quiet_networks_and_outside() -> None:
    quiet = {"signature_id": None, "candidate": False, "restrictable": False}
    samples = [
        *farms(4, 1),
        drawn("q", "missed", sampling_probability=0.5, **quiet),
        drawn(None, "alone", sampling_probability=0.5, **quiet | {"market": None, "stratum": None}),
        drawn("q", "innocent", **quiet),
    ]
    labels = [
        said(row, "benign" if row["subject_id"] == "innocent" else "abusive") for row in samples
    ]
    row = row_of(measured(samples, labels), measure="recall", scope="all", scope_id=ALL)
    assert row["estimate"] == pytest.approx(4 / (4 + 2 + 2))


def test_challenges_are_measured_over_accounts_with_weaker_links_too() -> None:
    samples = [*farms(20), *farms(20, 1, restrictable=False, sample_id="s2")]
    labels = [said(row, "abusive" if row["restrictable"] else "benign") for row in samples]
    rows = measured(samples, labels)
    assert row_of(rows)["estimate"] == 1
    assert row_of(rows, measure="challenge_precision")["estimate"] == pytest.approx(100 / 120)


@pytest.mark.parametrize(
    ("role", "verdicts", "right"),
    [
        ("actor", [("abusive", None)], True),
        ("actor", [("abusive", "actor")], True),
        ("actor", [("abusive", "compromised")], False),
        ("compromised", [("abusive", "compromised")], True),
        ("compromised", [("abusive", None)], False),
        ("actor", [("unsure", None)], False),
        ("actor", [("abusive", None), ("benign", None)], False),
    ],
)
def test_a_doubt_or_another_role_never_speaks_against_anybody(
    role: str, verdicts: list[tuple[str, str | None]], right: bool
) -> None:
    row = drawn("n", "a", role=role)
    labels = [
        said(row, verdict, role=given_role, reviewer=f"reviewer-{number}")
        for number, (verdict, given_role) in enumerate(verdicts)
    ]
    (review,) = reviews([row], labels)
    assert review.as_said is right


def test_only_labels_of_samples_are_measured() -> None:
    row = drawn("n", "a")
    assert reviews([row], [said(row, source=other) for other in ("appeal", "report")]) == []


def test_networks_of_one_lineage_are_one_observation() -> None:
    rows = [
        drawn("b", "1", lineage=["a", "b"]),
        drawn("c", "2", lineage=["a", "c"]),
        drawn("d", "3"),
        drawn(None, "4"),
        drawn("b", "5", lineage=["b"]),
    ]
    numbers = clusters(reviews(rows, [said(row) for row in rows]))
    assert numbers.tolist() == [0, 0, 1, 2, 0]


def test_two_reviewers_agree_only_if_neither_knew_of_the_other() -> None:
    row = drawn("n", "a", reviews=2)
    blind = [said(row, reviewer=name, blind=True) for name in ("reviewer-1", "reviewer-2")]
    assert blind_agreement([row], blind).share == 1
    assert blind_agreement([row], [blind[0], blind[1] | {"label": "benign"}]).share == 0
    assert blind_agreement([row], [blind[0], blind[1] | {"blind": False}]).pairs == 0
    assert blind_agreement([row], [blind[0], blind[1] | {"reviewer": "Reviewer-1"}]).pairs == 0


def bounds(rows: Rows, day: date) -> Rows:
    found: Rows = bounds_on(rows, day, FRESH).to_pylist()
    return found


def test_a_calibration_is_fresh_for_ninety_days_of_its_newest_label() -> None:
    samples = farms(30)
    rows = measured(samples, [said(row) for row in samples])
    places = {(None, None), ("de", None), (None, "own")}
    own = [row for row in bounds(rows, DAY) if row["signature_id"] == FARM]
    assert {(row["market"], row["stratum"]) for row in own} == places
    for row in own:
        assert (row["measured"], row["borrowed"]) == (1, False)
        assert row["lower"] == row["challenge_lower"] == pytest.approx(0.025 ** (1 / 30))
    assert bounds(rows, DAY + timedelta(days=89)) == bounds(rows, DAY)
    assert bounds(rows, DAY + timedelta(days=90)) == []
    assert bounds(rows, DAY - timedelta(days=1)) == [], "nothing is measured before its labels"
    assert standing(row_of(rows), DAY + timedelta(days=90), FRESH) == "stale"


def test_without_any_calibration_nothing_has_a_bound() -> None:
    assert bounds([], DAY) == []
    assert bounds(measured([], []), DAY) == []
    assert standing(None, DAY, FRESH) == "no sample"


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from(["de", "fr", None]),
            st.sampled_from(["abusive", "benign", "unsure"]),
            st.integers(0, 200),
            st.booleans(),
        ),
        max_size=30,
    ),
    st.integers(0, 200),
)
def test_nothing_stale_borrowed_or_missing_has_a_bound_of_its_own(
    made: list[tuple[int, str | None, str, int, bool]], age: int
) -> None:
    """Of any sample, on any day: each bound rests on fresh labels of that very place."""
    samples, labels = [], []
    day = DAY + timedelta(days=age)
    for number, (network, market, verdict, days, strong) in enumerate(made):
        samples.append(drawn(f"n{network}", str(number), market=market, restrictable=strong))
        at = datetime(2026, 11, 22, tzinfo=UTC) - timedelta(days=days)
        labels.append(said(samples[-1], verdict, labelled_at=at))
    for bound in bounds(measured(samples, labels), day):
        resting = [
            row["subject_id"]
            for row, (_, _, _, days, strong) in zip(samples, made, strict=True)
            if bound["market"] in (None, row["market"])
            and (strong or bound["lower"] is None)
            and days + age < 90
        ]
        assert resting
        assert bound["borrowed"] == (bound["signature_id"] != FARM) or not any(
            strong for *_, strong in made
        )


def test_a_band_is_a_tenth() -> None:
    assert [band(each) for each in (0.0, 0.55, 0.9, 1.0)] == [
        "0.0-0.1",
        "0.5-0.6",
        "0.9-1.0",
        "0.9-1.0",
    ]
