"""A site as its data engineer sees it: a folder with a log, a config file and a home."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from graph.engines.base import Engine
from jobs import build_graph, detect_networks, score_networks
from jobs.configuration import load
from jobs.warehouse import Warehouse

DAY = date(2026, 11, 22)
COLUMNS = ("account_id", "event_time", "event_type", "event_id", "device_id", "ip", "content_hash")

Row = dict[str, Any]


def only(*traces: str) -> dict[str, str]:
    """Settings that switch off all shipped traces but these."""
    return {name: "none" for name in load().traces if name not in traces}


@dataclass(frozen=True)
class Site:
    """One folder; jobs run in this process, with an engine that is open already."""

    folder: Path
    engine: Engine

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.home / "warehouse")

    def configure(
        self,
        log: str,
        columns: Sequence[str] | dict[str, str] = COLUMNS,
        events: Row | None = None,
        **settings: Any,
    ) -> list[str]:
        """Write the config file; returns the argument that names it."""
        mapping = columns if isinstance(columns, dict) else dict(zip(columns, columns, strict=True))
        content = {
            "home": str(self.home),
            "lookback": "3d",
            "events": {"path": str(self.folder / log), "columns": mapping} | (events or {}),
            "traces": only("shared_device"),
        }
        path = self.folder / "site.yaml"
        path.write_text(json.dumps(content | settings))
        return ["--config", str(path)]

    def build(self, *arguments: str, ds: date = DAY) -> int:
        return build_graph.main(self._arguments(ds, arguments), self.engine)

    def detect(self, *arguments: str, ds: date = DAY) -> int:
        return detect_networks.main(self._arguments(ds, arguments), self.engine)

    def score(self, *arguments: str, ds: date = DAY) -> int:
        return score_networks.main(self._arguments(ds, arguments), self.engine)

    def _arguments(self, ds: date, arguments: Sequence[str]) -> list[str]:
        return ["--ds", str(ds), "--config", str(self.folder / "site.yaml"), *arguments]

    def rows(self, table: str, ds: date = DAY) -> list[Row]:
        """A published table's rows, in an order that no engine decides."""
        rows = pq.read_table(self.warehouse.path(table, ds)).to_pylist()
        return sorted(rows, key=lambda row: json.dumps(row, default=str))

    def tables(self, ds: date = DAY) -> dict[str, list[Row]]:
        """All published tables of a day."""
        names = self.warehouse.tables()
        return {n: self.rows(n, ds) for n in names if self.warehouse.path(n, ds).exists()}

    def manifest(self, job: str, ds: date = DAY) -> Row:
        path = self.warehouse.folder / "runs" / f"ds={ds}" / f"{job}.json"
        content: Row = json.loads(path.read_text())
        return content


def write_log(path: Path, rows: Iterable[Row], schema: pa.Schema | None = None) -> None:
    """Write rows as one parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)


def seconds(hour: float = 12, ds: date = DAY) -> int:
    """Epoch seconds of an hour of a day."""
    midnight = datetime(ds.year, ds.month, ds.day, tzinfo=UTC)
    return int((midnight + timedelta(hours=hour)).timestamp())


def event(account: str, hour: float = 12, ds: date = DAY, **values: Any) -> Row:
    """A post at an hour of a day, from a device of the account's own unless told otherwise."""
    given = {"account_id": account, "event_time": seconds(hour, ds), "event_type": "post"}
    return given | {"device_id": f"phone of {account}"} | values
