"""Tries a signature on published days, and makes it live, or not, by what was seen.

Run it by `actorgraph signatures backtest FILE --from DAY --to DAY`, `signatures promote ID` and
`signatures demote ID`. Whoever promotes, and why, stands in the audit log.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from jobs.arguments import add_settings, day
from jobs.batches.people import add_person
from jobs.errors import DONE, ConfigError, GuardStop
from jobs.printing import print_table

if TYPE_CHECKING:
    from graph.config import Config
    from graph.frames import DataFrame
    from jobs.batches.changes import Changes
    from signatures.model import Signature
    from signatures.review_sample import Population

SAMPLE = 50
"""Networks of the review sample, unless told otherwise: an hour or two of a reviewer's time."""


def add_commands(commands: Any) -> None:
    """Add the subcommands backtest, promote and demote."""
    backtest = commands.add_parser(
        "backtest", help="what a signature would have found", allow_abbrev=False
    )
    backtest.set_defaults(action=_backtest)
    backtest.add_argument("file", metavar="FILE", help="the signature's .yml file")
    backtest.add_argument("--from", dest="first", type=day, required=True, help="first day")
    backtest.add_argument("--to", dest="last", type=day, required=True, help="last day")
    backtest.add_argument(
        "--sample", type=int, default=SAMPLE, metavar="N", help="networks to draw for reviewers"
    )
    add_settings(backtest)
    for name, mode, help_text in (
        ("promote", "live", "let a signature that was tried lead to decisions"),
        ("demote", "shadow", "take that back"),
    ):
        command = commands.add_parser(name, help=help_text, allow_abbrev=False)
        command.set_defaults(action=_change_mode, mode=mode)
        command.add_argument("id", metavar="ID", help="the signature's id")
        command.add_argument("--reason", required=True, help="why; it stands in the audit log")
        add_person(command, "who decides that")
        add_settings(command)


def _backtest(arguments: argparse.Namespace) -> int:
    from jobs.batches.changes import changing
    from jobs.configuration import load
    from signatures.backtest import BACKTESTS, counted, try_on

    signature = _only_one(arguments.file)
    config = load(arguments.config, arguments.set, os.environ)
    with changing(config, "signatures backtest", engine=arguments.opened) as changes:
        days = _published(changes, arguments.first, arguments.last)
        rows: list[dict[str, Any]] = []
        for ds in days:
            found = try_on(changes.engine, signature, _tables(changes, ds))
            found = changes.engine.materialize(found, "found")
            rows += counted(changes.engine, found, signature, ds, changes.now)
        changes.rows(BACKTESTS, rows)
        drawn = _draw(changes, found, signature, days[-1], arguments.sample)
        changes.publish()
        _tell(rows, signature, changes, drawn)
    return DONE


def _only_one(file: str) -> Signature:
    """The signature of a file; raises ConfigError for a file with a problem, or a folder."""
    from signatures.loading import read_library

    library = read_library([file], with_shipped=False)
    if library.problems:
        raise ConfigError("\n".join(library.problems))
    if len(library.signatures) != 1:
        raise ConfigError(f"{file}: name one signature's file, not a folder of them")
    return next(iter(library.signatures.values()))


def _published(changes: Changes, first: date, last: date) -> list[date]:
    """The days that were scored; raises InputError where none was."""
    from graph.engines.base import InputError
    from signatures.findings import FINDINGS

    if last < first:
        raise ConfigError(f"--from {first} is after --to {last}")
    scored = changes.publication.warehouse.days(FINDINGS.name)
    days = [ds for ds in scored if first <= ds <= last]
    if not days:
        raise InputError(f"no day from {first} to {last} was scored: run score-networks for them")
    absent = (last - first + timedelta(days=1)).days - len(days)
    if absent:
        sys.stderr.write(f"{absent} of the days were not scored and are left out\n")
    return days


def _tables(changes: Changes, ds: date) -> Any:
    from graph.features.computed import (
        ACCOUNT_FEATURE_NAMES,
        ACCOUNT_FEATURES_TABLE,
        NETWORK_FEATURE_NAMES,
        NETWORK_FEATURES_TABLE,
        wide_form,
    )
    from signatures.backtest import PublishedDay
    from signatures.findings import FINDINGS
    from signatures.inclusions import INCLUSIONS

    engine, read = changes.engine, changes.publication.read
    networks = wide_form(read(NETWORK_FEATURES_TABLE, ds), ["network_id"], NETWORK_FEATURE_NAMES)
    accounts = wide_form(
        read(ACCOUNT_FEATURES_TABLE, ds), ["network_id", "account_id"], ACCOUNT_FEATURE_NAMES
    )
    return PublishedDay(
        networks=engine.materialize(networks, "networks wide"),
        accounts=engine.materialize(accounts, "accounts wide"),
        findings=read(FINDINGS, ds),
        inclusions=read(INCLUSIONS, ds),
    )


