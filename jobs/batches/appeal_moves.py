"""What an appeal does to its decision, where the decision's life has a way for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from exporters.enforcement.ledgers import APPEALS
from graph.frames import DataFrame
from jobs.batches.changes import Changes
from signatures.decisions import DECISIONS
from signatures.life_cycle import moved

LODGED = "appeal"
"""Who is named where an appeal was lodged."""


def moves(
    decision: Mapping[str, Any], appeal: Mapping[str, Any], outcome: str | None, at: datetime
) -> Iterator[pa.Table]:
    """The rows by which a decision follows an appeal, in order; `outcome` None: it was lodged.

    There are none where the table of transitions has no way, e.g. of a decision that has expired:
    the appeal is kept and heard all the same, and its outcome stands in the ledger of appeals.
    """
    steps = []
    if decision["state"] in ("applied", "upheld"):
        steps.append(("appealed", "appeal", LODGED))
    if outcome is not None and decision["state"] in ("applied", "upheld", "appealed"):
        after = "upheld" if outcome == "upheld" else "overturned"
        steps.append((after, "appeal_outcome", appeal["reviewer"]))
    row = pa.Table.from_pylist([dict(decision)], schema=DECISIONS.schema)
    for after, by, actor in steps:
        row = moved(row, after, by=by, at=at, actor=actor, reason=appeal["reason_code"])
        yield row


def follow_appeals(changes: Changes, applied: DataFrame) -> None:
    """Let decisions that have just become applied follow the appeals that came before.

    `applied` are their current rows. Few were appealed before, and these are held in memory.
    """
    ledger = changes.ledger(APPEALS)
    theirs = ledger.join(applied.select("decision_id"), on="decision_id", how="left_semi")
    appeals: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in changes.engine.to_arrow(theirs.orderBy("lodged_at", "appeal_id")).to_pylist():
        if row["step"] == "decided" or row["appeal_id"] not in appeals[row["decision_id"]]:
            appeals[row["decision_id"]][row["appeal_id"]] = row
    if not appeals:
        return
    mine = applied.join(theirs.select("decision_id"), on="decision_id", how="left_semi")
    rows = []
    for decision in changes.engine.to_arrow(mine).to_pylist():
        for appeal in appeals[decision["decision_id"]].values():
            for row in moves(decision, appeal, appeal["outcome"], changes.now):
                rows.append(row)
                decision = row.to_pylist()[0]
    if rows:
        changes.append(DECISIONS, changes.engine.from_arrow(pa.concat_tables(rows)))
