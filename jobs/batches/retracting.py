"""Taking back: a batch of reversals, for what people order and for appeals that were overturned."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from exporters.enforcement.fields import ACCOUNTS, BATCH_ID
from exporters.enforcement.formats import FORMATS
from exporters.enforcement.reading import json_rows
from exporters.enforcement.rows import REVERSE
from graph.frames import DataFrame, F
from jobs.batches.changes import Changes
from jobs.batches.exporting import Order, Proposed, propose
from jobs.batches.store import Store, read
from jobs.errors import ConfigError
from signatures.decisions import DECISIONS
from signatures.life_cycle import current_frame

OUT = ("released", "applied", "upheld", "appealed", "overturned")
"""States in which something stands against an account, or may soon."""

IN_FORCE = ("released", "applied", "upheld", "appealed")
"""Of these, those that stay until something takes them back."""


@dataclass(frozen=True)
class Chosen:
    """What is to be taken back: everything that any of these names."""

    batches: Sequence[str] = ()
    decisions: Sequence[str] = ()
    accounts: Sequence[str] = ()
    networks: Sequence[str] = ()


def retract(changes: Changes, chosen: Chosen, person: str, reason: str) -> Proposed:
    """Stage a batch that reverses what was released; raises ConfigError where nothing was."""
    rows = changes.engine.materialize(_chosen(changes, chosen), "retracted")
    made = draft(changes, rows, person, reason)
    if made is None:
        raise ConfigError(
            "nothing that was released and stands is named: nothing to take back; ids are taken "
            "whole, e.g. all 16 digits of a network's"
        )
    return made


def draft(changes: Changes, decisions: DataFrame, person: str, reason: str) -> Proposed | None:
    """Stage a batch that reverses decisions, in every format that carried them."""
    batches = sorted(_batches(changes, decisions))
    manifests = [read(folder) for name in batches if (folder := Store(changes.home).find(name))]
    carried = {name for manifest in manifests for name in manifest.formats}
    return propose(
        changes,
        Order(
            ds=_day(changes),
            decisions=decisions,
            operation=REVERSE,
            requested_by=person,
            formats=[each.name for each in FORMATS if each.name in carried],
            reason=reason,
            retracts=batches,
            standing=_standing(changes, decisions),
            carriers=_carriers(changes, decisions),
        ),
    )


def _standing(changes: Changes, decisions: DataFrame) -> DataFrame:
    """What stays in force of the networks of what is taken back.

    What another reversal takes back that waits for release does not: of two versions of a grouping
    the later must not bring back whom the first one took out.
    """
    waiting = [
        batch.column("decision_id")
        for manifest in Store(changes.home).manifests()
        if manifest.operation == REVERSE
        and (folder := Store(changes.home).find(manifest.batch_id)) is not None
        and (folder / ACCOUNTS.name).exists()
        for batch in json_rows(folder / ACCOUNTS.name, ACCOUNTS)
    ]
    rows = pa.table({"decision_id": pa.chunked_array(waiting, pa.string())})
    gone = changes.engine.from_arrow(rows).unionByName(decisions.select("decision_id"))
    networks = decisions.select("network_id").distinct()
    return (
        current_frame(changes.ledger(DECISIONS))
        .filter(F.col("state").isin(*IN_FORCE))
        .join(networks, on="network_id", how="left_semi")
        .join(gone, on="decision_id", how="left_anti")
        .select(*DECISIONS.columns)
    )


def _chosen(changes: Changes, chosen: Chosen) -> DataFrame:
    """The decisions that are out and that an order names."""
    out = current_frame(changes.ledger(DECISIONS)).filter(F.col("state").isin(*OUT))
    named = F.lit(False)
    for column, values in (
        ("decision_id", chosen.decisions),
        ("account_id", chosen.accounts),
        ("network_id", chosen.networks),
        ("batch_id", chosen.batches),
    ):
        if values:
            named = named | F.col(column).isin(*values)
    for name in chosen.batches:
        if not re.fullmatch(BATCH_ID, name):  # or `.*` would take everything back
            raise ConfigError(f"{name!r} is no batch")
        # A staged batch's decisions carry the names of its stages.
        named = named | F.col("batch_id").rlike(f"^{name}-[0-9]+$")
    return out.filter(named).select(*DECISIONS.columns)


def _batches(changes: Changes, decisions: DataFrame) -> list[str]:
    """All batches that carried decisions; their number is bounded by the days they stand.

    Also one whose receipt said that it failed: its other formats left all the same.
    """
    names = _left(changes, decisions).select("batch_id").distinct()
    found: list[str] = changes.engine.to_arrow(names)["batch_id"].to_pylist()
    return found


def _left(changes: Changes, decisions: DataFrame) -> DataFrame:
    """In which batches decisions left: decision_id, batch_id."""
    left = changes.ledger(DECISIONS).filter(F.col("state") == "released")
    mine = left.join(decisions.select("decision_id"), on="decision_id", how="left_semi")
    return mine.select("decision_id", "batch_id").distinct()


def _carriers(changes: Changes, decisions: DataFrame) -> dict[str, list[str]]:
    """The batches of decisions that left more than once, after tries that failed; few do."""
    left = _left(changes, decisions)
    counts = left.groupBy("decision_id").agg(F.count(F.lit(1)).alias("batches"))
    several = left.join(counts.filter(F.col("batches") > 1), on="decision_id", how="left_semi")
    found: dict[str, list[str]] = defaultdict(list)
    for row in changes.engine.to_arrow(several).to_pylist():
        found[row["decision_id"]].append(row["batch_id"])
    return {name: sorted(batches) for name, batches in found.items()}


def _day(changes: Changes) -> date:
    return changes.now.date()
