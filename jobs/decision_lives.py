"""What was decided of accounts and what became of it, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from pyarrow.dataset import Expression

from graph.ledger import read_ledger
from jobs.batches.reversals import reversals
from jobs.printing import print_table
from signatures.decisions import DECISIONS

Row = Mapping[str, Any]

OUTCOMES = ("rejected", "appealed", "upheld", "overturned", "reversed")
"""States that people bring about when they look at a decision again."""

SHOWN = 20
"""Outcomes that are listed, the newest first."""


def print_transitions(rows: Iterable[Row]) -> None:
    """Each step of decisions, rows of DECISIONS, in the order of their lives."""
    columns = ("state_at", "action", "state", "actor", "reason")
    ordered = sorted(rows, key=lambda row: (row["decision_id"], row["number"]))
    told = [[_time(row["state_at"]), *(row[name] for name in columns[1:])] for row in ordered]
    print_table("What was decided", columns, told)


def print_outcomes(home: Path, about: Expression) -> None:
    """What became of decisions, newest first; nothing where nobody looked at one again.

    `about` chooses rows of DECISIONS. Reviewers see it before anything that accuses.
    """
    rows = read_ledger(home, DECISIONS, about).to_pylist()
    found = [row for row in rows if row["state"] in OUTCOMES] + _taken_back_after_end(home, rows)
    if not found:
        return
    found.sort(key=lambda row: (row["state_at"], row["account_id"]), reverse=True)
    of_all = f", the last {SHOWN} of {len(found)}" if len(found) > SHOWN else ""
    columns = ("state_at", "account", "action", "policy", "outcome", "actor", "reason")
    print_table(
        f"Earlier outcomes: look at these first{of_all}",
        columns,
        [
            (
                _time(row["state_at"]),
                row["account_id"],
                row["action"],
                row["policy_id"],
                row["state"],
                row["actor"],
                row["reason"],
            )
            for row in found[:SHOWN]
        ],
    )


def _taken_back_after_end(home: Path, rows: Iterable[Row]) -> list[Row]:
    """What had expired before its reversal left: the ledger of decisions does not tell of it."""
    last = {row["decision_id"]: row for row in sorted(rows, key=lambda row: row["number"])}
    expired = {name: row for name, row in last.items() if row["state"] == "expired"}
    if not expired:
        return []
    known = reversals(home)
    out = known.filter(pc.is_valid(known.column("out_at"))).to_pylist()
    return [
        {
            **expired[each["decision_id"]],
            "state": "taken back after it had expired",
            "state_at": each["out_at"],
            "actor": each["out_in"],
            "reason": None,
        }
        for each in out
        if each["decision_id"] in expired
    ]


def _time(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
