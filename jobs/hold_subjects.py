"""Legal holds: what must not be deleted, whatever its age, until the hold is lifted.

Run it by `actorgraph legal-hold ADD|LIFT SUBJECT --reason ...` or `legal-hold LIST`; a subject is
the id of an account, a network or a decision, and one that is known: a hold on a mistyped id would
protect nothing. `purge` and `forget` leave held subjects as they are. The audit log has accounts as
keyed hashes, the same that `forget` leaves in ledgers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from graph.engines.base import Engine
from jobs.arguments import settings_parser
from jobs.batches.people import add_person
from jobs.commands import run_command
from jobs.errors import DONE, ConfigError
from jobs.printing import plain

if TYPE_CHECKING:
    from graph.config import Config


ADDED = "legal hold add"
"""What the audit log calls the beginning of a hold."""


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Add, lift or list holds as a command; returns its exit code."""
    parser = settings_parser("legal_hold", "Keep what is known of a subject, whatever its age.")
    parser.set_defaults(engine=engine)
    parser.add_argument(
        "action", choices=("ADD", "LIFT", "LIST"), help="hold, let go, or say what is held"
    )
    parser.add_argument(
        "subject", nargs="?", metavar="SUBJECT", help="id of an account, network, decision"
    )
    parser.add_argument("--reason", help="why; it stands in the audit log")
    add_person(parser, "who orders it")
    return run_command(parser, argv, _hold)


def _hold(arguments: argparse.Namespace) -> int:
    from exporters.enforcement.keyed import keyed, read_key
    from jobs.batches.changes import changing
    from jobs.batches.holds import FILE, held, kind_of
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    if arguments.action == "LIST":
        sys.stdout.write("".join(f"{line}\n" for line in _listed(config)))
        return DONE
    if not arguments.subject or not arguments.reason:
        raise ConfigError(f"legal-hold {arguments.action} needs a SUBJECT and --reason")
    with changing(config, "legal-hold", engine=arguments.engine) as changes:
        subjects = held(changes.home)
        if (arguments.action == "ADD") == (arguments.subject in subjects):
            state = "is held already" if arguments.action == "ADD" else "is not held"
            raise ConfigError(f"{arguments.subject} {state}")
        kind = kind_of(changes.home, changes.publication.warehouse.published, arguments.subject)
        if arguments.action == "ADD" and kind is None:
            raise ConfigError(
                f"{arguments.subject} is no account, network or decision that is known here, so "
                "there is nothing to hold: give its whole id"
            )
        name = arguments.subject
        if kind not in ("network", "decision"):
            name = keyed(read_key(config.enforcement.key_file), "account", name)
        subjects ^= {arguments.subject}
        changes.text(f"../{FILE}", json.dumps(sorted(subjects), indent=2) + "\n")
        told = {"subject": name, "reason": arguments.reason}
        action = ADDED if arguments.action == "ADD" else "legal hold lift"
        changes.audit(action, arguments.person, told)
        changes.publish()
    state = "held" if arguments.action == "ADD" else "not held any more"
    sys.stdout.write(f"{arguments.subject} is {state}; {len(subjects)} subjects are held\n")
    return DONE


def _listed(config: Config) -> Iterator[str]:
    """What is held, with who ordered it, when and why, where the audit log and the key tell."""
    from exporters.audit import told_of
    from exporters.enforcement.keyed import keyed, read_key
    from jobs.batches.holds import held
    from jobs.places import audit_folder

    home = config.home.absolute()
    ordered = told_of(audit_folder(home), ADDED)
    orders = {each["details"]["subject"]: each for each in ordered}
    try:
        key = read_key(config.enforcement.key_file)
    except ConfigError:
        key = None
    for subject in sorted(held(home)):
        names = [subject] if key is None else [subject, keyed(key, "account", subject)]
        order = next((orders[name] for name in names if name in orders), None)
        if order is None:
            yield subject
        else:
            at, by, reason = order["at"][:10], order["actor"], order["details"]["reason"]
            yield plain(f"{subject}  since {at} by {by}: {reason}")


if __name__ == "__main__":
    sys.exit(main())
