"""What a signature would have found on past days.

Run it by `actorgraph signatures backtest FILE --from DAY --to DAY`. A backtest changes nothing but
its own ledger, and draws a sample for reviewers.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.arguments import add_settings, day
from jobs.errors import DONE, ConfigError
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
    from jobs.forgotten import Recalled
    from jobs.verdicts import read_verdicts
    from signatures.backtests import BACKTESTS, COUNTED, backtest_rows, count, matched

    if arguments.first > arguments.last:
        raise ConfigError("--from is after --to")
    config = load(arguments.config, arguments.set, os.environ)
    signature = read_signature(arguments.file, config.active_traces)
    rows: list[dict[str, Any]] = []
    with changing(config, "signatures backtest") as changes:
        cleared = timedelta(microseconds=config.proposals.cleared)
        verdicts = read_verdicts(Recalled(changes.home), changes.now, cleared)
        benign = changes.engine.from_arrow(verdicts.benign_rows)
        for ds in _days(arguments.first, arguments.last):
            tables = scored_day(changes, ds, benign)
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


def read_signature(file: Path, traces: Collection[str]) -> Signature:
    """The one signature of a file, one of abuse; raises ConfigError for anything else.

    `traces` are those that there are, beside the shipped ones.
    """
    from signatures.loading import read_library

    library = read_library([file], traces, with_shipped=False)
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


def scored_day(changes: Changes, ds: date, benign: DataFrame) -> Day:
    """A day as it was scored, with the accounts that reviewers call benign.

    Raises InputError where it was not scored.
    """
    from graph.features.computed import (
        ACCOUNT_FEATURE_NAMES,
        ACCOUNT_FEATURES_TABLE,
        NETWORK_FEATURES_TABLE,
        network_feature_names,
        wide_form,
    )
    from signatures.backtests import Day
    from signatures.findings import FINDINGS
    from signatures.inclusions import INCLUSIONS

    read, engine = changes.publication.read, changes.engine
    names = network_feature_names(changes.config.active_traces)
    networks = wide_form(read(NETWORK_FEATURES_TABLE, ds), ["network_id"], names)
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
    from jobs.samples import REVIEW, population, to_fill_in, write_blank_labels
    from signatures.modes import form_sha256
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
    files = write_blank_labels(changes.home / REVIEW, order.sample_id, rows)
    return to_fill_in(rows, files, networks)
