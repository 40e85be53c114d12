"""Reversals that were made: which of them wait, are out, or came back undone.

A decision counts as reversed when its reversal leaves. Whether somebody acted on that is known from
receipts alone, so what is out without a good one stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from exporters.enforcement.fields import ACCOUNTS
from exporters.enforcement.ledgers import BATCHES, RECEIPTS
from exporters.enforcement.reading import json_rows
from exporters.enforcement.rows import REVERSE
from graph.ledger import read_ledger
from graph.setting_types import format_duration
from graph.tables import TIMESTAMP, columns
from jobs.batches.store import Store

SCHEMA = columns(
    decision_id="string",
    waits_in="string",  # the batch that is proposed and has not left
    first_in="string",  # the first one that left
    out_in="string",  # the last one that left
    out_at=TIMESTAMP,
    answer="string",  # done | failed; null: no receipt since it left
)

DONE = ("applied", "already")
"""Statuses of receipts after which nothing remains to be done."""


def reversals(home: Path) -> pa.Table:
    """How the reversal of each decision stands that has one: see the columns; 64 bytes an id.

    Those of batches whose rows `retention.evidence` has deleted are not among them.
    """
    store = Store(home)
    events = read_ledger(home, BATCHES, pc.field("operation") == REVERSE).to_pylist()
    out = {each["batch_id"]: each["at"] for each in events if each["event"] == "released"}
    void = {each["batch_id"] for each in events if each["event"] == "void"}
    waiting = {
        each["batch_id"]: None
        for each in events
        if each["event"] == "proposed" and each["batch_id"] not in {*out, *void}
    }
    left = _rows(store.released, out).rename_columns(["decision_id", "out_in", "out_at"])
    waits = _rows(store.proposed, waiting).rename_columns(["decision_id", "waits_in", "at"])
    left = left.append_column("first_in", left.column("out_in")).sort_by("out_at")
    found = (
        _grouped(left, first_in="first", out_in="last", out_at="last")
        .join(_answers(home), "decision_id", join_type="left outer")
        .join(
            _grouped(waits.sort_by("waits_in"), waits_in="last"),
            "decision_id",
            join_type="full outer",
        )
    )
    undone = pc.greater_equal(found.column("undone_at"), found.column("out_at"))
    answer = pc.case_when(
        pc.make_struct(pc.fill_null(found.column("done"), False), pc.fill_null(undone, False)),
        pa.scalar("done"),
        pa.scalar("failed"),
        pa.scalar(None, pa.string()),
    )
    return found.append_column("answer", answer).select(SCHEMA.names).cast(SCHEMA)


def _rows(place: Path, batches: Mapping[str, datetime | None]) -> pa.Table:
    """The decisions of batches: decision_id, batch_id, at."""
    schema = columns(decision_id="string", batch_id="string", at=TIMESTAMP)
    parts = [schema.empty_table()]
    for name, at in sorted(batches.items()):
        path = place / name / ACCOUNTS.name
        for batch in json_rows(path, ACCOUNTS) if path.is_file() else ():
            ids = batch.column("decision_id").cast(pa.string())
            constant = (pa.repeat(pa.scalar(name), len(ids)), pa.array([at] * len(ids), TIMESTAMP))
            parts.append(pa.Table.from_arrays([ids, *constant], schema=schema))
    return pa.concat_tables(parts)


def _answers(home: Path) -> pa.Table:
    """What receipts say of reversals: decision_id, done, undone_at."""
    receipts = read_ledger(home, RECEIPTS, pc.field("operation") == REVERSE)
    done = pc.is_in(receipts.column("status"), pa.array(DONE))
    undone_at = pc.if_else(done, pa.scalar(None, TIMESTAMP), receipts.column("taken_at"))
    told = pa.table(
        {"decision_id": receipts.column("decision_id"), "done": done, "undone_at": undone_at}
    )
    return _grouped(told, done="max", undone_at="max")


def _grouped(rows: pa.Table, **how: str) -> pa.Table:
    """One row a decision, with each named column brought together in its way."""
    found = rows.group_by("decision_id", use_threads=False).aggregate(list(how.items()))
    names = [f"{column}_{function}" for column, function in how.items()]
    return found.select(["decision_id", *names]).rename_columns(["decision_id", *how])


def open_reversals(home: Path, now: datetime, due: timedelta) -> list[str]:
    """What people must look at, a line each: reversals that failed, or have no receipt for long."""
    found = reversals(home)
    failed = found.filter(pc.equal(found.column("answer"), "failed"))
    silent = found.filter(
        pc.and_(
            pc.is_null(found.column("answer")),
            pc.fill_null(
                pc.less_equal(found.column("out_at"), pa.scalar(now - due, TIMESTAMP)), False
            ),
        )
    )
    lines = []
    if failed.num_rows:
        lines.append(
            f"{failed.num_rows} reversals failed or were skipped, of {_batches(failed)}: what they "
            "take back may stand; see their errors in the ledger `receipts`, then let enforcement "
            "import the same batch again, or order `export retract` of the same"
        )
    if silent.num_rows:
        lines.append(
            f"{silent.num_rows} reversals have no receipt after "
            f"{format_duration(due // timedelta(microseconds=1))}, of {_batches(silent)}: ask "
            "enforcement; the same batch may be imported again"
        )
    return lines


def _batches(rows: pa.Table) -> str:
    names: Iterable[str] = sorted(pc.unique(rows.column("out_in")).to_pylist())
    return ", ".join(names)
