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


COLUMNS = (
    ("decision", "decision_id", None),
    ("network", "network_id", None),
    ("account", "account_id", None),
    ("account", "account_a", None),
    ("account", "account_b", None),
    ("account", "node_id", "node_type"),
    ("account", "subject_id", "subject_type"),
    ("network", "subject_id", "subject_type"),
)
"""Where ids stand in ledgers and tables: the kind, the column, and the one that says the kind."""


def kind_of(home: Path, warehouse: Path, subject: str) -> str | None:
    """What an id is known as here: account, network, decision; None where it stands nowhere.

    Newer files are read first; an id that is unknown is looked for in all of them.
    """
    files = sorted(home.glob("ledger/*/[0-9]*/*.parquet"), reverse=True)
    files += sorted(warehouse.glob("*/ds=*/*.parquet"), key=lambda path: path.parent, reverse=True)
    for path in files:
        found = pds.dataset(path, format="parquet")
        for kind, name, typed in COLUMNS:
            if name in found.schema.names:
                mine = pc.field(name) == subject
                if typed is not None:
                    mine &= pc.field(typed) == kind
                if found.head(1, columns=[name], filter=mine).num_rows:
                    return kind
    return None


def _members(warehouse: Path, table: Table, where: pds.Expression) -> pa.Table:
    files = [str(path) for path in warehouse.glob(f"{table.name}/ds=*/*.parquet")]
    if not files:
        return table.schema.empty_table()
    return pds.dataset(files, schema=table.schema, format="parquet").to_table(filter=where)
