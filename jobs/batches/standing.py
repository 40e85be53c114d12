"""What stands beside what is taken back, and which batches it left in, for formats of networks."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa

from exporters.enforcement.fields import ACCOUNTS
from exporters.enforcement.reading import json_rows
from exporters.enforcement.rows import REVERSE
from graph.frames import DataFrame, F
from jobs.batches.changes import Changes
from jobs.batches.store import Store
from signatures.decisions import DECISIONS
from signatures.life_cycle import current_frame

IN_FORCE = ("released", "applied", "upheld", "appealed")
"""States in which something stands until it is taken back."""


def standing(changes: Changes, decisions: DataFrame) -> DataFrame:
    """What stays in force of the networks of decisions that are taken back: DECISIONS' columns.

    What any other reversal takes back does not, whether it waits or is out: of two versions of a
    grouping the later must not bring back whom the first one took out.
    """
    store = Store(changes.home)
    taken = [
        batch.column("decision_id")
        for manifest in store.manifests()
        if manifest.operation == REVERSE
        and (folder := store.find(manifest.batch_id)) is not None
        and (folder / ACCOUNTS.name).exists()
        for batch in json_rows(folder / ACCOUNTS.name, ACCOUNTS)
    ]  # 64 bytes a row
    rows = pa.table({"decision_id": pa.chunked_array(taken, pa.string())})
    gone = changes.engine.from_arrow(rows).unionByName(decisions.select("decision_id"))
    networks = decisions.select("network_id").distinct()
    return (
        current_frame(changes.ledger(DECISIONS))
        .filter(F.col("state").isin(*IN_FORCE))
        .join(networks, on="network_id", how="left_semi")
        .join(gone, on="decision_id", how="left_anti")
        .select(*DECISIONS.columns)
    )


def carriers(changes: Changes, decisions: DataFrame) -> dict[str, list[str]]:
    """The batches of decisions that left more than once, after tries that failed; few do."""
    released = changes.ledger(DECISIONS).filter(F.col("state") == "released")
    mine = released.join(decisions.select("decision_id"), on="decision_id", how="left_semi")
    left = mine.select("decision_id", "batch_id").distinct()
    counts = left.groupBy("decision_id").agg(F.count(F.lit(1)).alias("batches"))
    several = left.join(counts.filter(F.col("batches") > 1), on="decision_id", how="left_semi")
    found: dict[str, list[str]] = defaultdict(list)
    for row in changes.engine.to_arrow(several).to_pylist():
        found[row["decision_id"]].append(row["batch_id"])
    return {name: sorted(batches) for name, batches in found.items()}
