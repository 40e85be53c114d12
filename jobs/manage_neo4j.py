"""The local Neo4j server for investigators: start it, stop it, say where it is.

Run it by `actorgraph neo4j start|stop|status`, with the --config of the jobs that use it. The
server's data are under `<home>/neo4j`; that of the demo is under `<home>/demo/neo4j`, and stop and
status look after both.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from exporters.neo4j_guide import GUIDE, write_guide
from graph.engines.base import DependencyError
from jobs.arguments import settings_parser
from jobs.commands import run_command
from jobs.configuration import load
from jobs.database.address import FOLDER as FOLDER
from jobs.database.address import start_command
from jobs.database.server import (
    RECOVER,
    USER,
    Server,
    find_server,
    start_server,
    stop_server,
)
from jobs.errors import DONE


def parser() -> argparse.ArgumentParser:
    """The arguments of `actorgraph neo4j`."""
    arguments = settings_parser("neo4j", "A local Neo4j server with Neo4j Browser.")
    arguments.add_argument("action", choices=("start", "stop", "status"))
    arguments.add_argument("--heap", default="1g", help="memory of the server, e.g. 4g")
    arguments.add_argument(
        "--recover",
        action="store_true",
        help="start: drop the end of a transaction log that a full disk cut off",
    )
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Act as a command; returns its exit code."""
    return run_command(parser(), argv, _act)


def start(
    folder: Path, heap: str = "1g", recover: bool = False, signatures: Sequence[str | Path] = ()
) -> Server:
    """Start the server of a folder, with the investigators' files beside it.

    `signatures` are the site's files and folders of them.

    With `recover`, one that runs is started anew, and drops the end of a log that was cut off.
    """
    if recover and (running := find_server(folder)):
        stop_server(running)
    server = start_server(folder, heap, settings=RECOVER if recover else None)
    guide = server.guide_folder / GUIDE
    if not guide.exists() or server.guide_url not in guide.read_text(encoding="utf-8"):
        write_guide(server.guide_folder, server.guide_url, {}, signatures)
    return server


def describe(server: Server) -> str:
    """What a person needs to connect."""
    return (
        f"Neo4j Browser:  {server.browser}\n"
        f"Connect to:     {server.uri}\n"
        f"User name:      {USER}\n"
        f"Password:       in {server.password_file}\n"
        f"Guide:          {server.guide_url if server.has_guide else 'not served'}\n"
    )


def _act(arguments: argparse.Namespace) -> int:
    config = load(arguments.config, arguments.set, os.environ)
    home, signatures = config.home, config.signatures.paths
    if arguments.action == "start":
        started = start(home / FOLDER, arguments.heap, arguments.recover, signatures)
        sys.stdout.write(describe(started))
        return DONE
    folders = [home / FOLDER, home / "demo" / FOLDER]
    running = [server for folder in folders if (server := find_server(folder))]
    if arguments.action == "stop":
        for server in running:
            stop_server(server)
            sys.stdout.write(f"stopped Neo4j in {server.folder}\n")
    else:
        sys.stdout.write("\n".join(describe(server) for server in running))
        if without := [server.folder for server in running if not server.has_guide]:
            raise DependencyError(
                f"the guide of Neo4j in {without[0]} is not served: "
                f"{start_command(without[0].parent)}"
            )
    if not running:
        nothing = f"no Neo4j runs in {' or '.join(map(str, folders))}"
        if arguments.action == "status":
            raise DependencyError(f"{nothing}: {start_command(home)}")
        sys.stdout.write(f"{nothing}\n")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
