"""A signature's way from shadow to live, and back.

Run it by `actorgraph signatures promote ID` and `actorgraph signatures demote ID`. Both stand in
the audit log, with their reason.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from jobs.arguments import add_settings
from jobs.batches.people import add_person
from jobs.errors import DONE, ConfigError, GuardStop

if TYPE_CHECKING:
    from graph.config import Config
    from jobs.batches.changes import Changes
    from signatures.model import Mode, Signature


def add_change(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `signatures promote` and `signatures demote`."""
    parser.add_argument("signature", metavar="ID", help="the id, or title, of a signature")
    parser.add_argument("--reason", required=True, help="why; it stands in the audit log")
    add_settings(parser)
    add_person(parser, "who answers for it")


def promote(arguments: argparse.Namespace) -> int:
    """Let a signature go live once it was backtested on seven days; returns the exit code."""
    from graph.ledger import read_ledger
    from jobs.batches.changes import changing
    from signatures.modes import MODE_CHANGES, promoted

    config, signature = _asked(arguments)
    with changing(config, "signatures promote", engine=arguments.engine) as changes:
        before = read_ledger(changes.home, MODE_CHANGES).to_pylist()
        if promoted([signature], before):
            raise ConfigError(f"{signature.title} is live already")
        days = _backtested(changes, signature, before)
        told = {
            "from": str(days[0]["ds"]),
            "to": str(days[-1]["ds"]),
            "networks": max(row["networks"] for row in days),
            "explained_networks": max(row["explained_networks"] for row in days),
            "benign_accounts": max(row["benign_accounts"] for row in days),
        }
        _change(changes, arguments, signature, "live", told)
        changes.publish()
    sys.stdout.write(
        f"{signature.title} is live from the next run on; what it may lead to still depends on its "
        "status and its measured precision\n"
    )
    if not told["networks"]:
        sys.stdout.write(
            f"it found nothing from {told['from']} to {told['to']}, so nobody has seen whom it "
            "names: look at its first findings, or demote it until then\n"
        )
    return DONE


def demote(arguments: argparse.Namespace) -> int:
    """Put a live signature back into shadow, whoever made it live; returns the exit code."""
    from graph.ledger import read_ledger
    from jobs.batches.changes import changing
    from signatures.modes import MODE_CHANGES, live_now

    config, signature = _asked(arguments)
    with changing(config, "signatures demote", engine=arguments.engine) as changes:
        before = read_ledger(changes.home, MODE_CHANGES).to_pylist()
        (now,) = live_now([signature], _of_it(config, signature), before)
        if now.mode == "shadow":
            raise ConfigError(f"{signature.title} is in shadow already")
        _change(changes, arguments, signature, "shadow", {})
        changes.publish()
    sys.stdout.write(
        f"{signature.title} is in shadow from the next run on; what it proposed before stays: "
        f"`actorgraph freeze --signature {signature.id}` stops its releases\n"
    )
    return DONE


def _of_it(config: Config, signature: Signature) -> list[str]:
    """What `signatures.live` says of one signature."""
    from signatures.modes import ALL

    return [name for name in config.signatures.live if name in (ALL, str(signature.id))]


def _asked(arguments: argparse.Namespace) -> tuple[Config, Signature]:
    from jobs.configuration import load
    from signatures.loading import signature_of_abuse

    config = load(arguments.config, arguments.set, os.environ)
    return config, signature_of_abuse(arguments.signature, config.signatures.paths)


def _backtested(
    changes: Changes, signature: Signature, before: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The latest backtest of each of seven recent days in a row or more, of the present form.

    What was backtested before a demotion does not count: it did not show what was wrong. Raises
    GuardStop where there are fewer days.
    """
    from graph.ledger import read_ledger
    from signatures.backtests import BACKTESTS, DAYS, RECENT_DAYS, that_count
    from signatures.inclusions import INCLUSIONS
    from signatures.modes import form_sha256, last_changes

    last = last_changes(row for row in before if row["mode"] == "shadow")
    demoted = last.get(str(signature.id))
    since = datetime.min.replace(tzinfo=UTC) if demoted is None else demoted["changed_at"]
    tested = read_ledger(changes.home, BACKTESTS).to_pylist()
    latest = max(changes.publication.warehouse.days(INCLUSIONS.name), default=date.max)
    run = that_count(tested, form_sha256(signature), since, latest)
    if len(run) < DAYS:
        later = " since it was demoted" if demoted else ""
        raise GuardStop(
            f"guard promotion: {signature.title} was backtested on {len(run)} days in a row of the "
            f"last {RECENT_DAYS} in its present form{later}, needed {DAYS}: run `actorgraph "
            "signatures backtest` on more days"
        )
    return run


def _change(
    changes: Changes,
    arguments: argparse.Namespace,
    signature: Signature,
    mode: Mode,
    told: Mapping[str, Any],
) -> None:
    """Write a change of mode to its ledger and to the audit log."""
    from signatures.modes import MODE_CHANGES, change_row

    row = change_row(signature, mode) | {"reason": arguments.reason}
    person = {"changed_at": changes.now, "changed_by": arguments.person}
    changes.rows(MODE_CHANGES, [row | person])
    verb = {"live": "promote", "shadow": "demote"}[mode]
    changes.audit(f"{verb} signature", arguments.person, {**row, **told})
