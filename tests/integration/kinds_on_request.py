"""Sites on which the kinds of abuse that are planted on request are found and judged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from graph.engines.base import Engine
from jobs import run_pipeline, simulate_events
from jobs.simulation.planted import PLANTED_KINDS
from signatures.decisions import DECISIONS
from tests.integration.sites import DAY, Row, Site
from tests.integration.truth import TRUSTED
from tests.ledger_rows import append_to_ledger

ON_REQUEST = [kind.name for kind in PLANTED_KINDS if kind.on_request]
DAYS = 16
"""A content farm is known by two weeks of work."""


def judged_site(folder: Path, engine: Engine, accounts: int, seed: int) -> Site:
    """A site that acted upon the accounts which its ban evaders came back for."""
    site = Site(folder, engine)
    size = ["--accounts", str(accounts), "--days", str(DAYS), "--events-per-account-day", "2"]
    asked = [part for name in ON_REQUEST for part in ("--planted", f"{name}=6")]
    log = [*size, *asked, "--end-ds", str(DAY), "--seed", str(seed), "--out", str(folder)]
    config = ["--config", str(folder / "config.yaml"), "--set", f"home={site.home}"]
    assert simulate_events.main(log) == 0
    append_to_ledger(site.home, DECISIONS, bans(truth_of(site)), "bans")
    assert run_pipeline.main(["--ds", str(DAY), *config, *TRUSTED], engine) == 0
    return site


def truth_of(site: Site) -> list[Row]:
    """What the simulator says of the site's accounts."""
    rows: list[Row] = pq.read_table(site.folder / "truth").to_pylist()
    return rows


def bans(truth: list[Row]) -> pa.Table:
    """What the ledger says of the banned accounts: each suspended, on the day that truth names."""
    names = {row["account_id"]: row["note"] for row in truth if row["note"].startswith("banned on")}
    rows = [
        banned(name, date.fromisoformat(note.split()[-1])) | {"number": number, "state": state}
        for name, note in names.items()
        for number, state in enumerate(("proposed", "approved", "released", "applied"), 1)
    ]
    return pa.Table.from_pylist(rows, schema=DECISIONS.schema)


def banned(name: str, day: date) -> Row:
    return {
        "decision_id": name,
        "account_id": name,
        "network_id": "earlier",
        "snapshot_sha256": "0" * 64,
        "route": "investigated",
        "action": "suspend",
        "policy_id": "inauthentic_accounts",
        "episode": 1,
        "subject_role": "actor",
        "signature_ids": [],
        "overridden_signature_ids": [],
        "ds": day - timedelta(days=1),
        "state_at": datetime(day.year, day.month, day.day, tzinfo=UTC),
        "actor": "lead",
        "batch_id": "earlier",
    }
