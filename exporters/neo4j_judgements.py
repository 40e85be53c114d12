"""What was said of networks and accounts before, as the ledger has it, whoever said it and where.

Reviewers judge in the database, in files, by samples and on appeal; who judges next must see all of
it. Blind labels stay out: who reviews a sample must not know what others said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from exporters.neo4j_tables import DayTables, Scope
from graph.frames import DataFrame, F
from graph.tables import TIMESTAMP
from signatures.labels import valid_labels

WITHDRAWN = "withdrawn"

JUDGEMENTS = pa.schema(
    [
        ("id", pa.string()),
        ("subject_type", pa.string()),
        ("subject_id", pa.string()),
        ("snapshot_sha256", pa.string()),
        ("members", pa.list_(pa.string())),
        ("label", pa.string()),
        ("source", pa.string()),
        ("reason", pa.string()),
        ("reviewer", pa.string()),
        ("reviewed_at", TIMESTAMP),
        ("policy_id", pa.string()),
        ("supersedes", pa.string()),
        ("holds", pa.bool_()),
    ]
)


def judgements(ledger: pa.Table, at: datetime) -> pa.Table:
    """The labels that people may see, and whether each holds at a time; columns of JUDGEMENTS.

    In memory: bounded by what people judge.
    """
    held = set(valid_labels(ledger, at).column("label_id").to_pylist())
    rows = [_judgement(row, held) for row in ledger.to_pylist() if not row["blind"]]
    return pa.Table.from_pylist(rows, schema=JUDGEMENTS)


def _judgement(row: Mapping[str, Any], held: set[str]) -> dict[str, Any]:
    is_end = row["withdrawn_at"] is not None and row["withdrawn_at"] <= row["labelled_at"]
    return {
        **{name: row[name] for name in JUDGEMENTS.names if name in row},
        "id": row["label_id"],
        "label": WITHDRAWN if is_end else row["label"],
        "reviewed_at": row["labelled_at"],
        "holds": row["label_id"] in held,
    }


def of_networks(day: DayTables) -> DataFrame:
    """The judgements on each network (start_id, end_id), and how many of its members each is about.

    A judgement goes with the accounts that it bound: one on an older network is on this one, too.
    """
    on_networks = day.judgements.filter(F.col("subject_type") == "network")
    named = on_networks.filter(F.col("members").isNotNull()).select(
        F.col("id").alias("end_id"), F.explode("members").alias("account_id")
    )
    of_snapshots = (
        on_networks.filter(F.col("members").isNull())
        .select("snapshot_sha256", F.col("id").alias("end_id"))
        .join(day.snapshots, on="snapshot_sha256", how="inner")
        .select("end_id", "account_id")
    )
    about = (
        named.unionByName(of_snapshots)
        .join(day.memberships.select("account_id", "network_id"), on="account_id", how="inner")
        .select(F.col("network_id").alias("start_id"), "end_id", F.lit(1).alias("members"))
    )
    today = day.networks.select(F.col("network_id").alias("start_id"))
    by_name = on_networks.select(
        F.col("subject_id").alias("start_id"),
        F.col("id").alias("end_id"),
        F.lit(0).alias("members"),
    ).join(today, on="start_id", how="left_semi")
    return (
        about.unionByName(by_name)
        .groupBy("start_id", "end_id")
        .agg(F.sum("members").cast("bigint").alias("members"))
    )


def of_accounts(day: DayTables, scope: Scope) -> DataFrame:
    """The judgements on each account alone: start_id, end_id."""
    on_accounts = day.judgements.filter(F.col("subject_type") == "account").select(
        F.col("subject_id").alias("start_id"), F.col("id").alias("end_id")
    )
    accounts = day.memberships.select(F.col("account_id").alias("start_id"))
    if scope == "all":
        accounts = day.nodes.filter(F.col("node_type") == "account").select(
            F.col("node_id").alias("start_id")
        )
    return on_accounts.join(accounts, on="start_id", how="left_semi")


def judged(day: DayTables, scope: Scope) -> DataFrame:
    """The judgements on what is loaded, each once: id and the properties of Judgement."""
    ends = [each.select("end_id") for each in (of_networks(day), of_accounts(day, scope))]
    loaded = ends[0].unionByName(ends[1]).withColumnRenamed("end_id", "id")
    return day.judgements.join(loaded, on="id", how="left_semi")
