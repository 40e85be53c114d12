"""What was decided on a network's members: the ledger of decisions knows better than scoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from graph.ledger import read_ledger
from jobs.printing import most, print_table
from signatures.decisions import DECISIONS
from signatures.life_cycle import STANDS, WHY_NOT, by_account

Row = Mapping[str, Any]


def decisions_in(home: Path, network: Row) -> dict[str, dict[str, Any]]:
    """By account: its decision that was judged in the network, or in an older one of it."""
    names = [network["network_id"], *network["lineage"]]
    return by_account(read_ledger(home, DECISIONS, pc.field("network_id").isin(names)))


def is_proposed(judged: Row, decision: Row | None) -> bool:
    """Whether a member is proposed, or an action against it stands; `judged` is of INCLUSIONS."""
    return decision["state"] in STANDS if decision else bool(judged["included"])


def left_out_because(judged: Row, decision: Row | None) -> list[str]:
    """Why a member is not proposed: what became of its decision, then what scoring says."""
    ended = [WHY_NOT[decision["state"]]] if decision else []
    return [*ended, *judged["reasons"]]


def print_decided(judged: Sequence[Row], decisions: Mapping[str, Row]) -> None:
    """Print what was decided on the members, and why the others are left out."""
    here = [decisions[row["account_id"]] for row in judged if row["account_id"] in decisions]
    states = Counter((row["action"], row["state"], row["route"]) for row in here)
    if states:
        print_table(
            "What was decided on its members",
            ("action", "state", "route", "accounts"),
            [(*each, accounts) for each, accounts in sorted(states.items())],
        )
    pairs = [(row, decisions.get(row["account_id"])) for row in judged]
    left_out = [left_out_because(*pair) for pair in pairs if not is_proposed(*pair)]
    reasons = Counter(reason for told in left_out for reason in told)
    print_table(
        f"Why {len(left_out)} of {len(judged)} are left out", ("reason", "accounts"), most(reasons)
    )
