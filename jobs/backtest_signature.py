"""What a signature would have found on past days, and its promotion from shadow to live.

Run it by `actorgraph signatures backtest FILE --from DAY --to DAY` and `actorgraph signatures
promote ID`. A backtest changes nothing but its own ledger, and draws a sample for reviewers.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.arguments import add_settings, day
from jobs.batches.people import add_person
from jobs.errors import DONE, ConfigError, GuardStop
from jobs.printing import print_table

if TYPE_CHECKING:
    from graph.frames import DataFrame
    from jobs.batches.changes import Changes
    from signatures.backtests import Day
    from signatures.model import Signature


def add_backtest(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `signatures backtest`."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the signature, a .yml file")
    parser.add_argument("--from", dest="first", type=day, required=True, help="first day")
    parser.add_argument("--to", dest="last", type=day, required=True, help="last day")
    parser.add_argument(
        "--sample",
        type=int,
        default=30,
        metavar="N",
        help="networks to draw for reviewers, of those it finds on the last day",
    )
    add_settings(parser)


def backtest(arguments: argparse.Namespace) -> int:
    """Apply a signature to past days and print what it finds; returns the exit code."""
    from jobs.batches.changes import changing
    from jobs.configuration import load
    from jobs.verdicts import read_verdicts
    from signatures.backtests import BACKTESTS, COUNTED, backtest_rows, count, matched

    if arguments.first > arguments.last:
        raise ConfigError("--from is after --to")
    signature = _read(arguments.file)
    config = load(arguments.config, arguments.set, os.environ)
    rows: list[dict[str, Any]] = []
    with changing(config, "signatures backtest") as changes:
        verdicts = read_verdicts(changes.home, changes.now)
        benign = changes.engine.from_arrow(verdicts.benign_rows)
        for ds in _days(arguments.first, arguments.last):
            tables = _day(changes, ds, benign)
            found = changes.engine.materialize(
                matched(changes.engine, tables, signature), "matched"
            )
            rows += backtest_rows(signature, ds, count(changes.engine, found), changes.now)
        changes.rows(BACKTESTS, rows)
        sample = _draw(changes, signature, arguments.last, found, arguments.sample)
        changes.publish()
    print_table(
        f"{signature.title}, by day and market",
        ("day", "market", *(name.replace("_", " ") for name in COUNTED)),
        [(str(row["ds"]), row["market"], *(row[name] for name in COUNTED)) for row in rows],
    )
    sys.stdout.write(f"{sample}\n")
    return DONE


def _read(file: Path) -> Signature:
    from signatures.loading import read_library

    library = read_library([file], with_shipped=False)
    if library.problems:
        raise ConfigError("\n".join(library.problems))
    if len(library.signatures) != 1:
        raise ConfigError(f"{file}: give one signature, this has {len(library.signatures)}")
    (signature,) = library.signatures.values()
    if signature.benign:
        raise ConfigError(f"{file}: an innocent explanation is not backtested")
    return signature


def _days(first: date, last: date) -> Iterator[date]:
    for age in range((last - first).days + 1):
        yield first + timedelta(days=age)


def _day(changes: Changes, ds: date, benign: DataFrame) -> Day:
    """A day as it was scored; raises InputError where it was not."""
    from graph.features.computed import (
        ACCOUNT_FEATURE_NAMES,
        ACCOUNT_FEATURES_TABLE,
        NETWORK_FEATURE_NAMES,
        NETWORK_FEATURES_TABLE,
        wide_form,
    )
    from signatures.backtests import Day
    from signatures.findings import FINDINGS
    from signatures.inclusions import INCLUSIONS

    read, engine = changes.publication.read, changes.engine
    networks = wide_form(read(NETWORK_FEATURES_TABLE, ds), ["network_id"], NETWORK_FEATURE_NAMES)
    keys = ["network_id", "account_id"]
    accounts = wide_form(read(ACCOUNT_FEATURES_TABLE, ds), keys, ACCOUNT_FEATURE_NAMES)
    return Day(
        networks=engine.materialize(networks, "backtest networks"),
        accounts=engine.materialize(accounts, "backtest accounts"),
        findings=read(FINDINGS, ds),
        inclusions=read(INCLUSIONS, ds),
        benign=benign,
    )


def _draw(changes: Changes, signature: Signature, ds: date, found: Any, networks: int) -> str:
    """Draw a sample of what the signature found on a day; says where its labels are."""
    import pyarrow.compute as pc

    from graph.ledger import read_ledger
    from jobs.samples import REVIEW, population, write_blank_labels
    from signatures.backtests import form_sha256
    from signatures.review_sample import REVIEW_SAMPLES, Order, draw, only_found

    if not networks:
        return "no sample was asked for"
    seed = int(form_sha256(signature)[:8], 16)
    order = Order(ds, networks, outside=0, seed=seed)
    everybody = population(lambda table: changes.publication.read(table, ds))
    rows = draw(changes.engine, only_found(everybody, found, str(signature.id)), order)
    if not rows:
        return "it finds nothing to review"
    before = read_ledger(changes.home, REVIEW_SAMPLES, pc.field("sample_id") == order.sample_id)
    if before.num_rows:
        rows = before.to_pylist()
    else:
        changes.rows(REVIEW_SAMPLES, rows)
    path = write_blank_labels(changes.home / REVIEW, order.sample_id, rows)
    return f"{len(rows)} subjects to review: {path}"


def add_promote(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `signatures promote`."""
    parser.add_argument("signature", metavar="ID", help="the id of a signature of the library")
    parser.add_argument("--reason", required=True, help="why; it stands in the audit log")
    add_settings(parser)
    add_person(parser, "who answers for it")


