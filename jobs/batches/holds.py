"""Whom a legal hold reaches: held accounts, those of held decisions, members of held networks."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds

from graph.ledger import read_ledger
from graph.networks import MEMBERSHIPS
from graph.tables import Table
from signatures.decisions import DECISIONS
from signatures.snapshots import SNAPSHOTS

FILE = "legal_holds.json"


def held(home: Path) -> set[str]:
    """The subjects under a hold: ids of accounts, networks and decisions."""
    path = home / FILE
    return set(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else set()


def held_accounts(home: Path, warehouse: Path) -> set[str]:
    """The accounts that a hold reaches, on whatever day and in whatever judgement."""
    subjects = held(home)
    if not subjects:
        return set()
    names = pa.array(sorted(subjects), pa.string())
    in_network = pc.field("network_id").isin(names)
    found = [
        read_ledger(home, DECISIONS, in_network | pc.field("decision_id").isin(names)),
        read_ledger(home, SNAPSHOTS, in_network),
        _members(warehouse, MEMBERSHIPS, in_network),
    ]
    accounts = (table.column("account_id").to_pylist() for table in found)
    return subjects.union(*accounts)


def _members(warehouse: Path, table: Table, where: pds.Expression) -> pa.Table:
    files = [str(path) for path in warehouse.glob(f"{table.name}/ds=*/*.parquet")]
    if not files:
        return table.schema.empty_table()
    return pds.dataset(files, schema=table.schema, format="parquet").to_table(filter=where)
