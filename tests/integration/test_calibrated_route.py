"""What is measured on one simulated site proposes accounts of another: nobody innocent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.engines.base import Engine
from graph.frames import engine_api
from graph.ledger import read_ledger
from jobs import calibrate, run_pipeline, score_networks, simulate_events
from signatures.decisions import DECISIONS
from signatures.life_cycle import check_history
from tests.integration.sites import DAY, Row, Site
from tests.integration.truth import planted_roles, stable_copies, write_labels

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
    copies = stable_copies(site.folder / "copies")
    given = [part for each in (f"home={site.home}", *settings) for part in ("--set", each)]
    return ["--ds", str(DAY), "--config", str(site.folder / "config.yaml"), *copies, *given]


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
