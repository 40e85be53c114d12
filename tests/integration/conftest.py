"""Fixtures of the integration tests: sites, and one simulated log that several files look at."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from graph.engines.base import Engine
from graph.frames import engine_api
from jobs import calibrate, run_pipeline, simulate_events
from signatures.decisions import DECISIONS
from signatures.snapshots import SNAPSHOTS
from tests.integration.sites import DAY, Site
from tests.integration.truth import TRUSTED, write_labels


@pytest.fixture
def site(tmp_path: Path, any_engine: Engine) -> Site:
    """An empty site."""
    return Site(tmp_path, any_engine)


@pytest.fixture
def fails(site: Site, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Runs a job that is to fail: once, in one line, with nothing published."""

    def fails(
        code: int, message: str, *arguments: str, job: str = "build_graph", ds: date = DAY
    ) -> None:
        run = site.build if job == "build_graph" else site.detect
        assert run(*arguments, ds=ds) == code
        problems = [line for line in capsys.readouterr().err.splitlines() if "[info " not in line]
        assert len(problems) == 1, problems
        assert message in problems[0]
        assert f"exit_code={code}" in problems[0]
        assert site.warehouse.tables() == []
        if code > 2 and site.warehouse.folder.is_dir():
            manifest = site.manifest(job, ds)
            assert (manifest["status"], manifest["exit_code"]) == ("failed", code)
            assert message in manifest["reason"]

    return fails


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Site:
    """Three days of 3,000 simulated accounts, in networks."""
    site = Site(tmp_path_factory.mktemp("simulated"), duckdb_engine)
    log = ["--accounts", "3000", "--days", "3", "--end-ds", str(DAY), "--out", str(site.folder)]
    assert simulate_events.main(log) == 0
    assert run_simulated(site, site.home) == 0
    return site


@pytest.fixture(scope="session")
def two_days(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Site:
    """Two scored days of a log with all its dirt, the second of which continues the first.

    It is small, for Spark goes on with it.
    """
    site = Site(tmp_path_factory.mktemp("two-days"), duckdb_engine)
    size = ["--accounts", "1000", "--days", "4", "--end-ds", str(DAY), "--seed", "7"]
    assert simulate_events.main([*size, "--out", str(site.folder)]) == 0
    for ds in (DAY - timedelta(days=1), DAY):
        assert run_pipeline.main(arguments_of_two_days(site, site.home, ds), duckdb_engine) == 0
    return site


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Site:
    """A simulated log through all steps, and measured by labels; to be copied, not changed."""
    site = Site(tmp_path_factory.mktemp("measured"), duckdb_engine)
    log = ["--accounts", "3000", "--days", "3", "--end-ds", str(DAY), "--seed", "12"]
    given = ["--ds", str(DAY), "--config", str(site.folder / "config.yaml"), *TRUSTED]
    given += ["--set", f"home={site.home}"]
    with engine_api(duckdb_engine.api_root):
        assert simulate_events.main([*log, "--out", str(site.folder)]) == 0
        assert run_pipeline.main(given, duckdb_engine) == 0
        labels = write_labels(site, probability=0.9)
        assert calibrate.main([*given, "--set", labels], duckdb_engine) == 0
    for name in (DECISIONS.name, SNAPSHOTS.name):
        shutil.rmtree(site.home / "ledger" / name, ignore_errors=True)
    return site


def run_simulated(site: Site, home: Path) -> int:
    """Find the networks of a site's simulated log."""
    config = ["--config", str(site.folder / "config.yaml"), "--set", f"home={home}"]
    until = ["--until", "detect-networks"]
    return run_pipeline.main(["--ds", str(DAY), *config, *until], site.engine)


def arguments_of_two_days(site: Site, home: Path, ds: date = DAY) -> list[str]:
    """The arguments of a run of `two_days`."""
    config = ["--config", str(site.folder / "config.yaml"), "--set", f"home={home}"]
    given = ["--set", "lookback=3d", "--set", "signatures.live=[all]"]
    return ["--ds", str(ds), *config, *given]