def _draw(
    changes: Changes, found: DataFrame, signature: Signature, ds: date, networks: int
) -> tuple[str, list[dict[str, Any]]] | None:
    """Draw a review sample of what is found on a day; None where there is nothing to draw."""
    import pyarrow.compute as pc

    from graph.ledger import read_ledger
    from signatures.backtest import detection_sha256, found_population
    from signatures.review_sample import REVIEW_SAMPLES, Order, draw

    order = Order(ds, networks, outside=0, of=detection_sha256(signature))
    known = read_ledger(changes.home, REVIEW_SAMPLES, pc.field("sample_id") == order.sample_id)
    if known.num_rows:
        return order.sample_id, known.to_pylist()
    if networks < 1:
        return None
    population = found_population(_population(changes, ds), found, signature)
    rows = draw(changes.engine, population, order)
    changes.rows(REVIEW_SAMPLES, rows)
    return (order.sample_id, rows) if rows else None


def _population(changes: Changes, ds: date) -> Population:
    from jobs.calibrate import population_on

    return population_on(lambda table: changes.publication.read(table, ds))


def _tell(
    rows: list[dict[str, Any]],
    signature: Signature,
    changes: Changes,
    drawn: tuple[str, list[dict[str, Any]]] | None,
) -> None:
    from graph.ledger import read_ledger
    from jobs.calibrate import write_blank_labels
    from signatures.backtest import BACKTESTS, DAYS_NEEDED, days_tried

    disputed = "explained" if not signature.benign else "also abuse"
    print_table(
        f"{signature.title}: what it finds",
        ["day", "market", "networks", "accounts", "new networks", disputed],
        [
            [
                str(row["ds"]),
                row["market"] or "unknown",
                *(row[n] for n in ("networks", "accounts", "new_networks", "disputed_networks")),
            ]
            for row in rows
        ],
    )
    days = days_tried(read_ledger(changes.home, BACKTESTS), signature)
    sys.stdout.write(f"tried on {len(days)} days; promotion needs {DAYS_NEEDED}\n")
    if drawn:
        path = write_blank_labels(changes.home / "review", *drawn)
        sys.stdout.write(f"{len(drawn[1])} subjects for reviewers: {path}\n")


def _change_mode(arguments: argparse.Namespace) -> int:
    from graph.ledger import read_ledger
    from jobs.batches.changes import changing
    from jobs.configuration import load
    from signatures.backtest import BACKTESTS, DAYS_NEEDED, PROMOTIONS, days_tried, detection_sha256

    config = load(arguments.config, arguments.set, os.environ)
    signature = _known(config, arguments.id)
    with changing(config, f"signatures to {arguments.mode}", engine=arguments.opened) as changes:
        days = days_tried(read_ledger(changes.home, BACKTESTS), signature)
        if arguments.mode == "live" and len(days) < DAYS_NEEDED:
            raise GuardStop(
                f"guard backtest: {signature.title} was tried on {len(days)} days as it is now, "
                f"limit {DAYS_NEEDED}: run `actorgraph signatures backtest` over more days"
            )
        told = {
            "signature_id": str(signature.id),
            "mode": arguments.mode,
            "detection_sha256": detection_sha256(signature),
            "days": len(days),
            "reason": arguments.reason,
        }
        changes.rows(PROMOTIONS, [told | {"at": changes.now, "person": arguments.person}])
        changes.audit(f"signature {arguments.mode}", arguments.person, told)
        changes.publish()
    sys.stdout.write(f"{signature.title}: {arguments.mode}\n")
    return DONE


def _known(config: Config, name: str) -> Signature:
    from graph.suggestions import nearest
    from signatures.loading import load

    library = {str(each.id): each for each in load(config.signatures.paths)}
    if name not in library:
        hint = nearest(name, library) or "; `actorgraph signatures list` shows them all"
        raise ConfigError(f"no signature has the id {name!r}{hint}")
    return library[name]
