"""Taking back: a batch of reversals, for what people order and for appeals that were overturned."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from exporters.enforcement.fields import BATCH_ID
from exporters.enforcement.formats import FORMATS
from exporters.enforcement.keyed import KEYED, keyed, read_key
from exporters.enforcement.ledgers import BATCHES
from exporters.enforcement.rows import REVERSE
from graph.frames import DataFrame, F, Window
from graph.people import person_key
from jobs.batches.changes import Changes
from jobs.batches.exporting import Order, Proposed, propose
from jobs.batches.reversals import reversals
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


@dataclass(frozen=True)
class Retraction:
    """A batch of reversals, and how many of an order need another: an account has one row each.

    `forgotten` is how many of its rows have a keyed hash for an account that was forgotten.
    """

    made: Proposed
    left: int
    forgotten: int


def retract(changes: Changes, chosen: Chosen, person: str, reason: str) -> Retraction:
    """Stage a batch that reverses what was released; raises ConfigError where nothing was."""
    named = changes.engine.materialize(_named(changes, chosen), "named")
    replaced = _replaced(changes, named, person)
    open_ = named.filter(_is_open(replaced)).select(*DECISIONS.columns, "waits_in")
    open_ = changes.engine.materialize(open_, "to be taken back")
    rows = changes.engine.materialize(_one_an_account(open_), "retracted")
    made = draft(changes, rows, person, reason, replaced)
    if made is None:
        raise ConfigError(_why_nothing(changes, named))
    forgotten = rows.filter(F.col("account_id").rlike(KEYED)).count()
    return Retraction(made, open_.count() - made.rows, forgotten)


def draft(
    changes: Changes,
    decisions: DataFrame,
    person: str,
    reason: str,
    supersedes: Sequence[str] = (),
    outcomes: Mapping[str, str] | None = None,
) -> Proposed | None:
    """Stage a batch that reverses decisions, in every format that carried them.

    `outcomes` are those of appeals, by decision_id. It is of the environment in which they left, so
    that the same importers act on it. Raises ConfigError where that is more than one.
    """
    left = changes.ledger(DECISIONS).filter(F.col("state") == "released")
    mine = left.join(decisions.select("decision_id"), on="decision_id", how="left_semi")
    manifests = [
        read(folder) for name in _batches(changes, mine) if (folder := _find(changes, name))
    ]
    carried = {name for manifest in manifests for name in manifest.formats}
    return propose(
        changes,
        Order(
            ds=_day(changes),
            decisions=decisions,
            operation=REVERSE,
            requested_by=person,
            formats=[each.name for each in FORMATS if each.name in carried],
            environment=_environment(changes, mine),
            reason=reason,
            supersedes=supersedes,
            retracts=sorted(manifest.batch_id for manifest in manifests),
            standing=standing(changes, decisions),
            carriers=carriers(changes, decisions),
            outcomes=outcomes or {},
        ),
    )


def not_taken_back(changes: Changes, names: Sequence[str]) -> set[str]:
    """Which of these decisions ever left and have no reversal that waits or was carried out."""
    if not names:
        return set()
    rows = _named(changes, Chosen(decisions=names)).filter(_is_open([]))
    return set(changes.engine.to_arrow(rows.select("decision_id"))["decision_id"].to_pylist())


def _named(changes: Changes, chosen: Chosen) -> DataFrame:
    """The decisions that ever left and that an order names, and how their reversals stand."""
    ledger = changes.ledger(DECISIONS)
    left = ledger.filter(F.col("state") == "released")
    in_batches = F.lit(False)
    for name in chosen.batches:
        if not re.fullmatch(BATCH_ID, name):  # or `.*` would take everything back
            raise ConfigError(f"{name!r} is no batch")
        # A staged batch's decisions carry the names of its stages.
        mine = (F.col("batch_id") == name) | F.col("batch_id").rlike(f"^{name}-[0-9]+$")
        in_batches = in_batches | mine
    ids = left.withColumn("in_batch", F.when(in_batches, 1).otherwise(0))
    ids = ids.groupBy("decision_id").agg(
        F.max("in_batch").alias("in_batch"), F.max("state_at").alias("left_at")
    )
    rows = current_frame(ledger).join(ids, on="decision_id", how="inner")
    named = F.col("in_batch") == 1
    key = read_key(changes.config.enforcement.key_file)
    hashes = [keyed(key, "account", name) for name in chosen.accounts]  # of forgotten ones
    for column, values in (
        ("decision_id", chosen.decisions),
        ("account_id", [*chosen.accounts, *hashes]),
        ("network_id", chosen.networks),
    ):
        if values:
            named = named | F.col(column).isin(*values)
    standing = changes.engine.from_arrow(reversals(changes.home))
    return rows.filter(named).join(standing, on="decision_id", how="left")


def _is_open(replaced: Sequence[str]) -> Any:
    """Whether a decision needs a reversal: it has none, or one that failed, and none that waits."""
    waits = F.col("waits_in").isNotNull()
    if replaced:
        waits = waits & ~F.col("waits_in").isin(*replaced)
    failed = F.coalesce(F.col("answer") == "failed", F.lit(False))
    # What was rejected with its reversal may have been proposed anew, and left again.
    again = F.coalesce(F.col("left_at") > F.col("out_at"), F.lit(True))
    return ~waits & (failed | (again & (F.col("state") != "reversed")))


def _replaced(changes: Changes, named: DataFrame, person: str) -> list[str]:
    """Reversals of somebody else's order that wait for approval, all of which is named again.

    Who orders cannot approve; where nobody else can, somebody else must be able to order the same.
    """
    counted = named.filter(F.col("waits_in").isNotNull()).groupBy("waits_in")
    found = changes.engine.to_arrow(counted.agg(F.count(F.lit(1)).alias("rows"))).to_pylist()
    sizes = {each["waits_in"]: each["rows"] for each in found}
    if not sizes:
        return []
    mine = changes.ledger(BATCHES).filter(F.col("batch_id").isin(*sizes))
    events = changes.engine.to_arrow(mine).to_pylist()
    approved = {each["batch_id"] for each in events if each["event"] == "approved"}
    return sorted(
        each["batch_id"]
        for each in events
        if each["event"] == "proposed"
        and each["batch_id"] not in approved
        and person_key(each["requested_by"]) != person_key(person)
        and each["accounts"] == sizes[each["batch_id"]]
    )


def _one_an_account(rows: DataFrame) -> DataFrame:
    """One decision an account and policy, as a batch has them: first what stands against it."""
    stands = F.when(F.col("state").isin(*OUT), 0).otherwise(1)
    place = Window.partitionBy("account_id", "policy_id").orderBy("stands", "decision_id")
    numbered = rows.withColumn("stands", stands).withColumn("place", F.row_number().over(place))
    return numbered.filter(F.col("place") == 1).select(*DECISIONS.columns)


def _why_nothing(changes: Changes, named: DataFrame) -> str:
    """Why an order takes nothing back: nothing of the name left, or it is being taken back."""
    found = changes.engine.to_arrow(named.select("waits_in", "out_in").distinct())
    waits, out = (
        ", ".join(sorted({name for name in found[column].to_pylist() if name}))
        for column in ("waits_in", "out_in")
    )
    if waits:
        return f"what is named waits in {waits} already: approve and release that"
    if out:
        return f"what is named was taken back by {out}: that may be imported as often as needed"
    return (
        "nothing that was released and stands is named: nothing to take back; ids are taken "
        "whole, e.g. all 16 digits of a network's"
    )


def _batches(changes: Changes, left: DataFrame) -> list[str]:
    """All batches that carried decisions; their number is bounded by the days they stand.

    Also one whose receipt said that it failed: its other formats left all the same.
    """
    names = left.select("batch_id").distinct()
    found: list[str] = changes.engine.to_arrow(names)["batch_id"].to_pylist()
    return sorted(found)


def _environment(changes: Changes, left: DataFrame) -> str | None:
    """Where decisions left for last; None where no manifest tells. `left`: rows of releases."""
    last = left.groupBy("decision_id").agg(F.max("number").alias("number"))
    names = _batches(changes, left.join(last, on=["decision_id", "number"], how="left_semi"))
    found = {read(folder).environment for name in names if (folder := _find(changes, name))}
    if len(found) > 1:
        raise ConfigError(
            f"what is named left in batches of {' and '.join(sorted(found))}, whose importers "
            "refuse each other's: take it back by batch or decision, one environment at a time"
        )
    return next(iter(found), None)


def _find(changes: Changes, batch_id: str) -> Path | None:
    return Store(changes.home).find(batch_id)


def _day(changes: Changes) -> date:
    return changes.now.date()
