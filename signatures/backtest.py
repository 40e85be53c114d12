"""Backtests: what a signature would have found on published days, and who became live by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from graph.canonical import canonical_sha256
from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.tables import TIMESTAMP, Table, columns
from graph.union import union_all
from signatures.findings import find
from signatures.inclusions import OBSTACLES
from signatures.model import Signature
from signatures.review_sample import Population

ALL = "*"
"""Stands for all markets."""

BACKTESTS = Table(
    name="backtests",
    grain="trial of a signature on a day, in a market",
    key=("signature_id", "detection_sha256", "ds", "market", "tried_at"),
    schema=columns(
        signature_id="string",
        detection_sha256="string",  # of what it looks for: another one is another signature
        ds=pa.date32(),
        market="string",  # of accounts; ALL, or one of them; empty where it is unknown
        tried_at=TIMESTAMP,
        networks="int64",  # found, with an account in the market
        accounts="int64",
        new_networks="int64",  # that no other signature of its kind finds
        disputed_networks="int64",  # that a signature of the other kind finds: innocent, or abuse
    ),
)

PROMOTIONS = Table(
    name="promotions",
    grain="change of a signature's mode",
    key=("signature_id", "at"),
    schema=columns(
        signature_id="string",
        at=TIMESTAMP,
        mode="string",  # live | shadow
        detection_sha256="string",
        days="int64",  # on which it had been tried
        person="string",
        reason="string",
    ),
)

DAYS_NEEDED = 7
"""Days of backtests before a signature may become live: each weekday once."""


@dataclass(frozen=True)
class PublishedDay:
    """What a signature is tried on: features wide, FINDINGS and INCLUSIONS of one day."""

    networks: DataFrame
    accounts: DataFrame
    findings: DataFrame
    inclusions: DataFrame


def detection_sha256(signature: Signature) -> str:
    """The hash of all that decides what a signature finds."""
    told = signature.model_dump(mode="json", include={"subject", "benign", "detection"})
    return canonical_sha256(told)


def try_on(engine: Engine, signature: Signature, day: PublishedDay) -> DataFrame:
    """The accounts that it finds, network by network: network_id, account_id (the key), market,

    is_new, is_disputed. Accounts of a network that it finds are all found.
    """
    tried = signature.model_copy(update={"status": "test"})  # a deprecated one would find nothing
    found = find(engine, day.networks, day.accounts, [tried])
    found = engine.materialize(found.select("subject_id", "network_id"), "tried")
    others = day.findings.filter(F.col("signature_id") != str(signature.id))
    is_new = _marked(found, others.filter(F.col("benign") == signature.benign), "known")
    rows = _marked(is_new, others.filter(F.col("benign") != signature.benign), "is_disputed")
    members = day.inclusions.select("network_id", "account_id", "market")
    if signature.subject == "account":
        rows = rows.withColumnRenamed("subject_id", "account_id")
        rows = rows.join(members.drop("network_id"), on="account_id", how="left")
    else:
        rows = rows.drop("subject_id").join(members, on="network_id", how="inner")
    rows = rows.withColumn("is_new", ~F.col("known"))
    return rows.select("network_id", "account_id", "market", "is_new", "is_disputed")


def _marked(found: DataFrame, findings: DataFrame, name: str) -> DataFrame:
    """Whether findings tell of the network, or of an account in it."""
    named = findings.select("network_id").distinct().withColumn(name, F.lit(True))
    return found.join(named, on="network_id", how="left").withColumn(
        name, F.coalesce(name, F.lit(False))
    )


def counted(
    engine: Engine, found: DataFrame, signature: Signature, ds: date, at: datetime
) -> list[dict[str, Any]]:
    """Rows of BACKTESTS for a day: all markets first, then each; one of zeros if nothing is found.

    `found` is what `try_on` gives. What is collected is bounded by the number of markets.
    """
    rows = found.withColumn("market", F.coalesce("market", F.lit("")))
    both = union_all([rows, rows.withColumn("market", F.lit(ALL))])

    def networks(condition: str | None = None) -> Any:
        chosen = F.col("network_id")
        counts = chosen if condition is None else F.when(F.col(condition), chosen)
        return F.countDistinct(counts).cast("bigint")

    summed = both.groupBy("market").agg(
        networks().alias("networks"),
        F.count(F.lit(1)).cast("bigint").alias("accounts"),
        networks("is_new").alias("new_networks"),
        networks("is_disputed").alias("disputed_networks"),
    )
    numbers = ("networks", "accounts", "new_networks", "disputed_networks")
    by_market: dict[str, Any] = {ALL: {"market": ALL, **dict.fromkeys(numbers, 0)}}
    by_market |= {row["market"]: row for row in engine.to_arrow(summed).to_pylist()}
    trial = {
        "signature_id": str(signature.id),
        "detection_sha256": detection_sha256(signature),
        "ds": ds,
        "tried_at": at,
    }
    order = sorted(by_market, key=lambda market: (market != ALL, market))
    return [trial | by_market[market] for market in order]


def found_population(population: Population, found: DataFrame, signature: Signature) -> Population:
    """A day's population cut down to the networks that a signature finds, as if it named them."""
    named = found.select("network_id").distinct()
    name = F.lit(str(signature.id)).alias("signature_id")
    unnamed = next(each.reason for each in OBSTACLES if each.name == "no_signature")

    def cut(frame: DataFrame) -> DataFrame:
        kept = [column for column in frame.columns if column != "signature_id"]
        return frame.join(named, on="network_id", how="left_semi").select(*kept, name)

    inclusions = cut(population.inclusions)
    reasons = F.array_remove("reasons", unnamed)
    return Population(
        networks=population.networks.join(named, on="network_id", how="left_semi"),
        scores=cut(population.scores),
        inclusions=inclusions.withColumn("reasons", reasons),
        shared_address=population.shared_address,
        accounts=population.accounts.filter(F.lit(False)),
    )


def days_tried(backtests: pa.Table, signature: Signature) -> list[date]:
    """The days on which a signature was tried as it is now, oldest first."""
    digest = detection_sha256(signature)
    rows = backtests.select(["signature_id", "detection_sha256", "ds"]).to_pylist()
    return sorted(
        {
            row["ds"]
            for row in rows
            if (row["signature_id"], row["detection_sha256"]) == (str(signature.id), digest)
        }
    )


def promoted(promotions: pa.Table, library: Sequence[Signature]) -> list[str]:
    """The ids of signatures that were made live, and look for the same as they did then."""
    latest = {row["signature_id"]: row for row in _in_order(promotions)}
    return [
        str(each.id)
        for each in library
        if (row := latest.get(str(each.id)))
        and (row["mode"], row["detection_sha256"]) == ("live", detection_sha256(each))
    ]


def _in_order(promotions: pa.Table) -> Iterable[dict[str, Any]]:
    return sorted(promotions.to_pylist(), key=lambda row: row["at"])
