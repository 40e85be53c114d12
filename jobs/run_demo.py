"""A first result in one command: simulate a week, find its networks, compare with the truth.

Run it by `actorgraph demo`. Everything is written under `<home>/demo`.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console

from jobs import demo_story, run_pipeline
from jobs.arguments import add_engine
from jobs.commands import run_command
from jobs.configuration import load
from jobs.errors import DONE
from jobs.evaluation import evaluate
from jobs.evaluation_tables import evaluation_tables
from jobs.files import make_private
from jobs.printing import print_table
from jobs.simulation.evasion import Evasion
from jobs.simulation.settings import Settings
from jobs.simulation.simulator import simulate

ACCOUNTS = 5_000
SHOWN = 10
"""Networks that are listed, the most urgent first."""


def parser() -> argparse.ArgumentParser:
    """The demo's arguments."""
    arguments = argparse.ArgumentParser(
        prog="actorgraph demo", description="Simulate a week, and show what is found in it."
    )
    arguments.add_argument("--accounts", type=int, default=ACCOUNTS)
    arguments.add_argument("--seed", type=int, default=Settings.seed)
    arguments.add_argument("--evasion", type=float, default=0.0, help="0: bots do not hide; 1: all")
    arguments.add_argument(
        "--no-neo4j", dest="neo4j", action="store_false", help="do not start and fill a database"
    )
    add_engine(arguments)
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo as a command; returns its exit code."""
    return run_command(parser(), argv, _demo)


def _demo(arguments: argparse.Namespace) -> int:
    home = load(environment=os.environ).home / "demo"
    settings = Settings(
        accounts=arguments.accounts,
        seed=arguments.seed,
        evasion=Evasion.from_level(arguments.evasion),
    )
    make_private(home)
    log = home / "simulated"
    events = simulate(settings, log)
    sys.stdout.write(
        f"Simulated {events:,} events of {settings.accounts:,} accounts over {settings.days} days\n"
    )
    config = demo_story.configure(home, log)
    day = ("--ds", str(settings.end_ds), *demo_story.demo_settings(home, config))
    engine = ("--engine", arguments.engine) if arguments.engine else ()
    if (code := run_pipeline.main([*day, *engine])) != DONE:
        return code
    _show(home, config, settings.end_ds)
    # Before the database is filled, which so shows what was decided.
    story = list(demo_story.tell(home, config, settings.end_ds))
    if arguments.neo4j:
        code = _explore(home, day)
    lines = "".join(f"{line}\n" for line in story)
    sys.stdout.write(f"\nFrom a network to actions on accounts, and back:\n{lines}")
    return code


def _explore(home: Path, day: Sequence[str]) -> int:
    """Start a local Neo4j server, load the day, and say how to look at it."""
    from jobs import load_neo4j, manage_neo4j

    server = manage_neo4j.start(home / manage_neo4j.FOLDER)
    code = load_neo4j.main([*day, "--force"])
    if code == DONE:
        sys.stdout.write(
            f"\n{manage_neo4j.describe(server)}"
            f"Play it:        :play {server.guide_url}/guide.html in Browser's editor\n"
            "First query:    MATCH p=(n:Network)<-[:MEMBER_OF]-(:Account)-[:USED_DEVICE]->() "
            "WHERE n.priority >= 0.5 RETURN p LIMIT 100\n"
            "The server goes on until: actorgraph neo4j stop\n"
        )
    return code


def _show(home: Path, config: Path, ds: date) -> None:
    """Print what was found, how it compares with the truth, and where the tables are."""
    tables = home / "warehouse"
    networks = {
        row["network_id"]: row
        for row in pq.read_table(tables / "networks" / f"ds={ds}").to_pylist()
    }
    scores = pq.read_table(tables / "scores" / f"ds={ds}").to_pylist()
    scores.sort(key=lambda score: (-score["priority"], score["network_id"]))
    print_table(
        f"Networks on {ds}: {len(networks)}, of which the most urgent",
        ("network", "accounts", "links", "traces", "signature", "then"),
        [
            (
                score["network_id"],
                networks[score["network_id"]]["accounts"],
                networks[score["network_id"]]["links"],
                ", ".join(networks[score["network_id"]]["traces"]),
                score["title"],
                score["disposition"],
            )
            for score in scores[:SHOWN]
        ],
    )
    memberships = pq.read_table(
        tables / "memberships" / f"ds={ds}", columns=["network_id", "account_id"]
    )
    truth_file = home / "simulated" / "truth" / "truth.parquet"
    truth = pq.read_table(truth_file)
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(evaluation_tables(evaluate(memberships, truth)))
    sys.stdout.write(
        f"\nTables: {tables}/<table>/ds={ds}, plain parquet.\n"
        f"Truth:  {truth_file}\n"
        f"Config: {config}, for any command on the demo's data.\n"
        "Innocent look-alikes are found too: signatures tell them from abuse, and what no sample\n"
        "has measured goes to review. `actorgraph explain NETWORK "
        f"{shlex.join(demo_story.demo_settings(home, config))}` shows why.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
