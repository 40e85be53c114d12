"""Batches after they were made: approve, release, take back, verify, and what comes back.

Run it by `actorgraph export approve|release|retract|verify|receipts|appeals`. `verify` needs
nothing but the batch and the approvers file, so that an importing side can run it alone.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from graph.engines.base import Engine
from graph.people import person_key
from jobs.commands import run_command
from jobs.errors import DONE, ConfigError, DataStop, GuardStop

if TYPE_CHECKING:
    from graph.config import Config

Action = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Run one of the subcommands; returns its exit code.

    `engine` is one that is open already and stays open.
    """
    parser = argparse.ArgumentParser(
        prog="actorgraph export",
        description="Approve, release, take back and check batches for enforcement.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(
        required=True, metavar="approve|release|retract|verify|receipts|appeals"
    )
    for name, add, action, help_text in COMMANDS:
        command = commands.add_parser(name, help=help_text, allow_abbrev=False)
        add(command)
        command.set_defaults(action=action, engine=engine)
    return run_command(parser, argv, lambda arguments: int(arguments.action(arguments)))


def _settings(parser: argparse.ArgumentParser, meaning: str | None = None) -> None:
    from jobs.arguments import add_settings
    from jobs.batches.people import add_person

    add_settings(parser)
    if meaning:
        add_person(parser, meaning)


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return DONE


def _add_approve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("batch", metavar="BATCH", help="the id of a proposed batch")
    parser.add_argument(
        "--key", type=Path, required=True, help="your SSH key; a public one asks the agent"
    )
    _settings(parser, "your name in the approvers file")


def _approve(arguments: argparse.Namespace) -> int:
    from jobs.batches.approving import approve
    from jobs.batches.changes import changing
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    with changing(config, "export approve", engine=arguments.engine) as changes:
        found = approve(changes, arguments.batch, arguments.person, arguments.key)
        changes.publish()
    state = "may be released" if found.complete else "waits for others"
    return _say(f"{found.batch_id}: {len(found.names)} of {found.needed} approvals: {state}")


def _add_release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("batch", metavar="BATCH", help="the id of an approved batch")
    _settings(parser, "who releases it")


def _release(arguments: argparse.Namespace) -> int:
    from jobs.batches.changes import changing
    from jobs.batches.releasing import Voided, release
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    with changing(config, "export release", engine=arguments.engine) as changes:
        try:
            found = release(changes, arguments.batch, arguments.person)
        except Voided:
            changes.publish()
            raise
        changes.publish()
    more = f"; {found.stages_left} stages wait" if found.stages_left else ""
    return _say(f"{found.batch_id}: {found.rows} accounts released{more}")


def _add_retract(parser: argparse.ArgumentParser) -> None:
    for name in ("batch", "decision", "account", "network"):
        parser.add_argument(
            f"--{name}", action="append", default=[], metavar="ID", help="may be repeated"
        )
    parser.add_argument("--reason", required=True, help="why; it stands in the batch")
    parser.add_argument("--key", type=Path, help="approve and release at once with this SSH key")
    parser.add_argument("--approver", metavar="NAME", help="whose key that is")
    _settings(parser, "who orders it; they cannot approve it")


def _retract(arguments: argparse.Namespace) -> int:
    from jobs.batches.changes import changing
    from jobs.batches.retracting import Chosen, retract
    from jobs.configuration import load

    chosen = Chosen(arguments.batch, arguments.decision, arguments.account, arguments.network)
    config = load(arguments.config, arguments.set, os.environ)
    orders, approves = arguments.person, arguments.approver or arguments.person
    if arguments.key is not None and person_key(orders) == person_key(approves):
        raise ConfigError("--approver: name whose key that is; who orders cannot approve")
    left, code = 1, DONE
    while left:  # an account has one row in a batch; what else stands against it needs another
        with changing(config, "export retract", engine=arguments.engine) as changes:
            found = retract(changes, chosen, arguments.person, arguments.reason)
            changes.publish()
        left = found.left
        _say(f"{found.made.batch_id}: {found.made.rows} reversals proposed")
        if found.forgotten:
            _say(
                f"of accounts that were forgotten: {found.forgotten}; their rows name a hash, and "
                "importers find what to take back by `retracts_idempotency_key` alone: tell those "
                "who act by account id that they cannot carry these out"
            )
        if arguments.key is not None:
            code = max(code, _let_out(arguments, config, found.made.batch_id))
    return code


def _let_out(arguments: argparse.Namespace, config: Config, batch_id: str) -> int:
    """Approve and release a reversal, and say whether importers may act on it."""
    from jobs.batches.store import Store, read

    mine = argparse.Namespace(**{**vars(arguments), "batch": batch_id})
    mine.person = arguments.approver
    _approve(mine)
    _release(mine)
    mine.folder = Store(config.home.absolute()).released / batch_id
    mine.approvers = config.enforcement.approvers
    mine.allow_demo, mine.imported = read(mine.folder).environment == "demo", []
    return _verify(mine)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the batch's folder")
    parser.add_argument("--approvers", type=Path, help="the approvers file that you trust")
    parser.add_argument(
        "--allow-demo", action="store_true", help="accept a batch of a demo, for a trial"
    )
    parser.add_argument(
        "--imported",
        action="append",
        default=[],
        metavar="BATCH",
        help="a retraction that you have acted on; may be repeated",
    )


