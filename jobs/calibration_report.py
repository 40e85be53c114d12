"""The report of a calibration: what is precise enough, what is not, and what that would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import numpy as np

from jobs.printing import print_table
from signatures.calibration import standing
from signatures.ranking import (
    Judged,
    average_precision,
    precision_at,
    reliability,
    threshold_for,
)
from signatures.reviews import Review, blind_agreement, clusters

LOOKED_AT = (10, 50, 100, 500)
"""k of precision at k: networks that reviewers see first."""

WANTED = (0.80, 0.90, 0.95, 0.98, 0.99)
"""Precisions for which the threshold is told."""

Row = Mapping[str, Any]


def report(
    rows: Sequence[Row],
    found: Sequence[Review],
    samples: Sequence[Row],
    labels: Sequence[Row],
    fresh: timedelta,
    day: date,
) -> dict[str, Any]:
    """All figures of a calibration as JSON; days as text, what has no sample as null."""
    told = [
        {
            **row,
            "measured_on": str(row["measured_on"] or "") or None,
            "standing": standing(row, day, fresh),
        }
        for row in rows
    ]
    return {
        "ds": str(day),
        "reviewed": len(found),
        "calibration": told,
        "agreement": asdict(blind_agreement(samples, labels)),
        "ranking": _ranking(found),
    }


def _ranking(found: Sequence[Review]) -> dict[str, Any]:
    """How well the likelihood of networks orders them, the quiet ones included."""
    networks = [
        each
        for each in found
        if each.row["subject_type"] == "network" and each.row["likelihood"] is not None
    ]
    if not networks:
        return {}
    judged = Judged(
        np.array([each.row["likelihood"] for each in networks], np.float64),
        np.array([each.abusive for each in networks], np.float64),
        np.array([each.row["sampling_probability"] for each in networks], np.float64),
        clusters(networks),
    )
    thresholds = {wanted: threshold_for(judged, wanted) for wanted in WANTED}
    return {
        "networks": len(networks),
        "average_precision": average_precision(judged),
        "precision_at": {str(k): precision_at(judged, k) for k in LOOKED_AT},
        "reliability": [asdict(each) for each in reliability(judged)],
        "thresholds": {
            str(wanted): None if each is None else asdict(each)
            for wanted, each in thresholds.items()
        },
    }


def print_report(content: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    """Print a report's main figures; `titles` are those of the signatures by id."""
    rows = content["calibration"]
    _print_precision([row for row in rows if _is_whole(row)], titles)
    _print_rows("Recall", [row for row in rows if row["measure"] == "recall"])
    ranking = content["ranking"]
    if ranking:
        _print_ranking(ranking)
    _print_weights(content["learned_weights"])
    agreement = content["agreement"]
    print_table(
        "Two reviewers, neither knowing of the other",
        ("subjects", "agree", "kappa"),
        [(agreement["pairs"], _rounded(agreement["share"]), _rounded(agreement["kappa"]))],
    )


def _is_whole(row: Row) -> bool:
    of_signature = (row["measure"], row["level"], row["scope"]) == (
        "precision",
        "account",
        "signature",
    )
    return of_signature and (row["market"], row["stratum"]) == ("*", "*")


def _print_precision(rows: Sequence[Row], titles: Mapping[str, str]) -> None:
    print_table(
        "Account precision of signatures, 95% interval",
        ("signature", "standing", "estimate", "low", "high", "networks", "wanted", "needed"),
        [
            (
                titles.get(row["scope_id"], row["scope_id"]),
                row["standing"],
                _rounded(row["estimate"]),
                _rounded(row["low"]),
                _rounded(row["high"]),
                row["networks"],
                row["wanted"],
                row["needed_networks"],
            )
            for row in rows
        ],
    )


def _print_rows(title: str, rows: Sequence[Row]) -> None:
    print_table(
        title,
        ("level", "market", "stratum", "estimate", "low", "high", "networks"),
        [
            (
                row["level"],
                row["market"],
                row["stratum"],
                *(_rounded(row[name]) for name in ("estimate", "low", "high")),
                row["networks"],
            )
            for row in rows
        ],
    )


def _print_ranking(ranking: Mapping[str, Any]) -> None:
    print_table(
        f"Likelihood of {ranking['networks']} reviewed networks",
        ("average precision", *(f"at {k}" for k in ranking["precision_at"])),
        [
            (
                _rounded(ranking["average_precision"]),
                *map(_rounded, ranking["precision_at"].values()),
            )
        ],
    )
    print_table(
        "Reliability: what was said, and what is",
        ("likelihood", "mean", "abusive", "low", "high", "networks"),
        [
            (
                row["begins"],
                _rounded(row["mean"]),
                *(_rounded(row["observed"][name]) for name in ("value", "low", "high")),
                row["observed"]["subjects"],
            )
            for row in ranking["reliability"]
        ],
    )
    print_table(
        "Threshold that reaches a network precision, and the recall it leaves",
        ("wanted", "likelihood", "precision", "low", "recall"),
        [
            (wanted, *(("none", None, None, None) if each is None else _threshold(each)))
            for wanted, each in ranking["thresholds"].items()
        ],
    )


def _print_weights(told: Mapping[str, Any]) -> None:
    title = f"Likelihood on {told['held_out']} held-out networks, {told['trained']} trained on"
    used = {True: "learned", False: "hand_set"}[told["used"]]
    print_table(
        title,
        ("weights", "used", "loss", "average precision", "smaller loss by at least"),
        [
            (
                name.replace("_", "-"),
                name == used,
                _rounded(told[f"{name}_loss"]),
                _rounded(told[f"{name}_average_precision"]),
                _rounded(told["gain_low"]) if name == "learned" else None,
            )
            for name in ("hand_set", "learned")
        ],
    )


def _threshold(found: Row) -> tuple[Any, ...]:
    estimate = found["precision"]
    return (
        _rounded(found["score"]),
        _rounded(estimate["value"]),
        _rounded(estimate["low"]),
        _rounded(found["recall"]),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
