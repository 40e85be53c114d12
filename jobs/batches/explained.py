"""Decisions on accounts that something innocent explains by now."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from operator import or_

from graph.frames import DataFrame, F
from jobs.batches.changes import Changes
from jobs.batches.lighter import lighter
from signatures.decisions import DECISIONS
from signatures.inclusions import INCLUSIONS, OBSTACLES


def explained(changes: Changes, rows: DataFrame) -> DataFrame:
    """The rows whose accounts a benign signature explains on the last day that was scored.

    Scoring sends what is proposed to review then, and what is approved already must not leave
    either. `rows` have DECISIONS' columns, and so has what is returned. A lighter action that was
    begun on appeal stays: a person looked at the account.
    """
    warehouse = changes.publication.warehouse
    latest = warehouse.latest_before(INCLUSIONS.name, changes.now.date() + timedelta(days=1))
    if latest is None:
        return rows.filter(F.lit(False)).select(*DECISIONS.columns)
    told = warehouse.read(changes.engine, INCLUSIONS, latest).select(
        "account_id", F.explode("reasons").alias("reason")
    )
    innocent = [each.reason for each in OBSTACLES if each.named_by is not None]
    told = told.filter(reduce(or_, (F.col("reason").startswith(each) for each in innocent)))
    mine = rows.join(told.select("account_id").distinct(), on="account_id", how="left_semi")
    heard = lighter(changes).select("decision_id")
    return mine.join(heard, on="decision_id", how="left_anti").select(*DECISIONS.columns)
