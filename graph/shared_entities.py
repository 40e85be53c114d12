"""A site's list of entities that strangers are known to share, and its safety rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from graph.address_blocks import index_blocks
from graph.addresses import Network, address_numbers
from graph.engines.base import Engine
from graph.entities import ENTITY_TYPES
from graph.frames import DataFrame, F
from graph.tables import columns
from graph.trust_lists import ListRefused, check_entry

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


@dataclass(frozen=True)
class SharedEntities:
    """The entries in force on a day: ids by type, and address blocks with their reasons."""

    ids: pa.Table
    blocks: Sequence[Network]
    block_reasons: Sequence[str]


def check_shared_entities(rows: Iterable[Mapping[str, Any]], day: date) -> SharedEntities:
    """Check a list's entries and keep those in force on a day.

    Raises ListRefused, naming the row, for an unknown type, a CIDR wider than /12 (IPv6 /24), or an
    entry without added_by, approved_by, reason and an expiry at most 180 days after it was added.
    """
    ids: list[dict[str, str]] = []
    blocks: dict[Network, str] = {}
    for number, row in enumerate(rows, start=1):
        _check(number, row)
        if not row["added_at"] <= day < row["expires_at"]:
            continue
        if row["entity_type"] == "ip" and "/" in row["entity_id"]:
            blocks[_block(number, row["entity_id"])] = row["reason"]
        else:
            ids.append({name: row[name] for name in ("entity_type", "entity_id", "reason")})
    schema = columns(entity_type="string", entity_id="string", reason="string")
    return SharedEntities(
        pa.Table.from_pylist(ids, schema=schema), list(blocks), list(blocks.values())
    )


def _check(number: int, row: Mapping[str, Any]) -> None:
    check_entry("shared_entities", SHARED_ENTITIES, number, row)
    known = {entity_type.name for entity_type in ENTITY_TYPES}
    if row["entity_type"] not in known:
        raise ListRefused(
            f"shared_entities, row {number}: entity_type {row['entity_type']!r} is none of "
            f"{', '.join(sorted(known))}"
        )


def _block(number: int, cidr: str) -> Network:
    try:
        block = ipaddress.ip_network(cidr.strip(), strict=False)
    except ValueError as error:
        raise ListRefused(f"shared_entities, row {number}: {error}") from None
    if block.prefixlen < WIDEST_PREFIX[block.version]:
        raise ListRefused(
            f"shared_entities, row {number}: {cidr} is wider than /{WIDEST_PREFIX[block.version]}"
        )
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
