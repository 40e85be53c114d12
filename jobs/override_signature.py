"""A reviewer's override of an innocent explanation, and its withdrawal.

Run it by `actorgraph signatures override ID --network ID | --account ID --reason ...`, `signatures
withdraw OVERRIDE --reason ...` and `signatures overrides`. All stands in the ledger `overrides` and
in the audit log, where accounts are keyed hashes.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from jobs.arguments import add_settings, day
from jobs.batches.people import add_person
from jobs.errors import DONE, ConfigError
from jobs.printing import plain, print_table

if TYPE_CHECKING:
    from jobs.batches.changes import Changes
    from signatures.model import Signature


def add_override(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `signatures override`."""
    parser.add_argument("signature", metavar="ID", help="the id, or title, of a benign signature")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--network", metavar="ID", help="a network: its members of the day")
    whom.add_argument("--account", metavar="ID", help="one account, in its network of the day")
    parser.add_argument("--ds", type=day, help="the day; default: the latest that was scored")
    parser.add_argument(
        "--reason", required=True, help="why the explanation does not hold; batches repeat it"
    )
    add_settings(parser)
    add_person(parser, "the reviewer; who can neither ask for the batch nor approve it")


def add_withdrawal(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `signatures withdraw`."""
    parser.add_argument("override", metavar="OVERRIDE", help="its id: `signatures overrides`")
    parser.add_argument("--reason", required=True, help="why; it stands in the audit log")
    add_settings(parser)
    add_person(parser, "who withdraws it")


def override(arguments: argparse.Namespace) -> int:
    """Override an innocent explanation of what was found on a day; returns the exit code."""
    from jobs.batches.changes import changing
    from jobs.configuration import load
    from signatures.loading import benign_signature
    from signatures.overrides import override_row

    config = load(arguments.config, arguments.set, os.environ)
    signature = benign_signature(arguments.signature, config.signatures.paths)
    reason = _reason(arguments)
    with changing(config, "signatures override", engine=arguments.engine) as changes:
        ds = _day(changes, arguments.ds)
        network = _explained(changes, signature, arguments, ds)
        judged = {
            "network_id": network,
            "snapshot_sha256": _frozen(changes, network, ds),
            "account_id": arguments.account,
        }
        _refuse_repeated(changes, signature, judged)
        row = override_row(signature, judged, arguments.person, reason, changes.now)
        _write(changes, row, "override signature", arguments.person)
        changes.publish()
    whom = f"account {arguments.account}" if arguments.account else f"the members of {network}"
    sys.stdout.write(
        f"{plain(row['override_id'])}: {signature.title} keeps {plain(whom)} out no more from the "
        f"next run on, until {row['expires_at']:%Y-%m-%d}; whoever joins later, and all else that "
        "the rules ask for, is judged as before\n"
    )
    return DONE


def withdraw(arguments: argparse.Namespace) -> int:
    """Withdraw an override; returns the exit code."""
    from graph.ledger import read_ledger
    from graph.suggestions import nearest
    from jobs.batches.changes import changing
    from jobs.configuration import load
    from signatures.overrides import OVERRIDES, not_ended, withdrawal

    config = load(arguments.config, arguments.set, os.environ)
    reason = _reason(arguments)
    with changing(config, "signatures withdraw", engine=arguments.engine) as changes:
        held = not_ended(read_ledger(changes.home, OVERRIDES).to_pylist(), changes.now)
        by_id = {row["override_id"]: row for row in held}
        if arguments.override not in by_id:
            hint = nearest(arguments.override, by_id) or "; `actorgraph signatures overrides`"
            raise ConfigError(f"no override {arguments.override!r} is in force{hint}")
        given = by_id[arguments.override]
        row = withdrawal(given, arguments.person, reason, changes.now)
        _write(changes, row, "withdraw override", arguments.person)
        changes.publish()
    sys.stdout.write(
        f"{given['title']} explains them again from the next run on; no batch that rests on the "
        "override can be released\n"
    )
    return DONE


def overrides(arguments: argparse.Namespace) -> int:
    """List the overrides that are in force; returns the exit code."""
    from graph.ledger import read_ledger
    from jobs.configuration import load
    from signatures.loading import load as load_signatures
    from signatures.overrides import OVERRIDES, in_force

    config = load(arguments.config, arguments.set, os.environ)
    library = load_signatures(config.signatures.paths)
    rows = read_ledger(config.home.absolute(), OVERRIDES).to_pylist()
    print_table(
        "Overrides in force",
        ("override", "signature", "network", "account", "reviewer", "until", "reason"),
        [
            (
                *(row[name] for name in ("override_id", "title", "network_id")),
                row["account_id"] or "all of the snapshot",
                row["reviewer"],
                f"{row['expires_at']:%Y-%m-%d}",
                row["reason"],
            )
            for row in in_force(rows, library, datetime.now(UTC))
        ],
    )
    return DONE


def _reason(arguments: argparse.Namespace) -> str:
    """The reason in one line; raises ConfigError for none."""
    reason = " ".join(str(arguments.reason).split())
    if not reason:
        raise ConfigError("--reason: say why; whoever approves a batch must be able to check it")
    return reason


def _day(changes: Changes, asked: date | None) -> date:
    from graph.engines.base import InputError
    from signatures.inclusions import INCLUSIONS

    ds = asked or max(changes.publication.warehouse.days(INCLUSIONS.name), default=None)
    if ds is None:
        raise InputError("nothing was scored yet: run `actorgraph score-networks` first")
    return ds


def _explained(
    changes: Changes, signature: Signature, arguments: argparse.Namespace, ds: date
) -> str:
    """The network of what is asked for; raises ConfigError where the signature explains nothing."""
    from pyarrow.dataset import field

    from graph.networks import MEMBERSHIPS
    from signatures.findings import FINDINGS

    warehouse = changes.publication.warehouse
    network, account = arguments.network, arguments.account
    column = "network_id" if account is None else "account_id"
    whom = field(column) == (account or network)
    members = warehouse.rows(MEMBERSHIPS, ds, whom)
    if not members:
        raise ConfigError(
            f"{account} is in no network on {ds}" if account else f"{ds} has no network {network}"
        )
    found = members[0]["network_id"]
    here = (field("network_id") == found) & field("benign")
    rows = warehouse.rows(FINDINGS, ds, here)
    explain = [row for row in rows if row["subject_id"] in (found, account)]
    if str(signature.id) not in {row["signature_id"] for row in explain}:
        titles = ", ".join(sorted({row["title"] for row in explain})) or "no benign signature"
        raise ConfigError(
            f"{signature.title} does not explain {account or network} on {ds}, so there is nothing "
            f"to override; what explains it: {titles}"
        )
    return str(found)


def _frozen(changes: Changes, network: str, ds: date) -> str:
    """Freeze the network as its day's tables have it, unless it is; the snapshot's name."""
    from functools import partial

    from jobs.published_days import PublishedDays
    from signatures.snapshots import SNAPSHOTS

    engine = changes.engine
    read = partial(changes.publication.warehouse.read, engine)
    days = PublishedDays(engine, changes.config, changes.home, read)
    snapshot = days.frozen({ds: {network}})
    changes.append(SNAPSHOTS, engine.from_arrow(days.not_in_ledger(snapshot)))
    name: str = snapshot.column("snapshot_sha256")[0].as_py()
    return name


def _refuse_repeated(changes: Changes, signature: Signature, judged: dict[str, Any]) -> None:
    from graph.ledger import read_ledger
    from signatures.overrides import OVERRIDES, in_force

    held = in_force(read_ledger(changes.home, OVERRIDES).to_pylist(), [signature], changes.now)
    for row in held:
        if all(row[name] == value for name, value in judged.items()):
            raise ConfigError(
                f"{signature.title} is overridden there already, by {row['reviewer']} until "
                f"{row['expires_at']:%Y-%m-%d}: {row['override_id']}"
            )


def _write(changes: Changes, row: dict[str, Any], action: str, person: str) -> None:
    """Write a row to its ledger and to the audit log, where an account is a keyed hash."""
    from exporters.enforcement.keyed import keyed, read_key
    from signatures.overrides import OVERRIDES

    told = ("override_id", "signature_id", "title", "network_id", "snapshot_sha256", "reason")
    details = {name: row[name] for name in told} | {"expires_at": row["expires_at"].isoformat()}
    if row["account_id"] is not None:
        key = read_key(changes.config.enforcement.key_file)
        details["account"] = keyed(key, "account", row["account_id"])
    changes.rows(OVERRIDES, [row])
    changes.audit(action, person, details)
