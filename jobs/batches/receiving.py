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
import pyarrow.compute as pc

from exporters.enforcement.ledgers import BATCHES, RECEIPTS
from exporters.enforcement.row_checks import key_of
from graph.canonical import canonical_sha256
from graph.enforced_entities import ENFORCED_ENTITIES
from graph.engines.base import InputError
from graph.frames import DataFrame, F
from graph.tables import TIMESTAMP, columns
from graph.union import union_all
from jobs.batches.changes import Changes
from jobs.batches.reversals import DONE, reversals
from jobs.errors import DataStop
from signatures.decisions import DECISIONS
from signatures.frozen_evidence import read_evidence
from signatures.life_cycle import ENFORCED, PATH_BACK, current_frame, moved_frame
from signatures.snapshots import SNAPSHOTS

ACTOR = "receipts"
STATUSES = ("applied", "already", "failed", "skipped")
FIELDS = ("idempotency_key", "status", "at", "error")
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
    skipped: int
    reversed: int
    not_reversed: int
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
    skipped = _skipped(keyed)
    told = Received(
        receipts=total,
        repeated=total - count,
        applied=moves["applied"],
        failed=moves["failed"] - skipped,
        skipped=skipped,
        **_taken_back(keyed),
        contradicting=_contradicting(changes, keyed),
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
        strange = set(content) - set(FIELDS)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataStop(f"{place}: is no receipt: write {', '.join(FIELDS)} as JSON") from None
    if strange:
        raise DataStop(
            f"{place}: a receipt has no {', '.join(sorted(strange))}: it has {', '.join(FIELDS)}"
        )
    if status not in STATUSES:
        raise DataStop(f"{place}: status must be one of {', '.join(STATUSES)}")
    if not isinstance(key, str):
        raise DataStop(f"{place}: idempotency_key must be a text, that of the row it is about")
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
    out = reversals(changes.home)
    out = out.filter(pc.is_valid(out.column("out_in"))).select(["decision_id"])
    # An overturned decision waits for its reversal's receipt, which the ledger does not show.
    sent = {"apply": released, "reverse": changes.engine.from_arrow(out)}
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
    done = F.col("status").isin(*DONE)
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


def _skipped(keyed: DataFrame) -> int:
    """Decisions that enforcement left alone on purpose: no receipt says that they failed."""
    status = F.col("status")
    rank = F.when(status.isin(*DONE), 2).when(status == "failed", 1).otherwise(0)
    mine = keyed.filter((F.col("state") == "released") & (F.col("operation") == "apply"))
    worst = mine.groupBy("decision_id").agg(F.max(rank).alias("rank"))
    return worst.filter(F.col("rank") == 0).count()


def _taken_back(keyed: DataFrame) -> dict[str, int]:
    """Reversals that were carried out, and those that were not."""
    done = F.when(F.col("status").isin(*DONE), 1).otherwise(0)
    mine = keyed.filter(F.col("operation") == "reverse")
    each = mine.groupBy("decision_id").agg(F.max(done).alias("done"))
    total, reversed_ = each.count(), each.filter(F.col("done") == 1).count()
    return {"reversed": reversed_, "not_reversed": total - reversed_}


def _contradicting(changes: Changes, keyed: DataFrame) -> int:
    """Receipts that a state or an earlier one does not allow: done after it failed, or undone."""
    done = F.col("status").isin(*DONE)
    late = (F.col("operation") == "apply") & done & F.col("state").isin("rejected", *PATH_BACK)
    known = changes.ledger(RECEIPTS).filter(done)
    before = known.groupBy("idempotency_key").agg(F.min("at").alias("known_at"))
    told = keyed.filter(done).groupBy("idempotency_key").agg(F.min("at").alias("told_at"))
    undone = keyed.filter(~done).join(before, on="idempotency_key", how="left")
    undone = undone.join(told, on="idempotency_key", how="left")
    # Of two receipts of one file and second, nobody knows which came first.
    after = (F.col("at") >= F.col("known_at")) | (F.col("at") > F.col("told_at"))
    stood = (F.col("operation") == "reverse") | F.col("state").isin("released", *ENFORCED)
    return keyed.filter(late).count() + undone.filter(after & stood).count()


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
