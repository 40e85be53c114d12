"""The arguments that commands and batch jobs share."""

from __future__ import annotations

import argparse
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime

from jobs.logs import LEVELS

FIRST_DAY = date(1970, 1, 2)


def settings_parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser with the arguments that choose the settings."""
    command = f"actorgraph {name.replace('_', '-')}"
    parser = argparse.ArgumentParser(prog=command, description=description, allow_abbrev=False)
    add_settings(parser)
    return parser


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that choose the settings."""
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="PATH",
        help="YAML file of settings; may be repeated, a later one wins",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="one setting, e.g. networks.min_size=4; wins over all files; may be repeated",
    )


def job_parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser with the arguments that all batch jobs share; a job adds its own."""
    parser = settings_parser(name, description)
    parser.add_argument("--ds", type=day, required=True, help="day of the run, YYYY-MM-DD, UTC")
    add_engine(parser)
    parser.add_argument("--run-id", type=run_id, default=None, help="name of this run in manifests")
    parser.add_argument("--dry-run", action="store_true", help="do everything but publish")
    parser.add_argument("--log-format", choices=("text", "json"), default="text")
    parser.add_argument("--log-level", choices=LEVELS, default="info")
    return parser


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add --engine to a parser; jobs.sessions.engine_name decides where it is not given."""
    parser.add_argument(
        "--engine",
        choices=("spark", "duckdb"),
        help="duckdb: inside this process; spark: needs Java. By default duckdb, and spark where "
        "spark.master is configured or spark-submit started this",
    )


def parse(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse, and give the run a name if it has none; argparse ends the process on a mistake."""
    arguments = parser.parse_args(argv)
    if arguments.run_id is None:
        arguments.run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    return arguments


def day(text: str) -> date:
    """A day as YYYY-MM-DD; raises ArgumentTypeError for anything else."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day: write it as 2026-11-22")
    if not FIRST_DAY <= found < date.max:
        raise argparse.ArgumentTypeError(f"{text} is out of range: days begin with {FIRST_DAY}")
    return found


def run_id(text: str) -> str:
    """A name that is safe as a folder's; raises ArgumentTypeError for others."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a run id: use up to 80 letters, digits, dots, dashes and underscores"
        )
    return text