def promote(arguments: argparse.Namespace) -> int:
    """Let a signature go live once it was backtested on seven days; returns the exit code."""
    from graph.ledger import read_ledger
    from jobs.batches.changes import changing
    from jobs.configuration import load
    from signatures.backtests import BACKTESTS, DAYS, PROMOTIONS, form_sha256, longest_run
    from signatures.backtests import promoted as in_this_form

    config = load(arguments.config, arguments.set, os.environ)
    signature = _named(arguments.signature, config.signatures.paths)
    form = form_sha256(signature)
    with changing(config, "signatures promote") as changes:
        ledger = read_ledger(changes.home, PROMOTIONS).to_pylist()
        if in_this_form([signature], ledger):
            raise ConfigError(f"{signature.title} is live already")
        tested = [
            row
            for row in read_ledger(changes.home, BACKTESTS).to_pylist()
            if row["signature_sha256"] == form and row["market"] == "*"
        ]
        run = longest_run(row["ds"] for row in tested)
        if len(run) < DAYS:
            raise GuardStop(
                f"guard promotion: {signature.title} was backtested on {len(run)} days in a row in "
                f"its present form, limit {DAYS}: run `actorgraph signatures backtest` on more days"
            )
        newest = {row["ds"]: row for row in sorted(tested, key=lambda row: row["backtested_at"])}
        told = {
            "signature_id": str(signature.id),
            "signature_sha256": form,
            "title": signature.title,
            "from": str(run[0]),
            "to": str(run[-1]),
            "explained_networks": max(newest[ds]["explained_networks"] for ds in run),
            "benign_accounts": max(newest[ds]["benign_accounts"] for ds in run),
            "reason": arguments.reason,
        }
        kept = ("signature_id", "signature_sha256", "title", "reason")
        person = {"promoted_at": changes.now, "promoted_by": arguments.person}
        changes.rows(PROMOTIONS, [{name: told[name] for name in kept} | person])
        changes.audit("promote signature", arguments.person, told)
        changes.publish()
    sys.stdout.write(
        f"{signature.title} is live from the next run on; what it may lead to still depends on its "
        "status and its measured precision\n"
    )
    return DONE


def _named(name: str, paths: tuple[str, ...]) -> Signature:
    from graph.suggestions import nearest
    from signatures.loading import load

    by_id = {str(each.id): each for each in load(paths) if not each.benign}
    if name not in by_id:
        raise ConfigError(f"no signature of abuse has the id {name!r}{nearest(name, by_id)}")
    return by_id[name]
