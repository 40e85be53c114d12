"""Samples for reviewers: what they are drawn from, and the file that is filled in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from graph.build import NODES
from graph.features.computed import ACCOUNT_FEATURES_TABLE
from graph.frames import DataFrame, F
from graph.networks import NETWORKS
from graph.tables import Table
from jobs.files import make_private
from signatures.inclusions import INCLUSIONS
from signatures.review_sample import Population, blank_labels
from signatures.scores import SCORES

SHARED_ADDRESS = "shared_address_ratio"


def population(read: Callable[[Table], DataFrame]) -> Population:
    """What a day's samples are drawn from; `read` gives a table's day."""
    features = read(ACCOUNT_FEATURES_TABLE).filter(F.col("feature") == SHARED_ADDRESS)
    accounts = read(NODES).filter(F.col("node_type") == "account")
    return Population(
        networks=read(NETWORKS),
        scores=read(SCORES),
        inclusions=read(INCLUSIONS),
        shared_address=features.select("account_id", F.col("value").alias(SHARED_ADDRESS)),
        accounts=accounts.select(F.col("node_id").alias("account_id")),
    )


def write_blank_labels(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write the labels of a sample as JSON lines; a file that people may be at is left alone.

    JSON lines, because spreadsheets turn ids into numbers and formulas.
    """
    make_private(folder)
    path = folder / f"{name}.jsonl"
    if not path.exists():
        lines = (json.dumps(row, ensure_ascii=False) for row in blank_labels(rows))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
