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
from signatures.calibration import ALL, CALIBRATION


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


MARKETS = ("de", "in")


def publish_calibration(
    home: Path,
    signature: str,
    day: date,
    low: float,
    low_in_de: float | None = None,
    **changed: Any,
) -> None:
    """Put a calibration of a signature there, measured in all and in each of MARKETS.

    low bounds the precision of whatever it proposes.
    """
    row = {
        "level": "account",
        "scope": "signature",
        "scope_id": signature,
        "market": ALL,
        "stratum": ALL,
        "estimate": 1.0,
        "low": low,
        "measured_on": day,
        **changed,
    }
    in_de = low if low_in_de is None else low_in_de
    there = [{**row, "market": each, "low": in_de if each == "de" else low} for each in MARKETS]
    rows = [
        {**each, "measure": measure}
        for measure in ("precision", "challenge_precision")
        for each in (row, *there)
    ]
    publish(home, CALIBRATION, day, rows)
