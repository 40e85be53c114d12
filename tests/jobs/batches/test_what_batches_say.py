"""What the files of a batch say of people is true of those whom it is about."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from signatures.frozen_evidence import FrozenEvidence
from signatures.snapshots import SNAPSHOTS
from tests.jobs.batches.sites import SNAPSHOT, TODAY, Site
from tests.ledger_rows import append_to_ledger


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def origins(folder: Path) -> list[str]:
    with (folder / "disclosure.csv").open(newline="") as file:
        return [row["origin"] for row in csv.DictReader(file)]


def freeze(site: Site, roles: dict[str, str]) -> None:
    """Freeze a network of accounts with these roles."""
    frozen = [
        {
            "snapshot_sha256": SNAPSHOT,
            "account_id": account,
            "network_id": "n1",
            "ds": TODAY,
            "role": role,
            "is_core": True,
            "evidence": FrozenEvidence().text(),
        }
        for account, role in roles.items()
    ]
    append_to_ledger(site.home, SNAPSHOTS, pa.Table.from_pylist(frozen, SNAPSHOTS.schema), "freeze")


def test_accounts_are_counted_with_those_of_their_role(site: Site) -> None:
    actors = {name: "actor" for name in ("a1", "a2", "a3", "a4")}
    hijacked = {name: "compromised" for name in ("h1", "h2", "h3")}
    freeze(site, {**actors, **hijacked, "o1": "originator", "b1": "bystander"})
    site.decide(["a1"])
    site.decide(
        ["h1", "h2"],
        subject_role="compromised",
        action="secure_account",
        policy_id="account_security",
    )
    batch = site.export()
    assert batch is not None
    actor, victim, _ = rows(batch / "accounts.jsonl")
    assert "a coordinated network of 4 accounts" in actor["reason_text"]
    assert "like 2 other accounts that are controlled" in victim["reason_text"]
    (network,) = rows(batch / "networks.jsonl")
    assert (network["members"], network["accounts"]) == (9, 3)
    assert network["reason_text"].startswith("A coordinated network of 4 accounts.")


def test_no_stage_tells_an_origin_that_the_whole_batch_has_not(site: Site) -> None:
    site.settings |= {"enforcement.staged_from": 10, "enforcement.stages": [0.2, 1.0]}
    site.decide([f"a{number}" for number in range(6)], market="in")
    site.decide([f"b{number}" for number in range(6)], market="de")
    batch = site.export("--format", "disclosure")
    assert batch is not None
    assert origins(batch) == [""]
    stages = sorted(path for path in site.store.staged.glob("*") if path.is_dir())
    assert len(stages) == 2
    assert [origins(stage) for stage in stages] == [[""], [""]]
