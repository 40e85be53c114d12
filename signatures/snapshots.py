"""Snapshots: the members of a network and the evidence, frozen as they were judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from graph.buckets import bucket_of
from graph.canonical import canonical_json, canonical_sha256
from graph.engines.base import Engine
from graph.frames import DataFrame, F, Window
from graph.tables import Table, columns
from signatures.inclusions import OBSTACLES, UNCOUNTED

SNAPSHOTS = Table(
    name="snapshots",
    grain="account in a network that was judged",
    key=("snapshot_sha256", "account_id"),
    schema=columns(
        snapshot_sha256="string",  # over the members with their roles and evidence
        account_id="string",
        network_id="string",
        ds=pa.date32(),
        role="string",
        is_core="bool",
        evidence="string",  # canonical JSON (signatures/frozen_evidence.py)
    ),
)

STRONGEST = 10
"""Entities that are kept of an account: of each family in turn the rarest, then most co-actions."""

HUBS_USED = "hubs of type {}, which too many accounts use"
"""What a snapshot says was not counted of an account that used hubs of an entity type."""

OPENLY_DONE = "traces that a declared network leaves openly, between its own accounts"
"""What a snapshot says was not counted of an account of a declared network."""

_MEMBERS = columns(
    network_id="string",
    account_id="string",
    role="string",
    is_core="bool",
    role_reasons=pa.list_(pa.string()),
    reasons=pa.list_(pa.string()),
    overridden=pa.list_(pa.string()),
    grounds=pa.list_(pa.string()),
    hubs=pa.list_(pa.string()),
    exempted="bool",
)

_NOT_COUNTED = {each.reason for each in OBSTACLES if each.name in UNCOUNTED}


@dataclass(frozen=True)
class Found:
    """What was found of members: `evidence` is independence.core_evidence, `edges` that of

    MemberTables; `exempted` has account_id, of those with a link that a declared network exempts.
    """

    evidence: DataFrame
    edges: DataFrame
    exempted: DataFrame


def take_snapshots(
    engine: Engine, accounts: DataFrame, found: Found, grounds: DataFrame, day: date
) -> DataFrame:
    """Freeze every network with an account that is included or reviewed; columns of SNAPSHOTS.

    `accounts` is inclusions.judge's frame, `grounds` as freeze_networks takes them.
    """
    judged = accounts.filter(F.col("included") | F.col("reviewed")).select("network_id").distinct()
    return freeze_networks(
        engine, accounts.join(judged, on="network_id", how="left_semi"), found, grounds, day
    )


def freeze_networks(
    engine: Engine, accounts: DataFrame, found: Found, grounds: DataFrame, day: date
) -> DataFrame:
    """Freeze networks with all their accounts; columns of SNAPSHOTS.

    `accounts` has network_id, account_id, role, is_core, role_reasons, reasons, overridden;
    `grounds` has network_id and, as reasons, those of the signature that names the network. A
    network's members and their strongest evidence must fit into a task, some 3 KB a member.
    """
    named = grounds.select("network_id", F.col("reasons").alias("grounds"))
    accounts = accounts.join(named, on="network_id", how="left")
    accounts = accounts.join(_hubs_used(found.edges), on="account_id", how="left")
    exempted = found.exempted.withColumn("exempted", F.lit(True))
    accounts = accounts.join(exempted, on="account_id", how="left")
    members = accounts.select(*_MEMBERS.names)
    rows = members.join(_strongest(found.evidence), on="account_id", how="left")
    rows = engine.materialize(rows, "snapshot rows")
    rows = rows.withColumn("bucket", bucket_of(rows, "network_id", rows.count()))

    def freeze(group: pa.Table) -> pa.Table:
        found = [row for network in _by_network(group) for row in _snapshot(network, day)]
        return pa.Table.from_pylist(found, schema=SNAPSHOTS.schema)

    return engine.map_groups_arrow(rows, ["bucket"], freeze, SNAPSHOTS.schema)


def _hubs_used(edges: DataFrame) -> DataFrame:
    """The types of hubs that each member used: account_id (the key), hubs."""
    return (
        edges.filter(F.col("is_hub"))
        .groupBy("account_id")
        .agg(F.sort_array(F.collect_set("entity_type")).alias("hubs"))
    )


def _strongest(evidence: DataFrame) -> DataFrame:
    """The strongest entities of each account, over all that it is linked to by them."""
    by_entity = evidence.groupBy("account_id", "trace", "family", "entity_type", "entity_id").agg(
        F.count(F.lit(1)).alias("members"),
        F.sum("co_actions").cast("bigint").alias("co_actions"),
        F.max("rarity").alias("rarity"),
        F.min("first_at").alias("first_at"),
        F.max("last_at").alias("last_at"),
    )
    strength = (F.col("rarity").desc(), F.col("co_actions").desc(), F.col("trace"), "entity_id")
    of_family = Window.partitionBy("account_id", "family").orderBy(*strength)
    in_turn = Window.partitionBy("account_id").orderBy("of_family", *strength)
    ranked = by_entity.withColumn("of_family", F.row_number().over(of_family))
    ranked = ranked.withColumn("place", F.row_number().over(in_turn))
    return ranked.filter(F.col("place") <= STRONGEST)


def _by_network(rows: pa.Table) -> Iterator[list[dict[str, Any]]]:
    networks: dict[str, list[dict[str, Any]]] = {}
    for row in rows.to_pylist():
        networks.setdefault(row["network_id"], []).append(row)
    yield from networks.values()


def _snapshot(rows: list[dict[str, Any]], day: date) -> Iterator[dict[str, Any]]:
    accounts: dict[str, dict[str, Any]] = {}
    links: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["account_id"], row["place"] or 0)):
        accounts[row["account_id"]] = row
        found = links.setdefault(row["account_id"], [])
        if row["place"] is not None:
            found.append(_entity(row))
    members = [
        {
            "account_id": name,
            "role": row["role"],
            "is_core": row["is_core"],
            "evidence": {"for": links[name], **_in_words(row)},
        }
        for name, row in accounts.items()
    ]
    digest = canonical_sha256(members)
    for member in members:
        yield {
            **member,
            "snapshot_sha256": digest,
            "network_id": rows[0]["network_id"],
            "ds": day,
            "evidence": canonical_json(member["evidence"]),
        }


def _in_words(row: dict[str, Any]) -> dict[str, list[str]]:
    unmeasured = [each for each in row["reasons"] if each in _NOT_COUNTED]
    counted = [each for each in row["reasons"] if each not in _NOT_COUNTED]
    return {
        "against": [*counted, *(row["overridden"] or ())],
        "role": row["role_reasons"],
        "grounds": row["grounds"] or [],
        "not_counted": [
            *unmeasured,
            *map(HUBS_USED.format, row["hubs"] or ()),
            *([OPENLY_DONE] if row["exempted"] else []),
        ],
    }


def _entity(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("trace", "family", "entity_type", "entity_id", "members", "co_actions", "rarity")
    times = {name: _text(row[name]) for name in ("first_at", "last_at")}
    return {**{name: row[name] for name in kept}, **times}


def _text(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
