"""Deletes what is known of an account: its rows in tables and the archive; ledgers keep a hash.

Run it by `actorgraph forget ACCOUNT --reason ...`. In ledgers the account's id is replaced by a
keyed HMAC, so that decisions can still be counted; the audit log gets a tombstone with the same
hash. Investigators' database loses the account, too; if it cannot be reached, the exit code is 5,
and the same command does the rest later. Batches that wait are voided and deleted. Those that left
keep the account until `retention.evidence` has passed: people may complain that long, and whoever
imported them must be able to check their signatures. What remains is told. While something that was
released stands against the account it needs `--force`: afterwards nobody can say whom it is about.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graph.engines.base import DependencyError, Engine
from jobs.arguments import settings_parser
from jobs.batches.people import add_person
from jobs.commands import run_command
from jobs.errors import DONE, ConfigError, GuardStop

if TYPE_CHECKING:
    from exporters.neo4j import Database
    from exporters.neo4j_forget import ForgottenThere
    from jobs.batches.changes import Changes
    from jobs.batches.forgetting import Forgotten, Unreleased


def main(argv: Sequence[str] | None = None, engine: Engine | None = None) -> int:
    """Forget an account as a command; returns its exit code."""
    parser = settings_parser("forget", "Delete what is known of an account.")
    parser.set_defaults(engine=engine)
    parser.add_argument("account", metavar="ACCOUNT", help="its id")
    parser.add_argument("--reason", required=True, help="why; it stands in the audit log")
    parser.add_argument(
        "--force",
        action="store_true",
        help="although something that was released stands against it",
    )
    add_person(parser, "who orders it")
    return run_command(parser, argv, _command)


def _command(arguments: argparse.Namespace) -> int:
    from exporters.enforcement.keyed import keyed, read_key
    from jobs.batches.changes import changing
    from jobs.batches.forgetting import Forgotten
    from jobs.configuration import load

    config = load(arguments.config, arguments.set, os.environ)
    key = read_key(config.enforcement.key_file)
    forgotten = Forgotten(arguments.account, keyed(key, "account", arguments.account))
    with changing(config, "forget", engine=arguments.engine) as changes:
        unreached = _forget(changes, forgotten, arguments)
    if unreached:
        raise DependencyError(
            f"{arguments.account} is still in Neo4j: {unreached}; then run the same command again"
        )
    return DONE


def _forget(changes: Changes, forgotten: Forgotten, arguments: argparse.Namespace) -> str | None:
    """Forget an account and say what was done and what remains; returns why Neo4j still has it."""
    from exporters.audit import mentioned
    from jobs.batches.forgetting import (
        end_decisions,
        forget_rows,
        released_with,
        stands_against,
        void_waiting,
    )
    from jobs.batches.holds import held_accounts
    from jobs.batches.store import approvals_path
    from jobs.files import remove
    from jobs.places import audit_folder
    from jobs.samples import REVIEW, forget_in_blank_labels

    account, person = forgotten.account, arguments.person
    if account in held_accounts(changes.home, changes.publication.warehouse.published):
        raise GuardStop(
            f"guard legal hold: 1 hold or more reaches {account}, limit 0: it is on the account, "
            "or a network or decision of it (`legal-hold LIST`): lift it first"
        )
    unreleased = void_waiting(changes, forgotten, person)
    waiting = [*unreleased.voided, *unreleased.copies]
    stands = stands_against(changes, account)
    if stands and not arguments.force:
        raise GuardStop(_in_force(account, stands))
    ended = end_decisions(changes, forgotten, person)
    rows = forget_rows(changes, forgotten)
    released = released_with(changes, account)
    signatures = changes.config.signatures.paths
    there, unreached = _in_database(changes.home, os.environ, forgotten, signatures)
    known = any((*rows.values(), ended, waiting, released, there and there.nodes, unreached))
    if not (
        known
        or mentioned(audit_folder(changes.home), forgotten.name)
        or forget_in_blank_labels(changes.home / REVIEW, account)
    ):
        raise ConfigError(
            f"{account} is unknown: it stands in no table, ledger, batch or database here, and was "
            "never forgotten; give its whole id"
        )
    told = {
        "account": forgotten.name,
        "reason": arguments.reason,
        **rows,
        "decisions_ended": ended,
        "decisions_standing": len(stands),
        "batches_deleted": sorted(folder.name for folder in waiting),
        "batches_kept": [folder.name for folder in released],
        "neo4j": "not reached" if unreached else "forgotten" if there else "none",
    }
    changes.audit("forget", person, told)
    changes.publish()
    # Once the log says so; whoever runs forget again deletes what a crash left.
    for folder in waiting:
        remove(folder)
        remove(approvals_path(folder))
    forget_in_blank_labels(changes.home / REVIEW, account)
    _say(f"{rows['deleted']} rows deleted; in ledgers the account is {forgotten.name}")
    if stands:
        _say(
            f"still in force against it: {', '.join(stands)}; `export retract` still takes its id,"
        )
        _say("and names the hash in its place: importers find what to take back by the key alone")
    _say_of_batches(changes, unreleased, released)
    _say_of_log(changes, account)
    _say("networks are told with as many accounts as they were found with, it among them")
    _say_of_database(there)
    _say("the log and the lists of `events` and `inputs` are the site's own: delete it there, too,")
    _say("or the next run finds it again")
    return unreached


def _in_force(account: str, stands: Sequence[str]) -> str:
    """Why an account is not forgotten yet to which somebody may want to give something back."""
    decisions = "1 decision is" if len(stands) == 1 else f"{len(stands)} decisions are"
    return (
        f"guard forget: {decisions} in force against {account}, limit 0: {', '.join(stands)}: what "
        "is wrong is taken back by `actorgraph export retract --account`, approved and released "
        "first; for what is to stand, --force: a later reversal will not name the account, and "
        "importers find it by its key alone"
    )


def _in_database(
    home: Path,
    environment: Mapping[str, str],
    forgotten: Forgotten,
    signatures: Sequence[str | Path],
) -> tuple[ForgottenThere | None, str | None]:
    """What was forgotten in Neo4j, and why not; neither where the site has no such database."""
    from exporters.neo4j import URI, Database
    from exporters.neo4j_forget import forget_in_database
    from jobs.database.address import FOLDER, database_address

    if not environment.get(URI) and not (home / FOLDER).exists():
        return None, None
    try:
        with Database(database_address(home, environment)) as database:
            there = forget_in_database(database, forgotten.account, forgotten.name)
            _rewrite_guide(home, database, signatures)
    except DependencyError as error:
        return None, str(error)
    return there, None


def _rewrite_guide(home: Path, database: Database, signatures: Sequence[str | Path]) -> None:
    """The local server's guide has samples of ids, which may be the account's."""
    from exporters.neo4j_guide import sample_values, write_guide
    from exporters.neo4j_queries import read_parameters
    from jobs.database.address import FOLDER
    from jobs.database.server import find_server

    if server := find_server(home / FOLDER):
        samples = sample_values(database, read_parameters())
        write_guide(server.guide_folder, server.guide_url, samples, signatures)


def _say_of_batches(changes: Changes, unreleased: Unreleased, released: Sequence[Path]) -> None:
    from graph.setting_types import format_duration

    if unreleased.voided:
        names = _names(unreleased.voided)
        _say(f"batches that waited with it are void and deleted: {names}; export again")
    if unreleased.copies:
        names = _names(unreleased.copies)
        _say(f"copies of batches that had ended before are deleted: {names}")
    if released:
        kept = format_duration(changes.config.retention.evidence)
        _say(
            f"released batches keep it for {kept} (retention.evidence), while people may complain "
            f"and importers check signatures: {_names(released)}; purge deletes their rows then"
        )


def _say_of_log(changes: Changes, account: str) -> None:
    from exporters.audit import mentioned
    from graph.setting_types import format_duration
    from jobs.places import audit_folder

    if lines := mentioned(audit_folder(changes.home), account):
        kept = format_duration(changes.config.retention.audit)
        _say(
            f"the audit log has its id, in a reason or of an older version, and cannot be changed; "
            f"purge deletes such lines after {kept} (retention.audit): {'; '.join(lines)}"
        )


def _say_of_database(there: ForgottenThere | None) -> None:
    if there is None:
        return
    _say(f"Neo4j: {there.nodes} nodes deleted, {there.verdicts} verdicts name the hash instead")
    _say(
        "and its network says how many of its accounts were forgotten; the server's own files keep"
    )
    _say(
        "what was deleted: its store until the space is used again, its transaction logs until they"
    )
    _say("are pruned (db.tx_log.rotation.retention_policy), and backups as long as you keep them")
    if there.remarks:
        _say(f"Neo4j: remarks that may name it, for a person to look at: {' '.join(there.remarks)}")


def _names(folders: Sequence[Path]) -> str:
    return ", ".join(sorted(folder.name for folder in folders))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
