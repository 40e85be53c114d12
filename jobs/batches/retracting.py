"""Taking back: a batch of reversals, for what people order and for appeals that were overturned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from exporters.enforcement.fields import BATCH_ID
from exporters.enforcement.formats import FORMATS
from exporters.enforcement.rows import REVERSE
from graph.frames import DataFrame, F
from jobs.batches.changes import Changes
from jobs.batches.exporting import Order, Proposed, propose
from jobs.batches.standing import carriers, standing
from jobs.batches.store import Store, read
from jobs.errors import ConfigError
from signatures.decisions import DECISIONS
from signatures.life_cycle import current_frame

OUT = ("released", "applied", "upheld", "appealed", "overturned")
"""States in which something stands against an account, or may soon."""


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
            standing=standing(changes, decisions),
            carriers=carriers(changes, decisions),
        ),
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
    left = changes.ledger(DECISIONS).filter(F.col("state") == "released")
    mine = left.join(decisions.select("decision_id"), on="decision_id", how="left_semi")
    names = mine.select("batch_id").distinct()
    found: list[str] = changes.engine.to_arrow(names)["batch_id"].to_pylist()
    return found


def _day(changes: Changes) -> date:
    return changes.now.date()
