"""What a rerun of a day finds otherwise than decisions of that day which stand or have left."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.tables import Table, columns
from signatures.life_cycle import ENFORCED, current

DECISION_DIFFERENCES = Table(
    name="decision_differences",
    grain="decision of the day that stands, and that a rerun of the day would not make again",
    key=("decision_id",),
    schema=columns(
        decision_id="string",
        account_id="string",
        network_id="string",  # in which it was judged
        state="string",
        action="string",
        action_now="string",  # what would be proposed; null: nothing
        reasons=pa.list_(pa.string()),  # why nothing; null where the account is in no network
    ),
)
"""A rerun changes tables and no decision; whoever looks at these retracts what was wrong."""

STANDS = ("approved", "released", *ENFORCED)


def differences(engine: Engine, ledger: pa.Table, accounts: DataFrame, day: date) -> DataFrame:
    """Compare the decisions of a day with its judged accounts (columns of INCLUSIONS)."""
    known = current(ledger)
    of_day = pc.equal(known.column("ds"), pa.scalar(day, pa.date32()))
    stands = pc.is_in(known.column("state"), pa.array(STANDS))
    by_rule = pc.equal(known.column("route"), "calibrated")
    chosen = known.filter(pc.and_(pc.and_(of_day, stands), by_rule))
    names = ["decision_id", "account_id", "network_id", "state", "action"]
    today = accounts.select(
        "account_id", F.when(F.col("included"), F.col("action")).alias("action_now"), "reasons"
    )
    rows = engine.from_arrow(chosen.select(names)).join(today, on="account_id", how="left")
    same = F.coalesce(F.col("action") == F.col("action_now"), F.lit(False))
    return rows.filter(~same).select(*DECISION_DIFFERENCES.columns)
