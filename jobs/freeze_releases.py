"""Stops releases at once, all of them or those of a signature, and lets them go on.

Run it by `actorgraph freeze --all | --signature ID --reason ...` and `actorgraph unfreeze`, which
also lifts the hold that overturned appeals put on a signature, a network or a batch. What takes
something back is never stopped.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from graph.engines.base import DependencyError, Engine
from jobs.arguments import settings_parser
from jobs.batches.people import add_person
from jobs.commands import run_command
from jobs.errors import DONE, ConfigError

if TYPE_CHECKING:
    from graph.config import Config
    from jobs.batches.changes import Changes


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Freeze as a command; returns its exit code."""
    parser, _ = _parser("freeze", "Stop releases at once.")
    parser.set_defaults(engine=engine)
    return run_command(parser, argv, _freeze)


def unfreeze(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Unfreeze as a command; returns its exit code."""
    parser, what = _parser("unfreeze", "Let releases go on that were frozen or are held.")
    for name in ("network", "batch"):
        what.add_argument(f"--{name}", metavar="ID", help=f"the {name} that appeals hold")
    parser.set_defaults(engine=engine)
    return run_command(parser, argv, _unfreeze)


def _parser(
    name: str, description: str
) -> tuple[argparse.ArgumentParser, argparse._MutuallyExclusiveGroup]:
    parser = settings_parser(name, description)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--all", action="store_true", help="all releases")
    what.add_argument("--signature", metavar="ID", help="releases that rest on this signature")
    parser.add_argument("--reason", required=True, help="why; it stands in the audit log")
    add_person(parser, "who decides that; a hold of appeals is lifted by an approver")
    return parser, what


def _freeze(arguments: argparse.Namespace) -> int:
    from exporters.enforcement.guards import Freeze
    from jobs.batches.changes import changing
    from jobs.batches.placing import set_freezes
    from jobs.batches.store import Store
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    arguments.signature = _named(config, arguments.signature)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    one = Freeze(arguments.signature, arguments.reason, arguments.person, at)
    store = Store(config.home.absolute())
    asked = store.ask(one)
    try:
        with changing(config, "freeze", engine=arguments.engine) as changes:
            set_freezes(changes, store.freezes())
            changes.audit("freeze", arguments.person, _told(arguments))
            changes.publish()
    except DependencyError as error:
        raise DependencyError(
            f"frozen: {_scope(arguments.signature)}, but the audit log does not say so yet: {error}"
            "; then run the same command again"
        ) from None
    asked.unlink()
    sys.stdout.write(f"frozen: {_scope(arguments.signature)}\n")
    return DONE


def _named(config: Config, signature: str | None) -> str | None:
    """The id of a signature by its id or title; of one that is gone only the id is left.

    Raises ConfigError for what is neither, which would stop nothing.
    """
    from signatures.loading import signature_of_abuse

    if signature is None:
        return None
    try:
        return str(signature_of_abuse(signature, config.signatures.paths).id)
    except ConfigError:
        with suppress(ValueError):
            return str(UUID(signature))
        raise


def _unfreeze(arguments: argparse.Namespace) -> int:
    from jobs.batches.changes import changing
    from jobs.batches.store import Store
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    arguments.signature = _named(config, arguments.signature)
    with changing(config, "unfreeze", engine=arguments.engine) as changes:
        thawed = [*_thawed(changes, arguments)]
        done = [*thawed, *_lifted(changes, arguments)]
        if not done:
            raise ConfigError(_why_nothing(changes, arguments))
        changes.audit("unfreeze", arguments.person, _told(arguments))
        asked = Store(changes.home).asked() if thawed else []
        changes.publish()
    for path in asked:  # what is left of them is in the list now
        path.unlink()
    sys.stdout.write("".join(f"{line}\n" for line in done))
    return DONE


def _thawed(changes: Changes, arguments: argparse.Namespace) -> Iterator[str]:
    """Take a freeze away, if the scope has one."""
    from jobs.batches.placing import set_freezes
    from jobs.batches.store import Store

    if not arguments.all and arguments.signature is None:
        return
    freezes = Store(changes.home).freezes()
    kept = [each for each in freezes if each.signature != arguments.signature]
    if len(kept) < len(freezes):
        set_freezes(changes, kept)
        yield f"released from freeze: {_scope(arguments.signature)}"


def _lifted(changes: Changes, arguments: argparse.Namespace) -> Iterator[str]:
    """Lift the hold of overturned appeals, if the scope has one; only an approver may."""
    from exporters.enforcement.approvals import read_approvers
    from exporters.enforcement.guards import Figures, Lifted, held
    from jobs.batches.figures import all_outcomes, outcomes_of_batch
    from jobs.batches.placing import lift_hold
    from jobs.batches.store import Store

    kind, name = _held_scope(arguments)
    found = outcomes_of_batch(changes, name) if kind == "batch" else all_outcomes(changes)
    mine = [each for each in found if (each.kind, each.name) == (kind, name)]
    settings = changes.config.enforcement
    if not list(held(Figures(rows=0, outcomes=mine), settings)):
        return
    person = read_approvers(settings.approvers).named(arguments.person)
    approves = person is not None and person.role in ("approver", "lead")
    if person is None or not approves or person.valid_to < changes.now.date():
        raise ConfigError(f"--as {arguments.person}: only an approver of today may lift a hold")
    at = changes.now.isoformat(timespec="seconds")
    (held_,) = mine
    decided, overturned = held_.decided, held_.overturned
    for each in Store(changes.home).lifted():
        if (each.kind, each.name) == (kind, name):
            decided, overturned = decided + each.decided, overturned + each.overturned
    told = (arguments.reason, arguments.person, at)
    lift_hold(changes, Lifted(kind, name, decided, overturned, *told))
    yield f"hold lifted: {kind} {name}; appeals that are decided from now on count anew"


def _held_scope(arguments: argparse.Namespace) -> tuple[str, str]:
    for kind in ("network", "batch", "signature"):
        if (name := getattr(arguments, kind, None)) is not None:
            return kind, name
    return "all", ""


def _why_nothing(changes: Changes, arguments: argparse.Namespace) -> str:
    from jobs.batches.store import Store

    kind, name = _held_scope(arguments)
    if kind in ("network", "batch"):
        return f"no appeals hold {kind} {name}; ids are taken whole"
    frozen = ", ".join(_scope(each.signature) for each in Store(changes.home).freezes())
    return f"{_scope(arguments.signature)} is not frozen; frozen: {frozen or 'nothing'}"


def _scope(signature: str | None) -> str:
    return "all releases" if signature is None else f"signature {signature}"


def _told(arguments: argparse.Namespace) -> dict[str, str]:
    kind, name = _held_scope(arguments)
    scope = "all releases" if kind == "all" else f"{kind} {name}"
    return {"scope": scope, "reason": arguments.reason}


if __name__ == "__main__":
    sys.exit(main())
