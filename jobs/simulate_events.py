"""Write a simulated event log with its truth: `python jobs/simulate_events.py --out DIR`."""

import argparse
import sys
import time
from datetime import date
from pathlib import Path

from jobs.simulation.evasion import Evasion
from jobs.simulation.settings import Settings
from jobs.simulation.simulator import simulate

BAD_ARGUMENTS = 2


def parser() -> argparse.ArgumentParser:
    """The command line."""
    arguments = argparse.ArgumentParser(prog="actorgraph simulate", description=__doc__)
    arguments.add_argument("--accounts", type=int, default=Settings.accounts)
    arguments.add_argument("--days", type=int, default=Settings.days)
    arguments.add_argument("--seed", type=int, default=Settings.seed)
    arguments.add_argument("--evasion", type=float, default=0.0, help="0 (none) to 1 (all)")
    arguments.add_argument("--out", type=Path, required=True, help="folder to write to")
    arguments.add_argument(
        "--end-ds", type=date.fromisoformat, default=Settings.end_ds, help="the last day"
    )
    arguments.add_argument(
        "--events-per-account-day", type=float, default=Settings.events_per_account_day
    )
    arguments.add_argument(
        "--knob", action="append", default=[], metavar="NAME=VALUE", help="one evasion knob"
    )
    arguments.add_argument("--clean", action="store_true", help="no malformed values")
    return arguments


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings that the command line asks for; raises ValueError for impossible ones."""
    knobs = dict(knob.split("=", 1) for knob in arguments.knob)
    evasion = Evasion.from_level(arguments.evasion)
    return Settings(
        accounts=arguments.accounts,
        days=arguments.days,
        seed=arguments.seed,
        end_ds=arguments.end_ds,
        events_per_account_day=arguments.events_per_account_day,
        evasion=evasion.with_knobs({name: float(value) for name, value in knobs.items()}),
        clean=arguments.clean,
    )


def main(argv: list[str] | None = None) -> int:
    """Simulate; 0 when done, 2 for impossible arguments."""
    arguments = parser().parse_args(argv)
    began = time.monotonic()
    try:
        events = simulate(settings_from(arguments), arguments.out)
    except ValueError as error:
        sys.stderr.write(f"actorgraph simulate: {error}\n")
        return BAD_ARGUMENTS
    seconds = time.monotonic() - began
    sys.stderr.write(f"{events} events in {seconds:.1f} s written to {arguments.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
