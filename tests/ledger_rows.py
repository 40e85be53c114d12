"""A ledger as earlier commands left it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from graph.ledger import ledger_folder, next_append
from graph.tables import Table


def append_to_ledger(home: Path, table: Table, rows: pa.Table, name: str) -> None:
    """Append rows in the declared form; `name` says what made them, e.g. a run's id."""
    folder = ledger_folder(home, table) / next_append(home, table, name)
    folder.mkdir(parents=True, mode=0o700)
    rows = rows.select(table.columns).cast(table.schema)
    pq.write_table(rows, folder / "part-00000.parquet")
