"""Acceptance sampling: what lets accounts through whose network is too large for rules alone.

Of the accounts that only the network's size keeps from a proposal (the lot), some are drawn, and
two reviewers who do not know of each other judge each. One that is not abusive rejects the lot.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from graph.canonical import canonical_sha256
from graph.frames import DataFrame, F, Window
from graph.people import person_key
from graph.tables import TIMESTAMP, Table, columns
from signatures.inclusions import OBSTACLES
from signatures.investigated import REVIEWERS
from signatures.roles import ACTOR

ACCEPTANCE_LOTS = Table(
    name="acceptance_lots",
    grain="account of a large network that only its size keeps from a proposal",
    key=("sample_id", "account_id"),
    schema=columns(
        sample_id="string",
        account_id="string",
        ds=pa.date32(),
        network_id="string",
        snapshot_sha256="string",
        signature_id="string",  # the one that names the network
        role="string",
        floor="float64",  # the least share of rightly proposed accounts that the sample can show
        drawn="bool",
    ),
)

ACCEPTED = columns(
    account_id="string",
    network_id="string",
    signature_id="string",
    accepted_floor="float64",
    accepted_at=TIMESTAMP,
    accepted_by="string",
)
"""Accounts of accepted lots: where, under which signature, for which floor, since when, by whom.

The first three are the key.
"""

SAMPLED = "two reviewers accepted a sample of the accounts of its network"
"""What is said of an account of an accepted lot, before who they were and when it was."""

RISK = 0.05
"""The chance at most that a lot below the floor passes."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Lot:
    """A network whose accounts are to be sampled, as it was frozen on a day."""

    ds: date
    network_id: str
    snapshot_sha256: str
    signature_id: str
    floor: float

    @property
    def sample_id(self) -> str:
        """The same for the same members, so that nobody draws until the draw is kind."""
        told = [self.network_id, self.snapshot_sha256, self.signature_id, str(self.floor)]
        return f"a-{self.ds}-{canonical_sha256(told)[:12]}"


def sample_size(lot: int, floor: float) -> int:
    """How many of a lot's accounts to judge so that a lot below the floor hardly ever passes.

    The smallest n for which C(N-D, n) / C(N, n) <= RISK: the chance that none of D false ones is
    among n of N, where D is the smallest number whose share is above 1 - floor. It is the zero
    acceptance plan of hypergeometric sampling (Squeglia, Zero Acceptance Number Sampling Plans,
    ASQ, 5th ed. 2008; Dodge and Romig 1929), with the consumer's risk RISK.
    """
    false = min(lot, math.floor(round((1 - floor) * lot, 6)) + 1)
    chance = 1.0
    for drawn in range(lot):
        if chance <= RISK:
            return drawn
        chance *= max(0, lot - false - drawn) / (lot - drawn)
    return lot


def lot_accounts(inclusions: DataFrame, lot: Lot) -> DataFrame:
    """The accounts of a lot, all that only size keeps out; columns of ACCEPTANCE_LOTS, none drawn.

    `inclusions` has INCLUSIONS' columns.
    """
    large = next(each.reason for each in OBSTACLES if each.name == "large")
    mine = (F.col("network_id") == lot.network_id) & (F.col("signature_id") == lot.signature_id)
    only_size = (F.size("reasons") == 1) & F.array_contains("reasons", F.lit(large))
    return inclusions.filter(mine & only_size).select(
        F.lit(lot.sample_id).alias("sample_id"),
        "account_id",
        F.lit(lot.ds).cast("date").alias("ds"),
        "network_id",
        F.lit(lot.snapshot_sha256).alias("snapshot_sha256"),
        "signature_id",
        "role",
        F.lit(lot.floor).cast("double").alias("floor"),
        F.lit(False).alias("drawn"),
    )