def _verify(arguments: argparse.Namespace) -> int:
    from exporters.enforcement.approvals import read_approvers
    from exporters.enforcement.files import named
    from exporters.enforcement.verify import verify_batch

    approvers = None if arguments.approvers is None else read_approvers(arguments.approvers)
    now = datetime.now(UTC)
    folder, imported = named(arguments.folder), arguments.imported
    verdict = verify_batch(folder, approvers, now, arguments.allow_demo, imported)
    told = "\n".join(f"{folder.name}: {line}" for line in verdict.problems)
    if verdict.content:
        raise DataStop(told)
    if verdict.not_now:
        raise GuardStop(told)
    return _say(f"{folder.name}: may be imported")


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="JSON lines, one each")
    _settings(parser, "who takes them in")


def _receipts(arguments: argparse.Namespace) -> int:
    from jobs.batches.changes import changing
    from jobs.batches.receiving import expire, overdue, receive
    from jobs.batches.reversals import open_reversals
    from jobs.batches.waiting import retractions_inside, waiting
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    with changing(config, "export receipts", engine=arguments.engine) as changes:
        told = receive(changes, arguments.file)
        changes.publish()
    with changing(config, "export receipts", engine=arguments.engine) as changes:
        expired, late = expire(changes), overdue(changes)
        due = timedelta(microseconds=config.enforcement.receipt_due)
        open_ = [f"ALERT: {line}" for line in open_reversals(changes.home, changes.now, due)]
        open_ += retractions_inside(waiting(changes.home, changes.now), changes.now, due)
        changes.publish()
    _say(
        f"{told.receipts} receipts ({told.repeated} known already): {told.applied} applied, "
        f"{told.failed} failed, {told.skipped} skipped; of reversals {told.reversed} carried out, "
        f"{told.not_reversed} not; {expired} decisions expired"
    )
    if told.leaving_again:
        _say(
            f"{told.leaving_again} that had failed were carried out on a later try; they count as "
            "applied once what is proposed again was released, with the next receipts"
        )
    if told.contradicting:
        _say(
            f"ALERT: {told.contradicting} receipts contradict what is known, e.g. one that failed "
            "after it was applied: look at their errors in the ledger `receipts`"
        )
    if late:
        _say(f"ALERT: {late} released decisions have no receipt for too long: ask enforcement")
    for line in open_:
        _say(line)
    return _told_of_lines(told.refused)


def _appeals(arguments: argparse.Namespace) -> int:
    from exporters.enforcement.guards import Figures, held
    from jobs.batches.appealing import hear
    from jobs.batches.changes import changing
    from jobs.batches.figures import all_outcomes
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    with changing(config, "export appeals", engine=arguments.engine) as changes:
        told = hear(changes, arguments.file, arguments.person)
        changes.publish()
    with changing(config, "export appeals", engine=arguments.engine) as changes:
        figures = Figures(rows=0, outcomes=all_outcomes(changes))
        holds = sorted(map(str, held(figures, config.enforcement)))
    _say(
        f"{told.lodged} appeals lodged, {told.decided} decided, {told.overturned} overturned "
        f"({told.repeated} known already)"
    )
    if told.retraction:
        _say(f"{told.retraction}: their retraction is proposed; approve and release it")
    if told.lighter:
        _say(
            f"of lighter actions {told.lighter} proposed: `export-enforcement` takes them once "
            "receipts say that the retraction was carried out"
        )
    if alone := told.partial - told.lighter:
        _say(
            f"of partial outcomes {alone} began no lighter action: it stands already or was "
            "given up before, or the restriction is over"
        )
    for hold in holds:
        _say(f"ALERT: releases wait: {hold}")
    return _told_of_lines(told.refused)


def _told_of_lines(refused: Sequence[str]) -> int:
    """Done, unless lines of a file were not taken: raises DataStop, which says why of each."""
    if refused:
        raise DataStop(
            "\n".join(refused)
            + "\nthe rest of the file was taken: mend what is named, and send it again"
        )
    return DONE


COMMANDS: tuple[tuple[str, Callable[[argparse.ArgumentParser], None], Action, str], ...] = (
    ("approve", _add_approve, _approve, "sign a proposed batch"),
    ("release", _add_release, _release, "let an approved batch, or its next stage, out"),
    ("retract", _add_retract, _retract, "take back what was released, in all its formats"),
    ("verify", _add_verify, _verify, "whether a batch may be imported, a line for each problem"),
    ("receipts", _add_file, _receipts, "take in what enforcement did"),
    ("appeals", _add_file, _appeals, "take in appeals and how they were decided"),
)


if __name__ == "__main__":
    sys.exit(main())
