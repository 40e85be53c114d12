"""The report of a calibration: what is precise enough, what is not, and what that would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from jobs.printing import print_table
from signatures.calibration import ALL, standing
from signatures.likelihood_ranking import rankings
from signatures.reviews import Review, blind_agreement

Row = Mapping[str, Any]

PLACE = ("market", "stratum")


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
        "ranking": [asdict(each) for each in rankings(found)],
    }


def print_report(content: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    """Print a report's main figures; `titles` are those of the signatures by id."""
    rows = content["calibration"]
    _print_precision([row for row in rows if _is_whole(row)], titles)
    recall = [row for row in rows if row["measure"] == "recall"]
    _print_rows("Recall: accounts that only measuring keeps from an action, networks named", recall)
    _print_ranking(content["ranking"])
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
    return of_signature and _is_everywhere(row)


def _is_everywhere(row: Row) -> bool:
    return all(row[name] == ALL for name in PLACE)


def _print_precision(rows: Sequence[Row], titles: Mapping[str, str]) -> None:
    print_table(
        "Account precision of signatures, 95% interval (accounts that only measuring keeps back)",
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


def _print_ranking(ranking: Sequence[Row]) -> None:
    """Print the order of networks by place; of bins, all overall, elsewhere the surprising ones."""
    print_table(
        "How well the likelihood orders reviewed networks, with 95% intervals",
        (
            *PLACE,
            "networks",
            "abusive",
            "average precision",
            *(f"at {k}" for k in ranking[0]["precision_at"]),
            "why not",
        ),
        [
            (
                *(each[name] for name in PLACE),
                each["abusive"]["clusters"],
                _interval(each["abusive"]),
                _rounded(each["average_precision"]["figure"]),
                *(_interval(told["figure"]) for told in each["precision_at"].values()),
                _reasons(each),
            )
            for each in ranking
        ],
    )
    enough = [each for each in ranking if each["reliability"]["figure"] is not None]
    if not enough:
        return
    print_table(
        "Reliability: what was said, and what is; in markets and strata where they differ",
        (*PLACE, "likelihood", "mean", "abusive", "low", "high", "networks"),
        [
            (
                *(each[name] for name in PLACE),
                row["begins"],
                _rounded(row["mean"]),
                *(_rounded(row["observed"][name]) for name in ("value", "low", "high")),
                row["observed"]["clusters"],
            )
            for each in enough
            for row in each["reliability"]["figure"]
            if _is_everywhere(each)
            or not row["observed"]["low"] <= row["mean"] <= row["observed"]["high"]
        ],
    )
    print_table(
        "Likelihood from which on a network precision is reached, and the recall it leaves",
        (*PLACE, *ranking[0]["thresholds"]),
        [
            (*(each[name] for name in PLACE), *map(_threshold, each["thresholds"].values()))
            for each in enough
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


def _reasons(ranking: Row) -> str:
    """Why figures of an order are missing, each reason once."""
    told = [ranking["average_precision"], *ranking["precision_at"].values()]
    return "; ".join(dict.fromkeys(each["reason"] for each in told if each["reason"] is not None))


def _threshold(told: Row) -> str:
    found = told["figure"]
    if found is None:
        return "none"
    return f"{found['score']:.3f} leaves {found['recall']:.3f}"


def _interval(found: Row | None) -> str | None:
    """An estimate with its interval, e.g. `0.90 (0.82-0.95)`."""
    if found is None or found["value"] is None:
        return None
    return f"{found['value']:.2f} ({found['low']:.2f}-{found['high']:.2f})"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
