"""Whom a legal hold reaches: held accounts, those of held decisions, members of held networks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds

from graph.ledger import read_ledger
from graph.networks import MEMBERSHIPS
from graph.published import TableDay, Tables
from signatures.decisions import DECISIONS
from signatures.snapshots import SNAPSHOTS

FILE = "legal_holds.json"


def held(home: Path) -> set[str]:
    """The subjects under a hold: ids of accounts, networks and decisions."""
    path = home / FILE
    return set(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else set()


def held_accounts(home: Path, published: Tables) -> set[str]:
    """The accounts that a hold reaches, on whatever day and in whatever judgement."""
    subjects = held(home)
    if not subjects:
        return set()
    names = pa.array(sorted(subjects), pa.string())
    in_network = pc.field("network_id").isin(names)
    found = [
        read_ledger(home, DECISIONS, in_network | pc.field("decision_id").isin(names)),
        read_ledger(home, SNAPSHOTS, in_network),
        *_members(published, in_network),
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


def kind_of(home: Path, published: Tables, subject: str) -> str | None:
    """What an id is known as here: account, network, decision; None where it stands nowhere.

    Newer files are read first; an id that is unknown is looked for in all of them.
    """
    files = sorted(home.glob("ledger/*/[0-9]*/*.parquet"), reverse=True)
    for found in chain(
        (pds.dataset(path, format="parquet") for path in files),
        (day.dataset() for day in _days(published, reversed(published.names()))),
    ):
        for kind, name, typed in COLUMNS:
            if name in found.schema.names:
                mine = pc.field(name) == subject
                if typed is not None:
                    mine &= pc.field(typed) == kind
                if found.head(1, columns=[name], filter=mine).num_rows:
                    return kind
    return None


def _members(published: Tables, where: pds.Expression) -> Iterator[pa.Table]:
    """The rows of memberships that `where` selects, of each day."""
    for day in _days(published, [MEMBERSHIPS.name]):
        yield day.dataset(MEMBERSHIPS.schema).to_table(filter=where)


def _days(published: Tables, names: Iterable[str]) -> Iterator[TableDay]:
    """The days of tables, a table's newest first."""
    for name in names:
        for ds in reversed(published.days(name)):
            yield published.day(name, ds)
