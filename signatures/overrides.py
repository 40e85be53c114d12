"""Overrides: a reviewer's word that an innocent explanation does not hold, of one place and time.

An override silences one benign signature, in the form whose match was looked at, for the members of
one frozen snapshot or for one of them, and only while they are in the network that was judged. Who
joins later is still explained, and so is everybody by any other benign signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from graph.canonical import canonical_sha256
from graph.frames import Column, DataFrame, F
from graph.tables import TIMESTAMP, Table, columns
from signatures.model import Signature
from signatures.modes import form_sha256
from signatures.verdict_standing import BENIGN_HOLDS

OVERRIDES = Table(
    name="overrides",
    grain="override of a benign signature, or its withdrawal",
    key=("override_id", "event"),
    schema=columns(
        override_id="string",
        event="string",  # given | withdrawn
        at=TIMESTAMP,
        reviewer="string",  # who overrode, or withdrew
        reason="string",
        signature_id="string",
        signature_sha256="string",  # the form whose match was looked at
        title="string",
        network_id="string",
        snapshot_sha256="string",  # whose members it is about, in the ledger `snapshots`
        account_id="string",  # the only one that it is about; null: all of them
        expires_at=TIMESTAMP,
    ),
)

GIVEN, WITHDRAWN = "given", "withdrawn"

HOLDS: timedelta = BENIGN_HOLDS
"""How long an override holds: as long as a benign verdict, and for the same reason."""

OVERRIDDEN = columns(
    account_id="string", network_id="string", signature_id="string", told="string", at=TIMESTAMP
)
"""For whom, where and which benign signature is overridden, how that is told, and since when.

The first three are the key.
"""

EXPLANATIONS = {"network": "network_explanations", "account": "account_explanations"}
"""By what it matches: where explained_accounts has the titles of what explains."""

Row = Mapping[str, Any]
"""A row of OVERRIDES."""


def override_row(
    signature: Signature,
    judged: Mapping[str, str | None],
    reviewer: str,
    reason: str,
    at: datetime,
) -> dict[str, Any]:
    """A new override; `judged` has network_id, snapshot_sha256 and account_id."""
    row = {
        **judged,
        "at": at,
        "reviewer": reviewer,
        "reason": reason,
        "signature_id": str(signature.id),
        "signature_sha256": form_sha256(signature),
        "title": signature.title,
    }
    digest = canonical_sha256(row | {"at": at.isoformat()})
    more = {"override_id": f"o-{digest[:16]}", "event": GIVEN, "expires_at": at + HOLDS}
    return row | more


def withdrawal(given: Row, reviewer: str, reason: str, at: datetime) -> dict[str, Any]:
    """The row that withdraws an override."""
    return {**given, "event": WITHDRAWN, "at": at, "reviewer": reviewer, "reason": reason}


def not_ended(rows: Iterable[Row], at: datetime) -> list[Row]:
    """The overrides that were given by a time and neither withdrawn nor expired, oldest first."""
    known = [row for row in rows if row["at"] <= at]
    ended = {row["override_id"] for row in known if row["event"] == WITHDRAWN}
    found = [
        row
        for row in known
        if row["event"] == GIVEN and row["override_id"] not in ended and row["expires_at"] > at
    ]
    return sorted(found, key=lambda row: (row["at"], row["override_id"]))


def in_force(rows: Iterable[Row], library: Sequence[Signature], at: datetime) -> list[Row]:
    """Those of `not_ended` whose signature still has the form whose match was looked at."""
    forms = {str(each.id): form_sha256(each) for each in library if each.benign}
    return [
        row
        for row in not_ended(rows, at)
        if forms.get(row["signature_id"]) == row["signature_sha256"]
    ]


def in_words(row: Row) -> str:
    """What is said of an override wherever its accounts are looked at."""
    return (
        f"the innocent explanation {row['title']} matches, and was overridden by "
        f"{row['reviewer']} on {row['at']:%Y-%m-%d}: {row['reason']}"
    )


def overridden_accounts(held: Iterable[Row], snapshots: pa.Table) -> pa.Table:
    """The accounts that overrides are about; columns of OVERRIDDEN.

    `held` are those in force, oldest first, of which the last tells; `snapshots` has SNAPSHOTS'
    columns. In memory, bounded by what people judge.
    """
    members: dict[str, list[str]] = {}
    for row in snapshots.select(["snapshot_sha256", "account_id"]).to_pylist():
        members.setdefault(row["snapshot_sha256"], []).append(row["account_id"])
    found = {
        (account, row["network_id"], row["signature_id"]): (in_words(row), row["at"])
        for row in held
        for account in members.get(row["snapshot_sha256"], ())
        if row["account_id"] in (None, account)
    }
    rows = [dict(zip(OVERRIDDEN.names, (*key, *told), strict=True)) for key, told in found.items()]
    return pa.Table.from_pylist(rows, schema=OVERRIDDEN)


def explained_accounts(findings: DataFrame, members: DataFrame, overridden: DataFrame) -> DataFrame:
    """What explains members innocently: account_id (the key); others have no row.

    `findings` has FINDINGS' columns, `members` network_id and account_id, `overridden` those of
    OVERRIDDEN. Beside the key: network_explanations and account_explanations (titles of the benign
    signatures that match the one or the other and are not overridden, whatever their mode),
    overridden (what is said of those that are), overridden_signature_ids, and overridden_at, when
    the last of these was overridden.
    """
    benign = findings.filter(F.col("benign"))
    named = ("network_id", "account_id", "signature_id", "subject_type", "title")
    of_networks = benign.filter(F.col("subject_type") == "network").join(
        members.select("network_id", "account_id"), on="network_id", how="inner"
    )
    of_accounts = benign.filter(F.col("subject_type") == "account").withColumn(
        "account_id", F.col("subject_id")
    )
    matched = of_networks.select(*named).unionByName(of_accounts.select(*named))
    key = ["network_id", "account_id", "signature_id"]
    matched = matched.join(overridden, on=key, how="left")
    stands = F.col("told").isNull()
    silenced = F.when(~stands, F.col("signature_id"))
    return matched.groupBy("account_id").agg(
        *(
            _all_of(F.when(stands & (F.col("subject_type") == subject), F.col("title"))).alias(name)
            for subject, name in EXPLANATIONS.items()
        ),
        _all_of("told").alias("overridden"),
        _all_of(silenced).alias("overridden_signature_ids"),
        F.max("at").alias("overridden_at"),
    )


def _all_of(texts: Column | str) -> Column:
    return F.sort_array(F.array_compact(F.collect_set(texts)))
