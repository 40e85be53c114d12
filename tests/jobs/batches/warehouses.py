"""Published days of tables, written without a run."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from graph.published import DESCRIPTION, column_types, day_folder
from graph.tables import Table


def publish(home: Path, table: Table, ds: date, rows: list[dict[str, Any]]) -> None:
    """Put a day of a table where a run would have published it; columns not given are null."""
    folder = home / "warehouse" / table.name / day_folder(ds)
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), folder / "part-0.parquet")
    described = {
        "table": table.name,
        "schema_version": table.version,
        "columns": column_types(table),
        "rows": len(rows),
    }
    (folder / DESCRIPTION).write_text(json.dumps(described))
