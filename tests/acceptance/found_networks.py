"""Which planted accounts are found, and who is swept in, on logs of a platform's usual size.

`python -m tests.acceptance.found_networks` simulates a week of 100,000 accounts with its hubs for
each seed and level of evasion, finds networks, and prints their agreement with the truth by kind.
It exits with 1 where a required figure is missed. `--seeds` takes others than were looked at.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console

from jobs import run_pipeline
from jobs.evaluation import UNEXPLAINED, Evaluation, evaluate
from jobs.evaluation_tables import evaluation_tables
from jobs.simulation.evasion import Evasion
from jobs.simulation.settings import Settings
from jobs.simulation.simulator import simulate
from tests.acceptance.weeks import done


@dataclass(frozen=True)
class Required:
    """What is asked for at a level of evasion: shares of planted accounts, and of members."""

    recall: float
    swept_in: float


REQUIRED = {0.0: Required(recall=0.90, swept_in=0.02), 0.5: Required(recall=0.60, swept_in=0.05)}


def found(folder: Path, settings: Settings, engine: str) -> Evaluation:
    """Simulate a week, find its networks, and compare them with its truth."""
    simulate(settings, folder)
    ds = settings.end_ds
    given = ("--config", str(folder / "config.yaml"), "--set", f"home={folder / 'home'}")
    until = ("--until", "detect-networks", "--engine", engine)
    done(run_pipeline.main(["--ds", str(ds), *given, *until]))
    memberships = pq.read_table(folder / "home" / "warehouse" / "memberships" / f"ds={ds}")
    return evaluate(memberships, pq.read_table(folder / "truth"))


def missed(evaluation: Evaluation, required: Required) -> Iterator[str]:
    """Say which required figures an evaluation misses."""
    overall, largest = evaluation.overall, evaluation.largest
    if overall.recall is None or overall.recall < required.recall:
        yield f"recall {overall.recall}, at least {required.recall} is asked for"
    swept_in = sum(evaluation.bystanders.values())
    if swept_in > required.swept_in * overall.members:
        yield f"{swept_in} of {overall.members} members swept in, limit {required.swept_in:.0%}"
    if largest is None or largest.kind == UNEXPLAINED:
        yield f"the largest network is neither planted nor a look-alike with a name: {largest}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print agreement by evasion and seed; returns 1 where a required figure is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[41])
    parser.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb")
    arguments = parser.parse_args(argv)
    problems = []
    console = Console(width=110)
    for seed in arguments.seeds:
        for level, required in REQUIRED.items():
            with tempfile.TemporaryDirectory() as name:
                evasion = Evasion.from_level(level)
                settings = Settings(accounts=arguments.accounts, seed=seed, evasion=evasion)
                evaluation = found(Path(name), settings, arguments.engine)
            console.print(f"\nSeed {seed}, evasion {level}")
            console.print(evaluation_tables(evaluation))
            problems += [
                f"seed {seed}, evasion {level}: {each}" for each in missed(evaluation, required)
            ]
    sys.stdout.write("".join(f"MISSED {each}\n" for each in problems) or "All figures reached\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
