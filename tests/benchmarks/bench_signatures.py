"""What five hundred signatures cost beside twelve: all of them are applied in one scan.

`python -m tests.benchmarks.bench_signatures --networks 100_000` applies both libraries to random
features on the embedded engine, in turn; then it scores a simulated day with the shipped signatures
and with five hundred, as whole processes. It prints medians and their ratios. In the first part
every signature has bounds of its own, so that what signatures share is no more than it is in a
site's library; those that the day is scored with are copies of the shipped ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from uuid import UUID, uuid5

import numpy as np
import pyarrow as pa
import yaml
from rich.console import Console

import signatures
from graph.engines.base import Engine
from graph.engines.duckdb import open_duckdb
from graph.features.computed import ACCOUNT_FEATURE_NAMES, NETWORK_FEATURE_NAMES
from graph.frames import engine_api
from signatures.findings import find
from signatures.lint import file_name
from signatures.loading import load
from signatures.model import BY_NAME, Comparison, Filter, Signature
from tests.benchmarks.measure import Measurement, measure, middle

FEW, MANY = 12, 500
DS = "2026-11-22"
RULES = Path(signatures.__file__).with_name("rules")


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
    chosen = library(size)
    begun = time.perf_counter()
    engine.materialize(find(engine, *frames, chosen), "found")
    return time.perf_counter() - begun


def scored(folder: Path, accounts: int, repeats: int) -> dict[int, Measurement]:
    """Score a simulated day of so many accounts with the shipped signatures, and with many."""
    size = [f"--accounts={accounts}", "--days=7", f"--end-ds={DS}", "--seed=1"]
    measure([sys.executable, "-m", "jobs.simulate_events", *size, f"--out={folder}"])
    own = folder / "signatures"
    shipped = len(load())
    write_signatures(own, MANY - shipped)
    asked = ["--engine=duckdb", f"--ds={DS}", f"--config={folder}/config.yaml"]
    asked.append(f"--set=home={folder}/home")
    command = [sys.executable, "-m", "jobs.command_line"]
    measure([*command, "run", "--until=detect-networks", *asked])
    paths = {shipped: [], MANY: [f"--set=signatures.paths=[{own}]"]}
    runs: dict[int, list[Measurement]] = {number: [] for number in paths}
    for _ in range(repeats):
        for number, more in paths.items():
            runs[number].append(measure([*command, "score-networks", *asked, *more]))
    return {number: middle(measured) for number, measured in runs.items()}


def write_signatures(folder: Path, size: int) -> None:
    """Write so many signatures as a site's own: shipped ones under other titles and ids."""
    folder.mkdir()
    shipped = sorted(RULES.glob("*.yml"))
    for place in range(size):
        data = yaml.safe_load(shipped[place * len(shipped) // size].read_text())
        data |= {
            "title": f"{data['title']} {place}",
            "id": str(uuid5(UUID(data["id"]), f"{place}")),
        }
        signature = Signature.model_validate(data)
        (folder / file_name(signature)).write_text(yaml.safe_dump(data))


def main() -> None:
    """Parse arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=20_000, help="of the simulated day")
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
    console = Console()
    console.print(
        f"{given.networks:,} networks: {FEW} signatures {few:.2f} s, {MANY} {many:.2f} s, "
        f"{many / few:.1f} times"
    )
    with tempfile.TemporaryDirectory() as folder:
        whole = scored(Path(folder), given.accounts, given.repeats)
    (shipped, short), (_, long) = whole.items()
    console.print(
        f"score-networks, {given.accounts:,} accounts: {shipped} signatures {short.seconds:.1f} s, "
        f"{MANY} {long.seconds:.1f} s, {long.seconds / short.seconds:.1f} times"
    )


if __name__ == "__main__":
    main()
