"""Whether the audit log is as it was written: no line edited, missing or out of order.

Run it by `actorgraph audit verify`. The heads that stand in the manifests of batches must be lines
of the log, so that one that was written anew shows; and every decision must have moved as the life
cycle allows.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from jobs.arguments import add_settings
from jobs.commands import run_command
from jobs.errors import DONE, DataStop


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="actorgraph audit", description="Check the audit log.", allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="verify")
    verify = commands.add_parser("verify", help="whether the log is whole", allow_abbrev=False)
    add_settings(verify)
    return run_command(parser, argv, _verify)


def _verify(arguments: argparse.Namespace) -> int:
    from datetime import timedelta

    from exporters.audit import GivenAway, read_head, verify_log
    from graph.ledger import read_ledger
    from jobs.batches.store import Store
    from jobs.configuration import load
    from jobs.places import audit_folder
    from signatures.decisions import DECISIONS
    from signatures.life_cycle import TransitionError, check_history

    config = load(arguments.config, arguments.set, os.environ)
    home = config.home.absolute()
    folder = audit_folder(home)
    given_away = [
        GivenAway(
            each.audit_head,
            each.created,
            f"batch {each.batch_id}",
            timedelta(days=each.audit_kept_days),
        )
        for each in Store(home).manifests()
    ]
    problems = verify_log(folder, given_away)
    if problems:
        raise DataStop("\n".join(problems))
    try:
        check_history(read_ledger(home, DECISIONS))
    except TransitionError as error:
        raise DataStop(f"ledger {DECISIONS.name}: {error}") from None
    lines = read_head(folder).number
    sys.stdout.write(
        f"{folder}: {lines} lines, whole; {len(given_away)} heads in manifests agree\n"
    )
    return DONE


if __name__ == "__main__":
    sys.exit(main())
