"""Legal holds: what must not be deleted, whatever its age, until the hold is lifted.

Run it by `actorgraph legal-hold ADD|LIFT SUBJECT --reason ...`; a subject is the id of an account,
a network or a decision. `purge` and `forget` leave held subjects as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from graph.engines.base import Engine
from jobs.arguments import settings_parser
from jobs.batches.people import add_person
from jobs.commands import run_command
from jobs.errors import DONE, ConfigError


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Add or lift a hold as a command; returns its exit code."""
    parser = settings_parser("legal_hold", "Keep what is known of a subject, whatever its age.")
    parser.set_defaults(engine=engine)
    parser.add_argument("action", choices=("ADD", "LIFT"), help="hold, or let go")
    parser.add_argument("subject", metavar="SUBJECT", help="id of an account, network, decision")
    parser.add_argument("--reason", required=True, help="why; it stands in the audit log")
    add_person(parser, "who orders it")
    return run_command(parser, argv, _hold)


def _hold(arguments: argparse.Namespace) -> int:
    from jobs.batches.changes import changing
    from jobs.batches.holds import FILE, held
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    with changing(config, "legal-hold", engine=arguments.engine) as changes:
        subjects = held(changes.home)
        if (arguments.action == "ADD") == (arguments.subject in subjects):
            state = "is held already" if arguments.action == "ADD" else "is not held"
            raise ConfigError(f"{arguments.subject} {state}")
        subjects ^= {arguments.subject}
        changes.text(f"../{FILE}", json.dumps(sorted(subjects), indent=2) + "\n")
        told = {"subject": arguments.subject, "reason": arguments.reason}
        changes.audit(f"legal hold {arguments.action.lower()}", arguments.person, told)
        changes.publish()
    sys.stdout.write(f"{len(subjects)} subjects are held\n")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
