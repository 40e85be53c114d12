"""Samples for reviewers: what they are drawn from, and the files that are filled in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
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

REVIEW = "review"
"""The folder under a home with the labels that are to be filled in."""

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


def write_blank_labels(
    folder: Path,
    name: str,
    rows: Sequence[Mapping[str, Any]],
    told: Mapping[str, Any] = MappingProxyType({}),
) -> list[Path]:
    """Write the labels of a sample as JSON lines, second reviews in a file of their own.

    In an order of their own, too, so that neither reviewer learns what the other says. Files that
    people may be at are left alone. JSON lines, because spreadsheets turn ids into numbers and
    formulas. `told` is what all of them say besides.
    """
    make_private(folder)
    labels = [{**each, **told} for each in blank_labels(rows)]
    first = folder / f"{name}.jsonl", [each for each in labels if each["review"] == 1]
    again = sorted((each for each in labels if each["review"] > 1), key=itemgetter("label_id"))
    files = [first, (folder / f"{name}-second.jsonl", again)] if again else [first]
    if not first[0].exists():
        for path, told in reversed(files):
            lines = (json.dumps(row, ensure_ascii=False) for row in told)
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [path for path, _ in files if path.exists()]


def to_fill_in(rows: Sequence[Mapping[str, Any]], files: Sequence[Path], networks: int = 0) -> str:
    """Say what was drawn, and where; and if more `networks` were asked for, that there are none."""
    counts = Counter(row["subject_type"] for row in rows)
    all_of_them = ", all there are," if counts["network"] < networks else ""
    drawn = f"{counts['network']} networks{all_of_them} and {counts['account']} accounts"
    return f"{drawn} to review: fill in {' and '.join(map(str, files))}"


def forget_in_blank_labels(folder: Path, account: str) -> int:
    """Take an account's rows out of the files that are to be filled in; returns their number."""
    taken = 0
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not _is_about(line, account)]
        if len(kept) < len(lines):
            beside = path.with_name(f".{path.name}")
            beside.write_text("".join(kept), encoding="utf-8")
            beside.replace(path)
            taken += len(lines) - len(kept)
    return taken


def _is_about(line: str, account: str) -> bool:
    try:
        row = json.loads(line)
    except ValueError:  # people have been at it
        return account in line
    return (row["subject_type"], row["subject_id"]) == ("account", account)
