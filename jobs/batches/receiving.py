"""Receipts: what enforcement did with rows, and what follows for decisions and the archive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exporters.enforcement.ledgers import BATCHES, RECEIPTS
from exporters.enforcement.row_checks import key_of
from graph.enforced_entities import ENFORCED_ENTITIES
from graph.frames import DataFrame, F
from graph.tables import TIMESTAMP, columns
from graph.union import union_all
from jobs.batches.appeal_moves import follow_appeals
from jobs.batches.changes import Changes
from jobs.batches.receipt_lines import AHEAD, read_receipts
from jobs.batches.reversals import DONE, reversals
from signatures.decisions import DECISIONS
from signatures.frozen_evidence import read_evidence
from signatures.ladder import RESTRICTIONS
from signatures.life_cycle import ENFORCED, current_frame, moved_frame
from signatures.snapshots import SNAPSHOTS

ACTOR = "receipts"
TRIED_AGAIN = (
    ("proposed", "retry"),
    ("approved", "approvals"),
    ("released", "release"),
    ("applied", "receipt"),
)
"""How a decision goes that failed and worked on a later try of the same released batch."""

_KEYS = columns(
    idempotency_key="string",
    decision_id="string",
    operation="string",
    state="string",
    made_at=TIMESTAMP,  # when the first batch with the row was made
)


@dataclass(frozen=True)
class Received:
    """What a file of receipts said and did; `refused` says of each line not taken why."""

    receipts: int
    repeated: int
    applied: int
    failed: int
    skipped: int
    reversed: int
    not_reversed: int
    leaving_again: int
    contradicting: int
    refused: Sequence[str]


NAMED = 100
"""Lines that cannot be taken of which it is told why; of more it is told how many."""


def receive(changes: Changes, path: Path) -> Received:
    """Stage what a file of receipts tells.

    A line that is malformed, or about nothing that was sent, is told of, and the others are taken.
    """
    engine = changes.engine
    lines = engine.materialize(read_receipts(changes, path), "receipts given")
    told_now = engine.materialize(_keyed(changes, lines), "receipts keyed")
    refused = engine.materialize(_refused(lines, told_now), "receipts refused")
    keyed = engine.materialize(told_now.filter(F.col("problem").isNull()), "receipts taken")
    total, count = lines.count() - refused.count(), keyed.count()
    changes.append(RECEIPTS, keyed.withColumn("taken_at", F.lit(changes.now)))
    worked = changes.engine.materialize(_worked(changes, keyed), "receipts worked")
    applied = _apply(changes, worked)
    failed = _move(changes, _failed(keyed, worked), "failed")
    reversed_ = keyed.filter(_done() & (F.col("operation") == "reverse"))
    _move(changes, reversed_.filter(F.col("state") == "overturned"), "reversed")
    skipped = _skipped(keyed)
    told = Received(
        receipts=total,
        repeated=total - count,
        applied=applied,
        failed=failed - skipped,
        skipped=skipped,
        **_taken_back(keyed),
        leaving_again=_leaving_again(keyed, worked),
        contradicting=_contradicting(changes, keyed, worked),
        refused=_named(changes, refused, path.name),
    )
    if count or told.refused:
        changes.audit("receipts", ACTOR, asdict(told) | {"refused": refused.count()})
    return told


def _keyed(changes: Changes, lines: DataFrame) -> DataFrame:
    """The receipts that are new, each once, and what they are about.

    The columns of RECEIPTS without taken_at, the state of the decision, made_at of its batch, and
    problem: why it cannot be taken, or null. Key receipt_sha256.
    """
    values = ("idempotency_key", "status", "at", "error")
    given = lines.filter(F.col("problem").isNull()).groupBy("receipt_sha256")
    once = given.agg(*(F.min(name).alias(name) for name in values))
    known = changes.ledger(RECEIPTS).select("receipt_sha256")
    new = once.join(known, on="receipt_sha256", how="left_anti")
    keyed = new.join(_keys(changes), on="idempotency_key", how="left")
    ahead = F.unix_timestamp("made_at") - F.unix_timestamp("at")
    problem = F.when(F.col("decision_id").isNull(), F.lit("it is about a row never released"))
    early = F.coalesce(ahead > AHEAD // timedelta(seconds=1), F.lit(False))
    problem = problem.when(early, F.lit("at is before the batch of its row was made"))
    return keyed.withColumn("problem", problem)


def _refused(lines: DataFrame, keyed: DataFrame) -> DataFrame:
    """The lines that cannot be taken: line, problem."""
    strange = keyed.filter(F.col("problem").isNotNull()).select("receipt_sha256", "problem")
    about = lines.drop("problem").join(strange, on="receipt_sha256", how="inner")
    malformed = lines.filter(F.col("problem").isNotNull())
    return malformed.select("line", "problem").unionByName(about.select("line", "problem"))


def _named(changes: Changes, refused: DataFrame, file: str) -> list[str]:
    """What is told of the lines that were not taken: the first NAMED, and how many more."""
    first = changes.engine.to_arrow(refused.orderBy("line").limit(NAMED)).to_pylist()
    told = [f"{file}, line {row['line']}: {row['problem']}" for row in first]
    more = refused.count() - len(first)
    return [*told, f"{file}: {more} more lines cannot be taken"] if more else told


def _keys(changes: Changes) -> DataFrame:
    """The keys of everything that was sent, with the state of its decision: see the columns."""
    ledger = changes.ledger(DECISIONS)
    current = current_frame(ledger).select("decision_id", "state")
    released = ledger.filter(F.col("state") == "released").select("decision_id", "batch_id")
    out = reversals(changes.home)
    out = out.filter(pc.is_valid(out.column("out_in"))).select(["decision_id", "first_in"])
    out = out.rename_columns(["decision_id", "batch_id"])
    # An overturned decision waits for its reversal's receipt, which the ledger does not show.
    sent = {"apply": released, "reverse": changes.engine.from_arrow(out)}
    made = _made(changes)
    frames = []
    for operation, carried in sent.items():
        by_batch = carried.join(made, on="batch_id", how="left").groupBy("decision_id")
        first = by_batch.agg(F.min("made_at").alias("made_at"))
        rows = current.join(first, on="decision_id", how="inner")
        frames.append(changes.engine.map_arrow(rows, partial(_with_keys, operation), _KEYS))
    return union_all(frames)


def _with_keys(operation: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        ids, states = (batch.column(name).to_pylist() for name in ("decision_id", "state"))
        arrays = [[key_of(one, operation) for one in ids], ids, [operation] * len(ids), states]
        yield pa.RecordBatch.from_arrays(
            [*(pa.array(each, pa.string()) for each in arrays), batch.column("made_at")],
            schema=_KEYS,
        )


def _done() -> Any:
    return F.col("status").isin(*DONE)


def _worked(changes: Changes, keyed: DataFrame) -> DataFrame:
    """What was carried out and does not count as such yet: decision_id (the key), state.

    By all its receipts, earlier ones too: the last try decides, and of two of one second the one
    that worked. Where a reversal has left since, earlier receipts tell nothing any more.
    """
    names = ("decision_id", "status", "at")
    gone = changes.engine.from_arrow(reversals(changes.home)).filter(F.col("out_in").isNotNull())
    before = changes.ledger(RECEIPTS).filter(F.col("operation") == "apply").select(*names)
    before = before.join(gone.select("decision_id"), on="decision_id", how="left_anti")
    told = before.unionByName(keyed.filter(F.col("operation") == "apply").select(*names))
    tries = told.groupBy("decision_id").agg(
        F.max(F.when(_done(), F.col("at"))).alias("done_at"),
        F.max(F.when(~_done(), F.col("at"))).alias("failed_at"),
    )
    good = tries.filter(F.coalesce(F.col("done_at") >= F.col("failed_at"), F.lit(True)))
    good = good.filter(F.col("done_at").isNotNull()).select("decision_id")
    fresh = keyed.filter((F.col("state") == "released") & (F.col("operation") == "apply") & _done())
    ids = good.unionByName(fresh.select("decision_id")).distinct()
    waiting = F.col("state").isin("released", "failed", "proposed", "approved")
    states = current_frame(changes.ledger(DECISIONS)).filter(waiting)
    return states.select("decision_id", "state").join(ids, on="decision_id", how="left_semi")


def _apply(changes: Changes, worked: DataFrame) -> int:
    """Move what was carried out; returns the number.

    A try that failed and the one that worked are of one batch, whose approvals and release stand:
    what enforcement did with it is in force, and the person must be able to appeal.
    """
    current = current_frame(changes.ledger(DECISIONS))
    at_once = _rows_of(changes, current, worked.filter(F.col("state") == "released"), "released")
    again = _rows_of(changes, current, worked.filter(F.col("state") == "failed"), "tried again")
    applied = [_to(changes, at_once, "applied", "receipt", None), again]
    for after, by in TRIED_AGAIN:
        applied[1] = _to(changes, applied[1], after, by, "a later try of the same batch worked")
    rows = union_all(applied)
    changes.append(ENFORCED_ENTITIES, _archive(changes, rows))
    follow_appeals(changes, rows)
    return rows.count()


def _failed(keyed: DataFrame, worked: DataFrame) -> DataFrame:
    """The receipts after which a decision has failed: no try of it worked."""
    mine = keyed.filter((F.col("state") == "released") & (F.col("operation") == "apply"))
    return mine.filter(~_done()).join(
        worked.select("decision_id"), on="decision_id", how="left_anti"
    )


def _move(changes: Changes, receipts: DataFrame, after: str) -> int:
    """Move the decisions of receipts to a state; returns their number."""
    current = current_frame(changes.ledger(DECISIONS))
    rows = _rows_of(changes, current, receipts.select("decision_id").distinct(), f"to be {after}")
    return _to(changes, rows, after, "receipt", None).count()


def _rows_of(changes: Changes, current: DataFrame, ids: DataFrame, name: str) -> DataFrame:
    rows = current.join(ids.select("decision_id"), on="decision_id", how="left_semi")
    return changes.engine.materialize(rows.select(*DECISIONS.columns), name)


def _to(changes: Changes, rows: DataFrame, after: str, by: str, reason: str | None) -> DataFrame:
    """Move decisions one step; returns their rows after it."""
    moved = moved_frame(
        changes.engine, rows, after, by=by, at=changes.now, actor=ACTOR, reason=reason
    )
    moved = changes.engine.materialize(moved, f"{after} by {by}, {reason}")
    changes.append(DECISIONS, moved)
    return moved


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


def _leaving_again(keyed: DataFrame, worked: DataFrame) -> int:
    """What these receipts say was carried out after all, while people propose it again."""
    told = keyed.filter((F.col("operation") == "apply") & _done()).select("decision_id")
    waits = worked.filter(F.col("state").isin("proposed", "approved"))
    return waits.join(told, on="decision_id", how="left_semi").count()


def _contradicting(changes: Changes, keyed: DataFrame, worked: DataFrame) -> int:
    """Receipts that a state or another one does not allow.

    Undone after it was done, done before the last try failed, or done though it goes on no more.
    """
    done = _done()
    ended = ("failed", "proposed", "approved", "in_review", "rejected", "superseded")
    late = keyed.filter((F.col("operation") == "apply") & done & F.col("state").isin(*ended))
    late = late.join(worked.select("decision_id"), on="decision_id", how="left_anti")
    known = changes.ledger(RECEIPTS).filter(done)
    before = known.groupBy("idempotency_key").agg(F.min("at").alias("known_at"))
    told = keyed.filter(done).groupBy("idempotency_key").agg(F.min("at").alias("told_at"))
    undone = keyed.filter(~done).join(before, on="idempotency_key", how="left")
    undone = undone.join(told, on="idempotency_key", how="left")
    # Of two receipts of one file and second, nobody knows which came first.
    after = (F.col("at") >= F.col("known_at")) | (F.col("at") > F.col("told_at"))
    stood = (F.col("operation") == "reverse") | F.col("state").isin("released", *ENFORCED)
    return late.count() + undone.filter(after & stood).count()


def _archive(changes: Changes, applied: DataFrame) -> DataFrame:
    """The entities that enforced actors shared; compromised accounts' own things are not held."""
    schema, now = ENFORCED_ENTITIES.schema, changes.now
    restricted = applied.filter(F.col("action").isin(*RESTRICTIONS))
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
