"""Write a simulated event log with its truth.

Run it by `actorgraph simulate` or `python jobs/simulate_events.py`, with --out. It needs neither
Spark nor DuckDB.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from jobs.arguments import day
from jobs.errors import DONE, ConfigError, describe, exit_code
from jobs.simulation.evasion import Evasion
from jobs.simulation.settings import Settings
from jobs.simulation.simulator import simulate


def parser() -> argparse.ArgumentParser:
    """The arguments, with the settings' own defaults."""
    arguments = argparse.ArgumentParser(
        prog="actorgraph simulate", description="Write a simulated event log with its truth."
    )
    arguments.add_argument("--out", type=Path, required=True, help="folder to write to")
    arguments.add_argument("--accounts", type=int, default=Settings.accounts)
    arguments.add_argument("--days", type=int, default=Settings.days)
    arguments.add_argument("--end-ds", type=day, default=Settings.end_ds, help="the last day")
    arguments.add_argument("--seed", type=int, default=Settings.seed)
    arguments.add_argument(
        "--evasion", type=float, default=0.0, help="what operators do to hide: 0 nothing, 1 all"
    )
    arguments.add_argument(
        "--knob",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one evasion knob, e.g. jitter_s=60; may be repeated",
    )
    arguments.add_argument(
        "--events-per-account-day",
        type=float,
        default=Settings.events_per_account_day,
        help="mean of ordinary accounts; a few have a hundred times as many",
    )
    arguments.add_argument(
        "--planted",
        action="append",
        default=[],
        metavar="KIND=TIMES",
        help="how many times its usual accounts a planted kind has, e.g. device_farm=10; may be "
        "repeated",
    )
    arguments.add_argument("--clean", action="store_true", help="no malformed or repeated values")
    return arguments


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings that the arguments ask for; raises ConfigError for impossible ones."""
    return Settings(
        accounts=arguments.accounts,
        days=arguments.days,
        seed=arguments.seed,
        end_ds=arguments.end_ds,
        events_per_account_day=arguments.events_per_account_day,
        evasion=Evasion.from_level(arguments.evasion).with_knobs(
            _numbers("--knob", arguments.knob)
        ),
        planted=_numbers("--planted", arguments.planted),
        clean=arguments.clean,
    )


def _numbers(option: str, texts: Sequence[str]) -> dict[str, float]:
    numbers = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            numbers[name] = float(value)
        except ValueError:
            raise ConfigError(f"{option} {text}: write it as name=number") from None
    return numbers


def main(argv: Sequence[str] | None = None) -> int:
    """Simulate, and tell on standard error what was written; returns the exit code."""
    arguments = parser().parse_args(argv)
    began = time.monotonic()

    def tell(ds: date, events: int) -> None:
        seconds = time.monotonic() - began
        sys.stderr.write(f"{ds}: {events:,} events so far, {seconds:.0f} s\n")

    try:
        events = simulate(settings_from(arguments), arguments.out, tell)
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"actorgraph simulate: {describe(error)}\n")
        return exit_code(error)
    sys.stderr.write(f"{events:,} events with their truth are in {arguments.out}\n")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
