"""From a network that is too large for rules alone, by a sample, to what is proposed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from graph.engines.base import Engine
from graph.frames import engine_api
from graph.ledger import read_ledger
from jobs import calibrate, score_networks
from signatures.acceptance import ACCEPTANCE_LOTS, sample_size
from signatures.decisions import DECISIONS
from signatures.inclusions import OBSTACLES
from signatures.life_cycle import check_history, current
from tests.integration.sites import DAY, Site
from tests.integration.test_calibrated_route import LOW
from tests.integration.truth import TRUSTED

LARGE = next(each.reason for each in OBSTACLES if each.name == "large")
CEILING = "proposals.max_accounts=8"


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, measured: Site, duckdb_engine: Engine
) -> Iterator[Site]:
    """A measured site on which networks of more than eight accounts are large."""
    folder = tmp_path_factory.mktemp("large") / "site"
    shutil.copytree(measured.folder, folder)
    with engine_api(duckdb_engine.api_root):
        yield Site(folder, duckdb_engine)


def arguments(site: Site, *settings: str) -> list[str]:
    given = [part for each in (f"home={site.home}", *settings) for part in ("--set", each)]
    return ["--ds", str(DAY), "--config", str(site.folder / "config.yaml"), *TRUSTED, *given]


def scored(site: Site) -> dict[str, dict[str, Any]]:
    assert score_networks.main(arguments(site, LOW, CEILING), site.engine) == 0
    return {row["account_id"]: row for row in site.rows("inclusions")}


def drawn(site: Site, network: str, code: int = 0) -> list[Path]:
    """Draw a sample of a network; the files to be filled in."""
    calibrated(site, "--draw-network", network, code=code)
    return sorted((site.home / "review").glob("a-*.jsonl"))


def fill_in(path: Path, reviewer: str) -> None:
    """Let a reviewer call all of a file abusive."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = {"label": "abusive", "reviewer": reviewer, "labelled_at": now}
    path.write_text("".join(json.dumps(row | told) + "\n" for row in rows))


def read_in(site: Site, path: Path) -> None:
    calibrated(site, "--set", f"inputs.labels={{path: {path}, format: jsonl}}")


def calibrated(site: Site, *more: str, code: int = 0) -> None:
    """Run calibrate, and put back what was measured when no network was called large.

    The truth's labels are of no sample that was drawn here, so they are placed on the day as it is.
    """
    measured = site.warehouse.folder / "calibration"
    shutil.copytree(measured, site.folder / "kept", dirs_exist_ok=True)
    assert calibrate.main([*arguments(site, LOW, CEILING), *more], site.engine) == code
    shutil.rmtree(measured)
    shutil.copytree(site.folder / "kept", measured)


def test_a_large_network_is_proposed_once_two_reviewers_accepted_a_sample(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    before = scored(site)
    only_size = [row for row in before.values() if row["reasons"] == [LARGE]]
    network = Counter(row["network_id"] for row in only_size).most_common(1)[0][0]
    lot = {row["account_id"] for row in only_size if row["network_id"] == network}
    small = next(row["network_id"] for row in before.values() if LARGE not in row["reasons"])
    assert drawn(site, small, code=2) == []
    assert drawn(site, "n-0000000000000000", code=2) == []

    files = drawn(site, network)
    assert drawn(site, network) == files, "a rerun draws the same"
    rows = read_ledger(site.home, ACCEPTANCE_LOTS).to_pylist()
    assert {row["account_id"] for row in rows} == lot
    assert sum(row["drawn"] for row in rows) == sample_size(len(lot), rows[0]["floor"])
    second, first = sorted(files, key=lambda path: "second" not in path.name)
    fill_in(first, "ann")
    read_in(site, first)
    assert {name for name, row in scored(site).items() if row["reasons"] == [LARGE]} >= lot
    fill_in(second, "bob")
    read_in(site, second)

    after = scored(site)
    here = {name for name, row in after.items() if row["network_id"] == network}
    included = {name for name in here if after[name]["included"]}
    assert included and included <= lot
    assert not any(LARGE in after[name]["reasons"] for name in lot)
    others = {name for name, row in after.items() if LARGE in row["reasons"]}
    assert others == {name for name, row in before.items() if LARGE in row["reasons"]} - lot
    ledger = read_ledger(site.home, DECISIONS)
    check_history(ledger)
    proposed = {
        row["account_id"]: row["action"]
        for row in current(ledger).to_pylist()
        if row["state"] == "proposed" and row["account_id"] in here
    }
    assert proposed == {name: after[name]["action"] for name in included}
    moved = [row for row in ledger.to_pylist() if row["actor"] == "ann, bob"]
    assert {row["account_id"] for row in moved} == included, "all waited for the sample"
