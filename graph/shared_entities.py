"""A site's list of entities that strangers are known to share, and its safety rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from graph.address_blocks import index_blocks
from graph.addresses import Network, address_numbers
from graph.engines.base import Engine
from graph.entities import ENTITY_TYPES, clean_id
from graph.frames import DataFrame, F
from graph.tables import columns
from graph.trust_lists import ListRefused as ListRefused
from graph.trust_lists import check_entries

SHARED_ENTITIES = columns(
    entity_type="string",
    entity_id="string",
    reason="string",
    added_by="string",
    approved_by="string",
    added_at=pa.date32(),
    expires_at=pa.date32(),
)
"""The optional input `shared_entities`: one row per entity or CIDR; key entity_type, entity_id."""

WIDEST_PREFIX = {4: 12, 6: 24}
MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")  # IPv4 addresses, which the log has as such


@dataclass(frozen=True)
class SharedEntities:
    """The entries in force on a day: ids by type, and address blocks with their reasons."""

    ids: pa.Table
    blocks: Sequence[Network]
    block_reasons: Sequence[str]


def check_shared_entities(rows: Iterable[Mapping[str, Any]], day: date) -> SharedEntities:
    """Check a list's entries and keep those in force on a day.

    Ids are cleaned like those of the log. Raises ListRefused, naming the rows, for an unknown type,
    an id that no log can have, a CIDR wider than /12 (IPv6 /24), or an entry without added_by,
    approved_by, reason and an expiry at most 180 days after it was added.
    """
    schema = columns(entity_type="string", entity_id="string", reason="string")
    ids: list[dict[str, Any]] = []
    blocks: dict[Network, str] = {}
    entries = list(rows)
    check_entries("shared_entities", SHARED_ENTITIES, entries, _problem)
    for row in entries:
        if not row["added_at"] <= day < row["expires_at"]:
            continue
        if _is_block(row):
            blocks[_block(row)] = row["reason"]
        else:
            cleaned, _ = clean_id(row["entity_type"], row["entity_id"])
            ids.append({**{name: row[name] for name in schema.names}, "entity_id": cleaned})
    return SharedEntities(
        pa.Table.from_pylist(ids, schema=schema), list(blocks), list(blocks.values())
    )


def _problem(row: Mapping[str, Any]) -> str | None:
    known = {entity_type.name for entity_type in ENTITY_TYPES}
    if row["entity_type"] not in known:
        return f"entity_type {row['entity_type']!r} is none of {', '.join(sorted(known))}"
    if not _is_block(row):
        _, reason = clean_id(row["entity_type"], row["entity_id"])
        return reason and f"{row['entity_id']!r} identifies no {row['entity_type']} ({reason})"
    try:
        block = _block(row)
    except ValueError as error:
        return str(error)
    widest = WIDEST_PREFIX[block.version]
    return f"{row['entity_id']} is wider than /{widest}" if block.prefixlen < widest else None


def _is_block(row: Mapping[str, Any]) -> bool:
    return row["entity_type"] == "ip" and "/" in row["entity_id"]


def _block(row: Mapping[str, Any]) -> Network:
    block = ipaddress.ip_network(row["entity_id"].strip(), strict=False)
    if block.version == 6 and block.subnet_of(MAPPED):
        address = block.network_address.ipv4_mapped
        return ipaddress.ip_network(f"{address}/{block.prefixlen - MAPPED.prefixlen}")
    return block


def listed(engine: Engine, entities: DataFrame, shared: SharedEntities) -> DataFrame:
    """Which entities are on the list: entity_type, entity_id (the key), reason.

    An id on the list wins over the block it is in.
    """
    addresses = entities.filter(F.col("entity_type") == "ip").select("entity_type", "entity_id")
    schema = shared.ids.schema
    blocks = index_blocks(shared.blocks)
    reasons = pa.array(shared.block_reasons, pa.string())

    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            places = blocks.find(address_numbers(batch.column("entity_id")))
            found = reasons.take(pa.array(places, mask=places < 0))
            yield pa.RecordBatch.from_arrays([*batch.columns, found], schema=schema)

    by_id = engine.from_arrow(shared.ids)
    by_block = engine.map_arrow(addresses, find, schema).filter(F.col("reason").isNotNull())
    both = by_id.withColumn("place", F.lit(0)).unionByName(by_block.withColumn("place", F.lit(1)))
    ranked = both.groupBy("entity_type", "entity_id").agg(
        F.min(F.when(F.col("place") == 0, F.col("reason"))).alias("by_id"),
        F.min(F.when(F.col("place") == 1, F.col("reason"))).alias("by_block"),
    )
    return ranked.select(
        "entity_type", "entity_id", F.coalesce("by_id", "by_block").alias("reason")
    )


def not_seen(engine: Engine, entities: DataFrame, shared: SharedEntities) -> list[str]:
    """The entries in force that cover none of the entities, as `type id`, in order.

    A block counts as not seen, too, where longer ones cover all that is in it.
    """
    by_id = engine.from_arrow(shared.ids).select("entity_type", "entity_id").distinct()
    absent = by_id.join(entities, on=["entity_type", "entity_id"], how="left_anti")
    addresses = entities.filter(F.col("entity_type") == "ip").select("entity_id")
    blocks = index_blocks(shared.blocks)
    schema = columns(place="int64")

    def find(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            places = np.unique(blocks.find(address_numbers(batch.column("entity_id"))))
            yield pa.RecordBatch.from_arrays([pa.array(places, pa.int64())], schema=schema)

    found = engine.to_arrow(engine.map_arrow(addresses, find, schema).distinct())
    seen = set(found.column("place").to_pylist())
    unseen = [f"ip {block}" for place, block in enumerate(shared.blocks) if place not in seen]
    rows = engine.to_arrow(absent).to_pylist()
    return sorted([*unseen, *(f"{row['entity_type']} {row['entity_id']}" for row in rows)])
