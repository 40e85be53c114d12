"""What is measured on one simulated site proposes accounts of another: nobody innocent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc
import pytest

from graph.engines.base import Engine
from graph.frames import engine_api
from graph.ledger import read_ledger
from jobs import (
    calibrate,
    export_enforcement,
    forget_account,
    manage_exports,
    run_pipeline,
    score_networks,
    simulate_events,
)
from signatures.decisions import DECISIONS
from signatures.life_cycle import check_history, current, moved
from tests.exporters.enforcement.builders import approvers_file, key_pair
from tests.integration.sites import DAY, Row, Site
from tests.integration.truth import TRUSTED, planted_roles, write_labels
from tests.ledger_rows import append_to_ledger

LOW = (
    "proposals.floors={challenge: 0.02, remove_engagement: 0.02, limit_reach: 0.02, suspend: 0.02, "
    "terminate: 0.02, secure_account: 0.02}"
)
"""Floors that a few networks without an error reach; the true ones need dozens a signature."""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Iterator[list[Site]]:
    """Two sites of different seeds, of which the first was measured."""
    found = []
    with engine_api(duckdb_engine.api_root):
        for seed in (11, 12):
            folder = tmp_path_factory.mktemp(f"seed{seed}")
            size = ["--accounts", "3000", "--days", "3", "--end-ds", str(DAY), "--seed", str(seed)]
            assert simulate_events.main([*size, "--out", str(folder)]) == 0
            site = Site(folder, duckdb_engine)
            assert run_pipeline.main(arguments(site), duckdb_engine) == 0
            found.append(site)
        first, second = found
        labels = write_labels(first, probability=0.9)
        assert calibrate.main(arguments(first, labels), duckdb_engine) == 0
        shutil.copytree(
            first.warehouse.folder / "calibration", second.warehouse.folder / "calibration"
        )
        yield found


def arguments(site: Site, *settings: str) -> list[str]:
    given = [part for each in (f"home={site.home}", *settings) for part in ("--set", each)]
    return ["--ds", str(DAY), "--config", str(site.folder / "config.yaml"), *TRUSTED, *given]


def included(site: Site, *settings: str) -> list[Row]:
    assert score_networks.main(arguments(site, *settings), site.engine) == 0
    return [row for row in site.rows("inclusions") if row["included"]]


def test_a_few_networks_without_an_error_reach_no_true_floor(sites: list[Site]) -> None:
    assert included(sites[1]) == []


def test_who_is_included_is_planted_and_gets_what_the_part_allows(sites: list[Site]) -> None:
    """On a seed that was not measured; hijacked accounts are secured, and nobody else is."""
    # What waits for reviewers waits on, whatever was measured since: begin without.
    shutil.rmtree(sites[1].home / "ledger")
    roles = planted_roles(sites[1])
    rows = included(sites[1], LOW)
    assert len(rows) >= 10
    assert {row["account_id"] for row in rows} <= set(roles), "an innocent account is proposed"
    secured = {row["account_id"] for row in rows if row["action"] == "secure_account"}
    assert secured == {
        row["account_id"] for row in rows if roles[row["account_id"]] == "compromised"
    }
    ledger = read_ledger(sites[1].home, DECISIONS)
    check_history(ledger)
    proposed = [row for row in ledger.to_pylist() if row["state"] == "proposed"]
    assert {row["account_id"] for row in proposed} == {row["account_id"] for row in rows}
    assert {row["route"] for row in proposed} == {"calibrated"}


def test_a_rerun_after_the_release_changes_tables_and_no_decision(
    sites: list[Site], tmp_path: Path
) -> None:
    """Some accounts turn out to be protected, others not; what left stays, and people look."""
    site = Site(sites[1].folder, sites[1].engine)
    names = sorted(row["account_id"] for row in included(site, LOW))
    shutil.rmtree(site.home / "ledger")
    late, wrong = (
        protected(tmp_path / "late.csv", names[:2]),
        protected(tmp_path / "wrong.csv", names[2:4]),
    )
    assert {row["account_id"] for row in included(site, LOW, late)} == set(names[2:])
    release(site, tmp_path)
    before = read_ledger(site.home, DECISIONS)
    assert {row["account_id"] for row in included(site, LOW, wrong)} == set(names) - set(names[2:4])
    after = read_ledger(site.home, DECISIONS)
    check_history(after)
    assert after.slice(0, before.num_rows).equals(before)
    new = after.slice(before.num_rows).to_pylist()
    assert {(row["account_id"], row["state"]) for row in new} == {
        (name, "in_review") for name in names[:2]
    }
    differ = site.rows("decision_differences")
    assert sorted(row["account_id"] for row in differ) == names[2:4]
    assert {(row["state"], row["action_now"]) for row in differ} == {("released", None)}
    assert all("protected" in " ".join(row["reasons"]) for row in differ)


def protected(path: Path, names: list[str]) -> str:
    """Write a list of protected accounts; returns the setting that names it."""
    header = "account_id,reason,added_by,approved_by,added_at,expires_at"
    lines = [f"{name},newsroom,clerk,lead,{DAY},2027-01-01" for name in names]
    path.write_text("\n".join([header, *lines]) + "\n")
    return f"inputs.protected_accounts={{path: {path}, format: csv}}"


def release(site: Site, keys: Path) -> None:
    """Export, approve and release what is proposed."""
    key = keys / "key"
    key.touch(0o600)
    key.write_bytes(b"k" * 32)
    given = [
        LOW,
        f"enforcement.approvers={approvers_file(keys, ['lead_1'])}",
        f"enforcement.key_file={key}",
        "enforcement.caps={population: 1.0}",
    ]
    assert export_enforcement.main(arguments(site, *given), site.engine) == 0
    (batch,) = (path for path in (site.home / "batches/proposed").iterdir() if path.is_dir())
    more = arguments(site, *given)[2:]
    signer = ["--key", str(key_pair("lead_1", keys)), "--as", "lead_1"]
    assert manage_exports.main(["approve", batch.name, *signer, *more], site.engine) == 0
    assert manage_exports.main(["release", batch.name, *more], site.engine) == 0


@pytest.mark.parametrize("change", ["stale", "missing"])
def test_what_is_stale_or_missing_raises_nobody(
    sites: list[Site], change: str, tmp_path: Path
) -> None:
    site = sites[1]
    calibration = site.warehouse.folder / "calibration"
    if change == "stale":
        assert included(site, LOW, "proposals.calibration_fresh=0s") == []
        return
    calibration.rename(tmp_path / "calibration")
    try:
        assert included(site, LOW) == []
    finally:
        shutil.move(tmp_path / "calibration", calibration)


def test_who_was_cleared_forgotten_and_is_in_the_log_again_is_still_cleared(
    sites: list[Site], tmp_path: Path
) -> None:
    site = Site(sites[1].folder, sites[1].engine)
    shutil.rmtree(site.home / "ledger")
    name = min(row["account_id"] for row in included(site, LOW))
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_bytes(b"k" * 32)
    given = (LOW, f"enforcement.key_file={key}")
    decision = read_ledger(site.home, DECISIONS, pc.field("account_id") == name)
    steps = [("approved", "approvals"), ("released", "release"), ("reversed", "retraction")]
    for after, by in steps:
        told = {"by": by, "at": datetime.now(UTC), "actor": "lead", "reason": "wrong"}
        decision = moved(decision, after, batch_id="b", **told)
        append_to_ledger(site.home, DECISIONS, decision, after)
    more = arguments(site, *given)[2:]
    assert forget_account.main([name, "--reason", "asked", *more], site.engine) == 0
    hashed = current(read_ledger(site.home, DECISIONS)).to_pylist()
    assert name not in {row["account_id"] for row in hashed}

    assert run_pipeline.main(arguments(site, *given), site.engine) == 0
    (row,) = (row for row in site.rows("inclusions") if row["account_id"] == name)
    assert not row["included"] and any("was cleared lately" in each for each in row["reasons"])
    ledger = read_ledger(site.home, DECISIONS)
    check_history(ledger)
    assert all(
        row["state"] in ("reversed", "in_review")
        for row in current(ledger).to_pylist()
        if row["account_id"] == name or row["decision_id"] == decision["decision_id"][0].as_py()
    )
