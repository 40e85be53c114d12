"""Stops releases at once, all of them or those of a signature, and lets them go on.

Run it by `actorgraph freeze --all | --signature ID --reason ...` and `actorgraph unfreeze`. What
takes something back is never stopped.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graph.engines.base import Engine
from jobs.arguments import settings_parser
from jobs.batches.people import add_person
from jobs.commands import run_command
from jobs.errors import DONE, ConfigError

if TYPE_CHECKING:
    from graph.config import Config


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Freeze as a command; returns its exit code."""
    parser = _parser("freeze", "Stop releases at once.")
    parser.set_defaults(engine=engine)
    return run_command(parser, argv, _freeze)


def unfreeze(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Unfreeze as a command; returns its exit code."""
    parser = _parser("unfreeze", "Let releases go on that were frozen.")
    parser.set_defaults(engine=engine)
    return run_command(parser, argv, _unfreeze)


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    parser = settings_parser(name, description)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--all", action="store_true", help="all releases")
    what.add_argument("--signature", metavar="ID", help="releases that rest on this signature")
    parser.add_argument("--reason", required=True, help="why; it stands in the audit log")
    add_person(parser, "who decides that")
    return parser


def _freeze(arguments: argparse.Namespace) -> int:
    from exporters.enforcement.guards import Freeze
    from jobs.batches.changes import changing
    from jobs.batches.placing import set_freezes
    from jobs.batches.store import Store
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    with changing(config, "freeze", engine=arguments.engine) as changes:
        at = changes.now.isoformat(timespec="seconds")
        one = Freeze(arguments.signature, arguments.reason, arguments.person, at)
        kept = [
            each for each in Store(changes.home).freezes() if each.signature != arguments.signature
        ]
        set_freezes(changes, [*kept, one])
        changes.audit("freeze", arguments.person, _told(arguments))
        changes.publish()
    sys.stdout.write(f"frozen: {_scope(arguments.signature)}\n")
    if arguments.signature is not None and not _is_known(config, arguments.signature):
        sys.stdout.write(
            "no signature has this id, so it may stop nothing: `actorgraph signatures list` shows "
            "ids, --all stops everything\n"
        )
    return DONE


def _is_known(config: Config, signature: str) -> bool:
    from signatures.loading import load

    return signature in {str(each.id) for each in load(config.signatures.paths)}


def _unfreeze(arguments: argparse.Namespace) -> int:
    from jobs.batches.changes import changing
    from jobs.batches.placing import set_freezes
    from jobs.batches.store import Store
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    with changing(config, "unfreeze", engine=arguments.engine) as changes:
        freezes = Store(changes.home).freezes()
        kept = [each for each in freezes if each.signature != arguments.signature]
        if len(kept) == len(freezes):
            frozen = ", ".join(_scope(each.signature) for each in freezes) or "nothing"
            raise ConfigError(f"{_scope(arguments.signature)} is not frozen; frozen: {frozen}")
        set_freezes(changes, kept)
        changes.audit("unfreeze", arguments.person, _told(arguments))
        changes.publish()
    sys.stdout.write(f"released from freeze: {_scope(arguments.signature)}\n")
    return DONE


def _scope(signature: str | None) -> str:
    return "all releases" if signature is None else f"signature {signature}"


def _told(arguments: argparse.Namespace) -> dict[str, str]:
    return {"scope": _scope(arguments.signature), "reason": arguments.reason}


if __name__ == "__main__":
    sys.exit(main())
