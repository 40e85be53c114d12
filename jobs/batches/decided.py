"""Decisions as batches carry them: found by the engine, sorted, and read one after the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyarrow.dataset import field

from exporters.disclosure import origin
from exporters.enforcement.rows import Decided, stage_share
from graph.engines.base import Engine
from graph.frames import DataFrame, F, Window
from graph.union import union_all
from signatures.decisions import DECISIONS
from signatures.frozen_evidence import read_evidence
from signatures.life_cycle import ENFORCED, current_frame

ROWS_AT_ONCE = 1000


def reviewed(ledger: DataFrame) -> DataFrame:
    """Who judged decisions last: decision_id (the key), reviewer, reviewed_at.

    A decision was judged when a reviewer proposed it, or when people decided it from the start.
    """
    life = Window.partitionBy("decision_id").orderBy("number")
    rows = ledger.withColumn("before", F.lag("state").over(life)).filter(
        (F.col("state") == "proposed")
        & (
            (F.col("before") == "in_review")
            | (F.col("before").isNull() & (F.col("route") == "investigated"))
        )
    )
    last = Window.partitionBy("decision_id").orderBy(F.col("number").desc())
    return (
        rows.withColumn("place", F.row_number().over(last))
        .filter(F.col("place") == 1)
        .select(
            "decision_id", F.col("actor").alias("reviewer"), F.col("state_at").alias("reviewed_at")
        )
    )


def labellers(engine: Engine, labels: DataFrame, decisions: DataFrame) -> list[str]:
    """Everybody who labelled a network or an account of these decisions, whatever they said.

    Who judged a network for a sample has seen it as well as who proposed it.
    """
    given = labels.filter(F.col("reviewer").isNotNull())
    found = [
        given.join(
            decisions.select(F.col(mine).alias(theirs)).distinct(), on=theirs, how="left_semi"
        ).select("reviewer")
        for mine, theirs in (
            ("network_id", "subject_id"),
            ("account_id", "subject_id"),
            ("snapshot_sha256", "snapshot_sha256"),
        )
    ]
    names: list[str] = engine.to_arrow(union_all(found).distinct())["reviewer"].to_pylist()
    return sorted(names)


def with_reasons(
    engine: Engine,
    decisions: DataFrame,
    ledger: DataFrame,
    snapshots: DataFrame,
    lighter: DataFrame,
    accounts: DataFrame | None,
) -> DataFrame:
    """Decisions with what was frozen of them, who reviewed them, and what a reversal restores.

    `decisions` also say which of them `stands`; `lighter` are those that were begun on appeal.
    `accounts` are the platform's, with followers, where they are known. Beside the columns of
    `decisions`: evidence, members, alike, reviewer, reviewed_at, followers, restores_to, on_appeal.
    One join at a time is held in memory; the last, with the evidence, is not made here.
    """
    members = snapshots.groupBy("snapshot_sha256").agg(F.count(F.lit(1)).alias("members"))
    roles = snapshots.withColumnRenamed("role", "subject_role")
    alike = roles.groupBy("snapshot_sha256", "subject_role").agg(F.count(F.lit(1)).alias("alike"))
    facts: list[tuple[DataFrame, list[str]]] = [
        (members, ["snapshot_sha256"]),
        (alike, ["snapshot_sha256", "subject_role"]),
        (reviewed(ledger), ["decision_id"]),
        (_restored(decisions, ledger), ["decision_id"]),
        (lighter.select("decision_id", F.lit(True).alias("on_appeal")), ["decision_id"]),
    ]
    if accounts is not None:
        facts.append((accounts.select("account_id", "followers"), ["account_id"]))
    rows = decisions
    for number, (fact, key) in enumerate(facts):
        # Two names in turn: what is read must not be replaced meanwhile.
        name = f"decided {number % 2}"
        rows = engine.materialize(rows.join(fact, on=key, how="left"), name)
    if accounts is None:
        rows = rows.withColumn("followers", F.lit(None).cast("bigint"))
    frozen = snapshots.select("snapshot_sha256", "account_id", "evidence")
    return rows.join(frozen, on=["snapshot_sha256", "account_id"], how="left")


def _restored(decisions: DataFrame, ledger: DataFrame) -> DataFrame:
    """The other action in force against an account under the policy: decision_id, restores_to."""
    others = (
        current_frame(ledger)
        .filter(F.col("state").isin(*ENFORCED))
        .select("account_id", "policy_id", "action", F.col("decision_id").alias("other_id"))
        .withColumnRenamed("action", "other_action")
    )
    pairs = decisions.select("decision_id", "account_id", "policy_id").join(
        others, on=["account_id", "policy_id"], how="inner"
    )
    different = pairs.filter(F.col("decision_id") != F.col("other_id"))
    return different.groupBy("decision_id").agg(F.min("other_action").alias("restores_to"))


def write_sorted(engine: Engine, rows: DataFrame, folder: Path) -> Path:
    """Write decisions network by network, for `read_decided`; returns the folder.

    In a network those that leave come before those that stand.
    """
    ordered = rows.select(
        *DECISIONS.columns,
        *("evidence", "members", "alike", "reviewer", "reviewed_at"),
        *("followers", "restores_to", "stands", "on_appeal"),
    ).orderBy("network_id", "stands", "account_id", "policy_id")
    engine.write(ordered, str(folder))
    return folder


def count_decided(folder: Path) -> int:
    """How many decisions a sorted folder has."""
    return sum(pq.read_metadata(path).num_rows for path in folder.glob("*.parquet"))


def has_large_network(folder: Path, most: int) -> bool:
    """Whether a sorted folder has a calibrated decision in a network of more accounts than `most`.

    A sample of such a network was accepted: what the sample missed is to show while few are hurt.
    """
    large = (field("route") == "calibrated") & (field("members") > most) & ~field("stands")
    return bool(pq.read_table(folder, columns=["members"], filters=large).num_rows)


def origins(folder: Path) -> dict[str, str | None]:
    """Where the actors of each network of a sorted folder are (disclosure.origin)."""
    columns = ["network_id", "market", "subject_role", "stands"]
    leaving = (field("subject_role") == "actor") & ~field("stands")
    rows = pq.read_table(folder, columns=columns, filters=leaving)
    counted = rows.group_by(["network_id", "market"]).aggregate([([], "count_all")])
    markets: dict[str, Counter[str | None]] = defaultdict(Counter)
    for row in counted.to_pylist():
        markets[row["network_id"]][row["market"] or None] += row["count_all"]
    return {network_id: origin(counts) for network_id, counts in markets.items()}


def read_decided(folder: Path, low: float = 0.0, high: float = 1.0) -> Iterator[Decided]:
    """The decisions of a sorted folder whose place in a staged release is in [low, high)."""
    is_whole = (low, high) == (0.0, 1.0)
    for path in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    if is_whole or low <= stage_share(row["decision_id"]) < high:
                        yield _decided(row)


def _decided(row: dict[str, Any]) -> Decided:
    return Decided(
        row,
        read_evidence(row["evidence"]),
        members=row["members"],
        alike=row["alike"],
        reviewer=row["reviewer"],
        reviewed_at=row["reviewed_at"],
        restores_to=row["restores_to"] or "none",
        followers=row["followers"],
        stands=row["stands"],
        on_appeal=bool(row["on_appeal"]),
    )
