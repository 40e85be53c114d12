"""Accounts that were forgotten and are in the log again: ledgers have a keyed hash for each.

What was decided and said of them still counts, whether it speaks for them or against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.dataset import Expression

from exporters.enforcement.keyed import KEYED, keyed, read_key
from graph.engines.base import Engine
from graph.frames import DataFrame
from graph.ledger import read_ledger
from graph.tables import Table, columns
from signatures.decisions import DECISIONS
from signatures.labels import LABELS
from signatures.snapshots import SNAPSHOTS

_NAMED = {DECISIONS: "account_id", LABELS: "subject_id", SNAPSHOTS: "account_id"}
_KNOWN = columns(hashed="string", account_id="string")


@dataclass(frozen=True)
class Recalled:
    """The ledgers of a home as they would be had nobody of a day been forgotten.

    `accounts` has the account of each keyed hash that is one of the day's.
    """

    home: Path
    accounts: Mapping[str, str] = field(default_factory=dict)

    def read(self, table: Table, where: Expression | None = None) -> pa.Table:
        """Rows of a ledger, as graph.ledger.read_ledger; `where` must ask for hashes, too."""
        rows = read_ledger(self.home, table, where)
        for name in _NAMED.values():
            if self.accounts and name in rows.column_names:
                place = rows.column_names.index(name)
                rows = rows.set_column(place, rows.schema.field(name), self._with_names(rows[name]))
        if self.accounts and "members" in rows.column_names:
            lists = [each and self.named(each) for each in rows["members"].to_pylist()]
            place, members = rows.column_names.index("members"), rows.schema.field("members")
            rows = rows.set_column(place, members, pa.array(lists, members.type))
        return rows

    def hashes(self, accounts: Iterable[str]) -> set[str]:
        """The accounts, and the hashes of those that were forgotten."""
        wanted = set(accounts)
        return wanted | {hashed for hashed, name in self.accounts.items() if name in wanted}

    def named(self, names: Iterable[str]) -> list[str]:
        """Names with the account in place of each hash that is one of the day's."""
        return [self.accounts.get(name, name) for name in names]

    def _with_names(self, names: pa.ChunkedArray) -> pa.ChunkedArray:
        hashes = pa.array(self.accounts, pa.string())
        accounts = pa.array(self.accounts.values(), pa.string())
        found = accounts.take(pc.index_in(names.combine_chunks(), hashes))
        return pa.chunked_array([pc.coalesce(found, names.combine_chunks())], pa.string())


def recall(engine: Engine, home: Path, key_file: Path | None, accounts: DataFrame) -> Recalled:
    """Find who of these accounts was forgotten; `accounts` has account_id.

    Raises ConfigError where somebody was and the key of the hashes is not there: without it nobody
    can say who was cleared.
    """
    forgotten = _forgotten(home)
    if not forgotten:
        return Recalled(home)
    key = read_key(key_file)

    def hashed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            names = batch.column("account_id").to_pylist()
            hashes = [keyed(key, "account", name) for name in names]
            known = [place for place, each in enumerate(hashes) if each in forgotten]
            rows = ([each[place] for place in known] for each in (hashes, names))
            arrays = [pa.array(each, pa.string()) for each in rows]
            yield pa.RecordBatch.from_arrays(arrays, schema=_KNOWN)

    found = engine.to_arrow(engine.map_arrow(accounts.select("account_id"), hashed, _KNOWN))
    return Recalled(home, dict(zip(*(each.to_pylist() for each in found.columns), strict=True)))


def _forgotten(home: Path) -> frozenset[str]:
    """The keyed hashes in ledgers; as few as people asked to be forgotten."""
    names: set[str] = set()
    for table, column in _NAMED.items():
        hashed = pc.match_substring_regex(pc.field(column), KEYED)
        names.update(read_ledger(home, table, hashed, [column])[column].unique().to_pylist())
    return frozenset(names)
