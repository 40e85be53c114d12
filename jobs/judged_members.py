"""What published tables say of the members of snapshots that two reviewers agree on."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pyarrow as pa

from graph.frames import DataFrame
from jobs.runtime import Run
from jobs.verdicts import Verdicts
from signatures.findings import FINDINGS
from signatures.inclusions import INCLUSIONS
from signatures.investigated import agreed
from signatures.judged_members import JudgedMembers, members_of_day


def read_judged_members(run: Run, verdicts: Verdicts, overridden: DataFrame) -> JudgedMembers:
    """Look them up on the days that were judged, as far as they are kept, and on the run's.

    In memory, bounded by what people judge; `overridden` has the columns of overrides.OVERRIDDEN.
    """
    decided = agreed(verdicts.labels)
    by_day: dict[date, set[str]] = defaultdict(set)
    for row in verdicts.snapshots.select(["snapshot_sha256", "account_id", "ds"]).to_pylist():
        if row["snapshot_sha256"] in decided:
            for ds in (row["ds"], run.ds):
                by_day[ds].add(row["account_id"])
    kept = {*run.warehouse.days(FINDINGS.name)} & {*run.warehouse.days(INCLUSIONS.name)}
    found = {}
    for ds, names in sorted(by_day.items()):
        if ds in kept or ds == run.ds:
            accounts = pa.table({"account_id": pa.array(sorted(names), pa.string())})
            rows = members_of_day(
                run.read(FINDINGS, ds),
                run.read(INCLUSIONS, ds),
                run.engine.from_arrow(accounts),
                overridden,
            )
            found[ds] = {row["account_id"]: row for row in run.engine.to_arrow(rows).to_pylist()}
    return JudgedMembers(run.ds, found)
