"""Measured precision and recall: of signatures, kinds of abuse, families and bands; who may borrow.

Everything is measured overall, by market and by stratum of shared infrastructure, so that nobody is
accused more lightly because their country or carrier shares addresses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from graph.tables import Table, columns
from signatures.estimators import NOTHING, Estimate, needed_clusters, proportion
from signatures.judgement import BOUNDS
from signatures.model import Signature
from signatures.reviews import Review, clusters

ALL = "*"
"""Stands for all markets, all strata, or all scopes."""

CALIBRATION = Table(
    name="calibration",
    grain="measure of a scope in a market or stratum",
    key=("measure", "level", "scope", "scope_id", "market", "stratum"),
    schema=columns(
        measure="string",  # precision | challenge_precision | recall
        level="string",  # network | account
        scope="string",  # all | signature | abuse_type | family | band (of likelihood)
        scope_id="string",
        market="string",  # ALL, or one of the two
        stratum="string",
        estimate="float64",  # null: no sample
        low="float64",  # 95% interval
        high="float64",
        subjects="int64",  # that were judged
        networks="int64",  # clusters: networks of one lineage, or accounts in none
        effective="float64",  # independent observations that the sample is worth
        wanted="float64",  # the lower bound that is needed
        needed_networks="int64",  # to reach it if the estimate holds; null: out of reach
        borrowed_from="string",  # the abuse type, where a signature has no sample of its own
        measured_on=pa.date32(),  # day of the newest label
    ),
)

Standing = Literal["measured", "borrowed", "stale", "no sample"]
Key = tuple[str, str]


@dataclass(frozen=True)
class Measure:
    """A share to estimate: of the subjects that `counts` chooses, those that are `right`."""

    name: str
    level: str
    counts: Callable[[Review], bool]
    right: Callable[[Review], bool]
    scoped: bool = True


MEASURES = (
    Measure("precision", "account", lambda each: each.row["restrictable"], lambda e: e.as_said),
    Measure(
        "challenge_precision", "account", lambda each: each.row["candidate"], lambda e: e.as_said
    ),
    Measure("precision", "network", lambda each: each.row["candidate"], lambda e: e.abusive),
    Measure("recall", "account", lambda e: e.abusive, lambda e: e.row["candidate"], scoped=False),
    Measure("recall", "network", lambda e: e.abusive, lambda e: e.row["candidate"], scoped=False),
)


def calibrate(
    found: Sequence[Review], library: Sequence[Signature], floors: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Measure all that can be measured; rows of CALIBRATION.

    Each signature has a row of account precision, if only to tell how many networks to sample.
    `floors` are those of the actions: a signature's action wants its own, all else the middle one.
    """
    abuse = [each for each in library if not each.benign and each.status != "deprecated"]
    types = {str(each.id): each.abuse_type for each in abuse}
    wanted = {
        ("signature", str(each.id)): floors[each.enforcement.action]
        for each in abuse
        if each.enforcement is not None
    }
    usual = sorted(floors.values())[len(floors) // 2]
    rows = []
    for measure in MEASURES:
        chosen = [
            each
            for each in found
            if each.row["subject_type"] == measure.level and measure.counts(each)
        ]
        for (scope, market, stratum), group in sorted(_groups(chosen, measure, types).items()):
            rows.append(_row(measure, scope, (market, stratum), group, wanted.get(scope, usual)))
    return [*rows, *_borrowed(rows, types, wanted, usual)]


def _groups(
    found: Iterable[Review], measure: Measure, types: Mapping[str, str | None]
) -> dict[tuple[Key, str, str], list[Review]]:
    groups: dict[tuple[Key, str, str], list[Review]] = defaultdict(list)
    for each in found:
        for scope in _scopes(each.row, types) if measure.scoped else [("all", ALL)]:
            for place in places(each.row):
                groups[scope, *place].append(each)
    return groups


def places(row: Mapping[str, Any]) -> Iterator[Key]:
    """Where a drawn subject counts: overall, in its market and in its stratum, if they are known.

    Each is a market and a stratum, ALL for all of them.
    """
    yield ALL, ALL
    if row["market"] is not None:
        yield row["market"], ALL
    if row["stratum"] is not None:
        yield ALL, row["stratum"]


def _scopes(row: Mapping[str, Any], types: Mapping[str, str | None]) -> Iterator[Key]:
    yield "all", ALL
    yield "signature", row["signature_id"]
    abuse_type = types.get(row["signature_id"])
    if abuse_type is not None:
        yield "abuse_type", abuse_type
    for family in row["families"] or []:
        yield "family", family
    if row["likelihood"] is not None:
        yield "band", band(row["likelihood"])


def band(likelihood: float) -> str:
    """The tenth of the scale in which a likelihood lies, e.g. `0.7-0.8`."""
    tenth = min(int(likelihood * 10), 9)
    return f"{tenth / 10:.1f}-{(tenth + 1) / 10:.1f}"


def _row(
    measure: Measure, scope: Key, place: Key, group: Sequence[Review], wanted: float
) -> dict[str, Any]:
    estimate = proportion(
        np.array([measure.right(each) for each in group], np.float64),
        np.array([each.row["sampling_probability"] for each in group], np.float64),
        clusters(group),
    )
    newest = max((each.labelled_at.date() for each in group), default=None)
    return _told(measure, scope, place, estimate, wanted) | {"measured_on": newest}


def _told(
    measure: Measure, scope: Key, place: Key, estimate: Estimate, wanted: float
) -> dict[str, Any]:
    return {
        "measure": measure.name,
        "level": measure.level,
        "scope": scope[0],
        "scope_id": scope[1],
        "market": place[0],
        "stratum": place[1],
        "estimate": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "subjects": estimate.subjects,
        "networks": estimate.clusters,
        "effective": estimate.effective,
        "wanted": wanted,
        "needed_networks": needed_clusters(estimate, wanted),
        "borrowed_from": None,
        "measured_on": None,
    }


def _borrowed(
    rows: Sequence[Mapping[str, Any]],
    types: Mapping[str, str | None],
    wanted: Mapping[Key, float],
    usual: float,
) -> Iterator[dict[str, Any]]:
    """Rows of the signatures that have no sample of their own: their kind's, or empty ones."""
    for measure in MEASURES:
        if not measure.scoped:
            continue
        of_it = [
            row for row in rows if (row["measure"], row["level"]) == (measure.name, measure.level)
        ]
        own = {row["scope_id"] for row in of_it if row["scope"] == "signature"}
        for signature, abuse_type in sorted(types.items()):
            if signature in own:
                continue
            scope = ("signature", signature)
            need = wanted.get(scope, usual)
            lent = [
                row
                for row in of_it
                if (row["scope"], row["scope_id"]) == ("abuse_type", abuse_type)
            ]
            for row in lent:
                yield {
                    **row,
                    "scope": scope[0],
                    "scope_id": signature,
                    "wanted": need,
                    "needed_networks": needed_clusters(NOTHING, need),
                    "borrowed_from": abuse_type,
                }
            if not lent:
                yield _told(measure, scope, (ALL, ALL), NOTHING, need)


def standing(row: Mapping[str, Any] | None, day: date, fresh: timedelta) -> Standing:
    """What a row of CALIBRATION is worth on a day; only `measured` may lead to a restriction.

    It counts from the day of its newest label for as long as it is fresh, never before. Measuring
    the same labels again does not make it younger.
    """
    if row is None or row["estimate"] is None or row["measured_on"] > day:
        return "no sample"
    if day - row["measured_on"] >= fresh:
        return "stale"
    return "borrowed" if row["borrowed_from"] is not None else "measured"


def bounds_on(rows: Iterable[Mapping[str, Any]], day: date, fresh: timedelta) -> pa.Table:
    """The bounds of account precision that hold on a day: rows of BOUNDS.

    What has no sample, is stale, or was measured later has no row, so that it can raise nobody.
    """
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        if (row["level"], row["scope"]) != ("account", "signature"):
            continue
        worth = standing(row, day, fresh)
        if worth not in ("measured", "borrowed"):
            continue
        place = (row["scope_id"], row["market"], row["stratum"])
        bound = found.setdefault(place, dict.fromkeys(BOUNDS.names) | {"borrowed": False})
        bound["signature_id"] = row["scope_id"]
        bound["market"] = None if row["market"] == ALL else row["market"]
        bound["stratum"] = None if row["stratum"] == ALL else row["stratum"]
        bound["borrowed"] = bound["borrowed"] or worth == "borrowed"
        if row["measure"] == "precision":
            bound |= {"lower": row["low"], "measured": row["estimate"]}
        elif row["measure"] == "challenge_precision":
            bound["challenge_lower"] = row["low"]
    ordered = [found[place] for place in sorted(found)]
    return pa.Table.from_pylist(ordered, schema=BOUNDS)