def drawn_from(accounts: DataFrame, size: int) -> DataFrame:
    """A lot with `size` of its accounts drawn, the same on all engines; as `lot_accounts`."""
    digest = F.sha2(F.concat(F.col("sample_id"), F.lit("|"), F.col("account_id")), 256)
    order = Window.partitionBy("sample_id").orderBy("digest", "account_id")
    ranked = accounts.withColumn("digest", digest).withColumn("place", F.row_number().over(order))
    return ranked.withColumn("drawn", F.col("place") <= size).select(*ACCEPTANCE_LOTS.columns)


def accepted(lots: pa.Table, labels: pa.Table, at: datetime, fresh: timedelta) -> pa.Table:
    """The accounts of the lots that two reviewers accepted lately; columns of ACCEPTED.

    `lots` has ACCEPTANCE_LOTS' columns, `labels` are those that hold (labels.valid_labels). Two
    people must each call every drawn account abusive, with its own role, and nobody may say
    anything else. A lot that failed rejects every other of its network as long as its labels are
    fresh: who draws again until nothing shows has sampled nothing.
    """
    by_sample: dict[str, list[Row]] = defaultdict(list)
    for row in lots.to_pylist():
        by_sample[row["sample_id"]].append(row)
    said: dict[str, list[Row]] = defaultdict(list)
    for row in labels.to_pylist():
        if row["sample_id"] in by_sample and row["labelled_at"] > at - fresh:
            said[row["sample_id"]].append(row)
    failed = {
        rows[0]["network_id"] for name, rows in by_sample.items() if _is_rejected(rows, said[name])
    }
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for name, rows in sorted(by_sample.items()):
        since = _agreed_at(rows, said[name])
        if since is None or rows[0]["network_id"] in failed:
            continue
        by = ", ".join(sorted({person_key(each["reviewer"]) for each in said[name]}))
        for row in rows:
            key = (row["account_id"], row["network_id"], row["signature_id"])
            told = {"accepted_floor": row["floor"], "accepted_at": since, "accepted_by": by}
            before = found.get(key)
            if before is None or before["accepted_floor"] <= row["floor"]:
                found[key] = dict(zip(ACCEPTED.names[:3], key, strict=True)) | told
    return pa.Table.from_pylist([found[key] for key in sorted(found)], schema=ACCEPTED)


def in_words(row: Row) -> str:
    """What is said of an account of an accepted lot; `row` has ACCEPTED's columns."""
    return f"{SAMPLED}: {row['accepted_by']}, {row['accepted_at']:%Y-%m-%d}"


def _drawn(lot: Sequence[Row]) -> dict[str, Row]:
    return {row["account_id"]: row for row in lot if row["drawn"]}


def _is_right(label: Row, drawn: Mapping[str, Row]) -> bool:
    role = drawn[label["subject_id"]]["role"]
    return bool(label["label"] == "abusive" and (label["role"] or ACTOR) == role)


def _of_lot(lot: Sequence[Row], labels: Iterable[Row]) -> list[Row]:
    """The labels on drawn accounts of a lot that judge its own snapshot."""
    drawn, snapshot = _drawn(lot), lot[0]["snapshot_sha256"]
    return [
        each
        for each in labels
        if each["subject_type"] == "account"
        and each["subject_id"] in drawn
        and each["snapshot_sha256"] == snapshot
    ]


def _is_rejected(lot: Sequence[Row], labels: Iterable[Row]) -> bool:
    drawn = _drawn(lot)
    return not all(_is_right(each, drawn) for each in _of_lot(lot, labels))


def _agreed_at(lot: Sequence[Row], labels: Iterable[Row]) -> datetime | None:
    """When enough people had called every drawn account abusive; None where they have not."""
    drawn = set(_drawn(lot))
    judged: dict[str, dict[str, datetime]] = defaultdict(dict)
    for each in _of_lot(lot, labels):
        judged[person_key(each["reviewer"])][each["subject_id"]] = each["labelled_at"]
    done = sorted(max(times.values()) for times in judged.values() if set(times) == drawn)
    return done[REVIEWERS - 1] if drawn and len(done) >= REVIEWERS else None
