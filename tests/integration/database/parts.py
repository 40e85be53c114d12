"""Small days to load: a few accounts, entities and a network, as rows by kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from exporters.neo4j_frames import schema_of
from exporters.neo4j_load import Part, read_part
from graph.database_schema import NODES, RELATIONSHIPS

DAY = date(2026, 11, 22)
NEXT = date(2026, 11, 23)
AT = datetime(2026, 11, 22, 10, 30, 15, 123_456, tzinfo=UTC)

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def parts(folder: Path, rows: Rows, files: int = 1) -> list[Part]:
    """Write rows to files, as the job does; kinds that are not named have none."""
    made = []
    for kind in (*NODES, *RELATIONSHIPS):
        table = pa.Table.from_pylist(list(rows.get(kind.name, ())), schema=schema_of(kind))
        target = folder / kind.name
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob("*.parquet"):
            old.unlink()
        size = -(-max(table.num_rows, 1) // files)
        for number in range(files):
            pq.write_table(table.slice(number * size, size), target / f"{number}.parquet")
        made.append(read_part(kind, target))
    return made


def network(
    name: str, accounts: Sequence[str], device: str = "d1"
) -> dict[str, list[dict[str, Any]]]:
    """A network whose members share a device."""
    return {
        "Account": [{"id": each, "events": 3, "first_seen_at": AT} for each in accounts],
        "Device": [{"id": device, "degree": len(accounts), "is_hub": False}],
        "Network": [{"id": name, "name": name, "accounts": len(accounts), "priority": 0.5}],
        "Account_USED_DEVICE_Device": [
            {"start_id": each, "end_id": device, "events": 2} for each in accounts
        ],
        "Account_MEMBER_OF_Network": [
            {"start_id": each, "end_id": name, "is_core": True} for each in accounts
        ],
    }


def merged(*days: Rows) -> dict[str, list[Mapping[str, Any]]]:
    """Several networks in one day."""
    together: dict[str, list[Mapping[str, Any]]] = {}
    for rows in days:
        for kind, each in rows.items():
            together.setdefault(kind, []).extend(each)
    return together
