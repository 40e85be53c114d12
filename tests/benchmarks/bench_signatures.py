"""What five hundred signatures cost beside twelve: all of them are applied in one scan.

`python -m tests.benchmarks.bench_signatures --networks 100_000` applies both libraries to random
features on the embedded engine, in turn, and prints medians and their ratio. Every signature has
bounds of its own, so that what signatures share is no more than it is in a site's library.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from uuid import uuid5

import numpy as np
import pyarrow as pa
from rich.console import Console

from graph.engines.base import Engine
from graph.engines.duckdb import open_duckdb
from graph.features.computed import ACCOUNT_FEATURE_NAMES, NETWORK_FEATURE_NAMES
from graph.frames import engine_api
from signatures.findings import find
from signatures.loading import load
from signatures.model import BY_NAME, Comparison, Filter, Signature

FEW, MANY = 12, 500


def library(size: int) -> list[Signature]:
    """So many signatures of networks, each shipped one as often as any other.

    Each has an id of its own, and bounds that are up to a tenth lower than the shipped ones.
    """
    shipped = [each for each in load() if each.subject == "network"]
    random = np.random.default_rng(1)
    return [
        varied(shipped[place * len(shipped) // size], place, 1 - random.random() / 10)
        for place in range(size)
    ]


def varied(signature: Signature, place: int, by: float) -> Signature:
    """A signature with another id and all of its bounds multiplied, its condition parsed."""
    detection = signature.detection
    parts = {
        kind: {name: multiplied(part, by) for name, part in getattr(detection, kind).items()}
        for kind in ("selections", "filters")
    }
    made = signature.model_copy(
        update={
            "id": uuid5(signature.id, str(place)),
            "detection": detection.model_copy(update=parts),
        }
    )
    assert made.tree == signature.tree
    return made


def multiplied(part: Filter, by: float) -> Filter:
    """A selection or filter with all of its bounds multiplied."""
    features = {
        name: Comparison(**{operator: bound * by for operator, bound in comparison.bounds.items()})
        for name, comparison in part.features.items()
    }
    return type(part)(**{**dict(part), "features": features})


def random_features(rows: int, names: Sequence[str], keys: Sequence[str]) -> pa.Table:
    """Values anywhere between a feature's bounds, four fifths of them unknown: few match.

    How many accounts a network has is always known.
    """
    random = np.random.default_rng(1)
    ids = pa.array([f"{place:09}" for place in range(rows)])
    columns = {key: ids for key in keys}
    for name in names:
        feature = BY_NAME[name]
        high = feature.high if np.isfinite(feature.high) else feature.low + 100
        values = random.uniform(feature.low, high, rows)
        is_unknown = random.random(rows) < 0.8
        if name == "accounts":
            columns[name] = pa.array(np.floor(values))
        else:
            columns[name] = pa.array(values, mask=is_unknown)
    return pa.table(columns)


def seconds(engine: Engine, networks: pa.Table, size: int) -> float:
    """The time to find and store what a library of this size matches."""
    accounts = random_features(1, ACCOUNT_FEATURE_NAMES, ("network_id", "account_id"))
    frames = engine.from_arrow(networks), engine.from_arrow(accounts)
    signatures = library(size)
    begun = time.perf_counter()
    engine.materialize(find(engine, *frames, signatures), "found")
    return time.perf_counter() - begun


def main() -> None:
    """Parse arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    networks = random_features(given.networks, NETWORK_FEATURE_NAMES, ("network_id",))
    taken: dict[int, list[float]] = {FEW: [], MANY: []}
    with tempfile.TemporaryDirectory() as folder:
        engine = open_duckdb(Path(folder) / "scratch")
        with engine_api(engine.api_root):
            for _ in range(given.repeats):
                for size, runs in taken.items():
                    runs.append(seconds(engine, networks, size))
        engine.close()
    few, many = (median(taken[size]) for size in (FEW, MANY))
    Console().print(
        f"{given.networks:,} networks: {FEW} signatures {few:.2f} s, {MANY} {many:.2f} s, "
        f"{many / few:.1f} times"
    )


if __name__ == "__main__":
    main()
