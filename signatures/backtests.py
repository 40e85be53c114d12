"""What a signature would have found on past days, and what must be known of it to go live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from graph.engines.base import Engine
from graph.feature import Subject
from graph.frames import DataFrame, F
from graph.tables import TIMESTAMP, Table, columns
from signatures.calibration import ALL
from signatures.findings import IDS, find
from signatures.model import Signature
from signatures.modes import form_sha256

BACKTESTS = Table(
    name="backtests",
    grain="form of a signature, day and market, once a backtest",
    key=("signature_sha256", "ds", "market", "backtested_at"),
    schema=columns(
        signature_id="string",
        signature_sha256="string",
        title="string",
        ds=pa.date32(),
        market="string",  # ALL, or the market of the accounts
        networks="int64",  # that it matches, or whose accounts it matches
        accounts="int64",  # the members of those networks, or the accounts
        new_networks="int64",  # that no other signature of abuse matches
        new_accounts="int64",
        explained_networks="int64",  # that an innocent explanation matches: the benign baseline
        explained_accounts="int64",
        benign_accounts="int64",  # that reviewers called benign
        backtested_at=TIMESTAMP,
    ),
)

DAYS = 7
"""Days in a row that a signature must be backtested on before it goes live."""

RECENT_DAYS = 30
"""Up to the latest day that was scored: of these they must be, because platforms change."""

COUNTED = (
    "networks",
    "accounts",
    "new_networks",
    "new_accounts",
    "explained_networks",
    "explained_accounts",
    "benign_accounts",
)


@dataclass(frozen=True)
class Day:
    """A day's published tables: features wide, FINDINGS, and INCLUSIONS (members and markets).

    benign: account_id of those that reviewers call benign.
    """

    networks: DataFrame
    accounts: DataFrame
    findings: DataFrame
    inclusions: DataFrame
    benign: DataFrame


def matched(engine: Engine, day: Day, signature: Signature) -> DataFrame:
    """The accounts that a signature finds on a day; network_id, account_id, market and flags.

    Of a signature of networks these are all members. is_new: no other signature of abuse matches
    the subject; is_explained: an innocent explanation does; is_benign: reviewers say so. Flags are
    1 or 0.
    """
    subject = signature.subject
    found = find(engine, day.networks, day.accounts, [signature])
    hits = found.select(F.col("subject_id").alias(IDS[subject]))
    rows = day.inclusions.select("network_id", "account_id", "market").join(
        hits, on=IDS[subject], how="left_semi"
    )
    others = day.findings.filter(F.col("signature_id") != F.lit(str(signature.id)))
    flags = {
        "known": (_subjects(others.filter(~F.col("benign")), subject), IDS[subject]),
        "network_explained": (_subjects(others.filter("benign"), "network"), "network_id"),
        "account_explained": (_subjects(others.filter("benign"), "account"), "account_id"),
        "is_benign": (day.benign.select("account_id").distinct(), "account_id"),
    }
    for name, (listed, key) in flags.items():
        rows = rows.join(listed.withColumn(name, F.lit(1)), on=key, how="left")
        rows = rows.withColumn(name, F.coalesce(name, F.lit(0)))
    explained = F.greatest("network_explained", "account_explained")
    return (
        rows.withColumn("is_new", F.lit(1) - F.col("known"))
        .withColumn("is_explained", explained)
        .select("network_id", "account_id", "market", "is_new", "is_explained", "is_benign")
    )


def _subjects(findings: DataFrame, subject: Subject) -> DataFrame:
    of_it = findings.filter(F.col("subject_type") == subject)
    return of_it.select(F.col("subject_id").alias(IDS[subject])).distinct()


def count(engine: Engine, rows: DataFrame) -> list[dict[str, Any]]:
    """COUNTED of `matched`'s rows by market, with ALL for all of them; one row a market."""
    counted = []
    everywhere = rows.withColumn("market", F.lit(ALL))
    for frame in (everywhere, rows.filter(F.col("market").isNotNull())):
        by_market = frame.groupBy("market").agg(
            F.count_distinct("network_id").alias("networks"),
            F.count(F.lit(1)).alias("accounts"),
            *(
                F.count_distinct(F.when(F.col(f"is_{kind}") == 1, F.col("network_id"))).alias(
                    f"{kind}_networks"
                )
                for kind in ("new", "explained")
            ),
            *(
                F.sum(f"is_{kind}").cast("bigint").alias(f"{kind}_accounts")
                for kind in ("new", "explained", "benign")
            ),
        )
        counted += engine.to_arrow(by_market).to_pylist()
    if not counted:
        counted = [{"market": ALL, **dict.fromkeys(COUNTED, 0)}]
    return sorted(counted, key=lambda row: str(row["market"]))


def backtest_rows(
    signature: Signature, ds: date, counted: Iterable[Mapping[str, Any]], at: datetime
) -> list[dict[str, Any]]:
    """Rows of BACKTESTS for what was counted on a day."""
    told = {
        "signature_id": str(signature.id),
        "signature_sha256": form_sha256(signature),
        "title": signature.title,
        "ds": ds,
        "backtested_at": at,
    }
    return [{**told, **row} for row in counted]


def that_count(
    tested: Iterable[Mapping[str, Any]], form: str, since: datetime, latest: date
) -> list[Mapping[str, Any]]:
    """The latest backtest of each day of the longest run of recent days in a row, in their order.

    `tested` are rows of BACKTESTS. Those count that are of this form of the signature and were made
    after `since`, on one of the RECENT_DAYS days that end with `latest`.
    """
    oldest = latest - timedelta(days=RECENT_DAYS - 1)
    newest = {
        row["ds"]: row
        for row in sorted(tested, key=lambda row: row["backtested_at"])
        if (row["signature_sha256"], row["market"]) == (form, ALL)
        and row["backtested_at"] > since
        and row["ds"] >= oldest
    }
    return [newest[ds] for ds in longest_run(newest)]


def longest_run(days: Iterable[date]) -> list[date]:
    """The longest run of days in a row, the latest of several."""
    best: list[date] = []
    run: list[date] = []
    for day in sorted(set(days)):
        run = [*run, day] if run and day - run[-1] == timedelta(days=1) else [day]
        if len(run) >= len(best):
            best = run
    return best
