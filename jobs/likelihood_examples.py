"""Judged networks with their features of the day on which they were drawn, to learn from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from pyarrow.dataset import field

from graph.features.computed import NETWORK_FEATURES_TABLE
from graph.published import read_rows
from graph.tables import Table
from jobs.warehouse import Warehouse
from signatures.learning import Examples
from signatures.review_sample import EXPLAINED
from signatures.reviews import Review, clusters
from signatures.scores import HAND_SET, LIKELIHOOD_WEIGHTS, SCORES


def examples(warehouse: Warehouse, found: Sequence[Review]) -> Examples:
    """The networks among the reviews whose day is still published; bounded by the reviews."""
    networks = [each for each in found if each.row["subject_type"] == "network"]
    by_day: dict[date, list[str]] = defaultdict(list)
    for each in networks:
        by_day[each.row["ds"]].append(each.row["subject_id"])
    known: dict[tuple[date, str], dict[str, float]] = {}
    for day, names in sorted(by_day.items()):
        known |= _terms(warehouse, day, sorted(set(names)))
    kept = [each for each in networks if (each.row["ds"], each.row["subject_id"]) in known]
    terms = [known[each.row["ds"], each.row["subject_id"]] for each in kept]
    return Examples(
        terms={name: np.array([row.get(name, 0.0) for row in terms]) for name in HAND_SET},
        abusive=np.array([each.abusive for each in kept], np.float64),
        probabilities=np.array([each.row["sampling_probability"] for each in kept], np.float64),
        clusters=clusters(kept),
        days=[each.row["ds"] for each in kept],
    )


def _terms(
    warehouse: Warehouse, day: date, names: Sequence[str]
) -> dict[tuple[date, str], dict[str, float]]:
    """The terms of networks on a day; what is absent is unknown and counts as 0."""
    tables = (SCORES, NETWORK_FEATURES_TABLE)
    if not all(warehouse.describe(table.name, day) for table in tables):
        return {}
    chosen = field("network_id").isin(names)

    def rows(table: Table) -> list[dict[str, Any]]:
        return read_rows(table, day, warehouse.path(table.name, day), chosen)

    found = {
        (day, row["network_id"]): {
            "intercept": 1.0,
            "matched": float(row["signature_id"] is not None),
            "explained": float(row["disposition"] == EXPLAINED),
        }
        for row in rows(SCORES)
    }
    for row in rows(NETWORK_FEATURES_TABLE):
        if row["feature"] in LIKELIHOOD_WEIGHTS and (day, row["network_id"]) in found:
            found[day, row["network_id"]][row["feature"]] = row["value"]
    return found
