"""Receipts: what enforcement did with rows, and what follows for decisions and the archive."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from exporters.enforcement.fields import ACCOUNTS
from exporters.enforcement.ledgers import BATCHES, RECEIPTS
from exporters.enforcement.reading import json_rows
from exporters.enforcement.row_checks import key_of
from graph.canonical import canonical_sha256
from graph.enforced_entities import ENFORCED_ENTITIES
from graph.engines.base import InputError
from graph.frames import DataFrame, F
from graph.tables import TIMESTAMP, columns
from graph.union import union_all
from jobs.batches.changes import Changes
from jobs.batches.store import Store
from jobs.errors import DataStop
from signatures.decisions import DECISIONS
from signatures.frozen_evidence import read_evidence
from signatures.life_cycle import current_frame, moved_frame
from signatures.snapshots import SNAPSHOTS

ACTOR = "receipts"
STATUSES = ("applied", "already", "failed", "skipped")
AHEAD = timedelta(minutes=5)
"""How far another machine's clock may be ahead of this one's."""

_KEYS = columns(idempotency_key="string", decision_id="string", operation="string", state="string")


@dataclass(frozen=True)
class Received:
    """What a file of receipts said and did."""

    receipts: int
    repeated: int
    applied: int
    failed: int
    reversed: int
    contradicting: int


def receive(changes: Changes, path: Path) -> Received:
    """Stage what a file of receipts tells.

    Raises DataStop, naming the line, for one that is malformed, or about nothing that was sent.
    """
    engine = changes.engine
    given = engine.materialize(_read(changes, path), "receipts given")
    total = given.count()
    given = engine.materialize(
        given.groupBy(*RECEIPTS.columns[:1]).agg(
            *(F.min(name).alias(name) for name in ("idempotency_key", "status", "at", "error"))
        ),
        "receipts once",
    )
    known = changes.ledger(RECEIPTS).select("receipt_sha256")
    new = engine.materialize(
        given.join(known, on="receipt_sha256", how="left_anti"), "receipts new"
    )
    keyed = new.join(_keys(changes), on="idempotency_key", how="left")
    keyed = engine.materialize(keyed, "receipts keyed")
    _refuse_strange(changes, keyed)
    count = keyed.count()
    changes.append(RECEIPTS, keyed.withColumn("taken_at", F.lit(changes.now)))
    moves = {after: _move(changes, keyed, after) for after in ("applied", "failed", "reversed")}
    told = Received(
        receipts=total,
        repeated=total - count,
        **moves,
        contradicting=_contradicting(keyed),
    )
    if count:
        changes.audit("receipts", ACTOR, vars(told))
    return told


def _read(changes: Changes, path: Path) -> DataFrame:
    """The receipts of a file, one row a line."""
    if not path.is_file():
        raise InputError(f"{path} does not exist")
    latest = changes.now + AHEAD
    schema = columns(
        receipt_sha256="string", idempotency_key="string", status="string", at=TIMESTAMP,
        error="string",
    )  # fmt: skip

    def batches() -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                rows.append(_receipt(f"{path.name}, line {number}", line, latest))
                if len(rows) == 10_000:
                    yield pa.RecordBatch.from_pylist(rows, schema=schema)
                    rows = []
        yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return changes.engine.from_arrow(pa.Table.from_batches(batches(), schema=schema))


def _receipt(place: str, line: str, latest: datetime) -> dict[str, Any]:
    """A line of receipts.jsonl as a row; raises DataStop for what is none."""
    try:
        content = json.loads(line)
        at = datetime.fromisoformat(content["at"])
        key, status, error = content["idempotency_key"], content["status"], content.get("error")
        strange = set(content) - {"idempotency_key", "status", "at", "error"}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataStop(
            f"{place}: is no receipt: write idempotency_key, status, at and error as JSON"
        ) from None
    if status not in STATUSES or strange or not isinstance(key, str):
        raise DataStop(f"{place}: status must be one of {', '.join(STATUSES)}, and no other fields")
    if at.tzinfo is None or at > latest:
        raise DataStop(f"{place}: at is {content['at']}: it must have a zone and not be to come")
    return {
        "receipt_sha256": canonical_sha256(content),
        "idempotency_key": key,
        "status": status,
        "at": at,
        "error": None if error is None else str(error)[:1000],
    }


def _keys(changes: Changes) -> DataFrame:
    """The keys of everything that was sent, with the state of its decision: see the columns."""
    ledger = changes.ledger(DECISIONS)
    current = current_frame(ledger).select("decision_id", "state")
    released = ledger.filter(F.col("state") == "released").select("decision_id").distinct()
    sent = {"apply": released, "reverse": _taken_back(changes)}
    frames = [
        changes.engine.map_arrow(
            current.join(ids, on="decision_id", how="left_semi"),
            partial(_with_keys, operation),
            _KEYS,
        )
        for operation, ids in sent.items()
    ]
    return union_all(frames)


def _with_keys(operation: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        ids, states = (batch.column(name).to_pylist() for name in ("decision_id", "state"))
        arrays = [[key_of(one, operation) for one in ids], ids, [operation] * len(ids), states]
        yield pa.RecordBatch.from_arrays(
            [pa.array(each, pa.string()) for each in arrays], schema=_KEYS
        )


def _taken_back(changes: Changes) -> DataFrame:
    """The decisions of reversals that were released: decision_id; in memory, 64 bytes each.

    An overturned decision waits for the receipt of its reversal, which the ledger does not show.
    """
    ids = [
        batch.column("decision_id")
        for folder in sorted(Store(changes.home).released.glob("*-r*"))
        if (folder / ACCOUNTS.name).is_file()  # until `retention.evidence` has passed
        for batch in json_rows(folder / ACCOUNTS.name, ACCOUNTS)
    ]
    found = pa.chunked_array(ids, pa.string()).unique()
    return changes.engine.from_arrow(pa.table({"decision_id": found}))


def _refuse_strange(changes: Changes, keyed: DataFrame) -> None:
    strange = keyed.filter(F.col("decision_id").isNull())
    if count := strange.count():
        first = changes.engine.to_arrow(strange.agg(F.min("idempotency_key").alias("key")))
        raise DataStop(
            f"receipts: {count} are about rows that were never released, e.g. "
            f"{first['key'][0].as_py()}: nothing of the file is taken"
        )


def _move(changes: Changes, keyed: DataFrame, after: str) -> int:
    """Move the decisions that receipts lead to a state; returns their number."""
    done = F.col("status").isin("applied", "already")
    before, operation, wanted = {
        "applied": ("released", "apply", done),
        "failed": ("released", "apply", ~done),
        "reversed": ("overturned", "reverse", done),
    }[after]
    mine = keyed.filter((F.col("state") == before) & (F.col("operation") == operation))
    done_by = mine.filter(done).select("decision_id").distinct()
    chosen = mine.filter(wanted).select("decision_id").distinct()
    if after == "failed":
        # Somebody tried again and it worked.
        chosen = chosen.join(done_by, on="decision_id", how="left_anti")
    rows = current_frame(changes.ledger(DECISIONS)).join(chosen, on="decision_id", how="left_semi")
    rows = changes.engine.materialize(rows.select(*DECISIONS.columns), f"to be {after}")
    moved = moved_frame(
        changes.engine, rows, after, by="receipt", at=changes.now, actor=ACTOR, reason=None
    )
    changes.append(DECISIONS, moved)
    if after == "applied":
        changes.append(ENFORCED_ENTITIES, _archive(changes, rows))
    return rows.count()


def _contradicting(keyed: DataFrame) -> int:
    """Receipts that a state does not allow: carried out after it failed, or not taken back."""
    done = F.col("status").isin("applied", "already")
    late = (F.col("state") == "failed") & (F.col("operation") == "apply") & done
    stuck = (F.col("operation") == "reverse") & ~done
    return keyed.filter(late | stuck).count()


def _archive(changes: Changes, applied: DataFrame) -> DataFrame:
    """The entities that enforced actors shared; compromised accounts' own things are not held."""
    schema, now = ENFORCED_ENTITIES.schema, changes.now
    restricted = applied.filter(
        (F.col("subject_role") == "actor") & (F.col("action") != "challenge")
    )
    frozen = changes.ledger(SNAPSHOTS).select("snapshot_sha256", "account_id", "evidence")
    rows = restricted.select("decision_id", "account_id", "network_id", "snapshot_sha256").join(
        frozen, on=["snapshot_sha256", "account_id"], how="inner"
    )

    def unfold(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            made: dict[tuple[str, str, str], dict[str, Any]] = {}
            for row in batch.to_pylist():
                for entity in read_evidence(row["evidence"]).shared:
                    name = (row["decision_id"], entity.entity_type, entity.entity_id)
                    made.setdefault(
                        name,
                        {
                            **{key: row[key] for key in ENFORCED_ENTITIES.columns[:3]},
                            "entity_type": entity.entity_type,
                            "entity_id": entity.entity_id,
                            "family": entity.family,
                            "rarity": entity.rarity,
                            "enforced_at": now,
                            "last_used_at": datetime.fromisoformat(entity.last_at),
                        },
                    )
            yield pa.RecordBatch.from_pylist(list(made.values()), schema=schema)

    return changes.engine.map_arrow(rows, unfold, schema)


def expire(changes: Changes) -> int:
    """Move what has run its time, by the end that its row told; returns the number."""
    running = current_frame(changes.ledger(DECISIONS)).filter(
        F.col("state").isin("applied", "upheld") & F.col("duration_s").isNotNull()
    )
    seconds = F.unix_timestamp(F.lit(changes.now)) - F.unix_timestamp("made_at")
    made = _made(changes)
    over = running.join(made, on="batch_id", how="inner").filter(seconds >= F.col("duration_s"))
    over = changes.engine.materialize(over.select(*DECISIONS.columns), "expired")
    moved = moved_frame(
        changes.engine, over, "expired", by="clock", at=changes.now, actor="clock", reason=None
    )
    changes.append(DECISIONS, moved)
    return over.count()


def _made(changes: Changes) -> DataFrame:
    """When batches and their stages were made, from which restrictions run: batch_id, made_at."""
    events = changes.ledger(BATCHES)
    proposed = events.filter(F.col("event") == "proposed")
    whole = proposed.select("batch_id", F.col("at").alias("made_at"))
    stages = events.filter(F.col("event") == "released").filter(F.col("parent").isNotNull())
    parents = whole.withColumnRenamed("batch_id", "parent")
    of_stages = stages.select("batch_id", "parent").join(parents, on="parent", how="inner")
    return whole.unionByName(of_stages.select("batch_id", "made_at"))


def overdue(changes: Changes) -> int:
    """How many released decisions have had no receipt for too long."""
    due = timedelta(microseconds=changes.config.enforcement.receipt_due)
    current = current_frame(changes.ledger(DECISIONS))
    late = F.col("state_at") <= F.lit(changes.now - due)
    return current.filter((F.col("state") == "released") & late).count()
