"""A whole run that is killed, or started twice: the published day stays as it was."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from graph.engines.base import Engine
from jobs import run_pipeline
from tests.integration.sites import DAY, Row, Site, event, write_log
from tests.wheels import ROOT

FARM = [event(account, device_id="one phone") for account in ("ann", "bob", "cem", "dan")]
GROWN = [*FARM, event("eve", device_id="one phone")]


@pytest.fixture
def site(tmp_path: Path, duckdb_engine: Engine) -> Site:
    """An empty site; what happens around a run is the same on every engine."""
    return Site(tmp_path, duckdb_engine)


def values(site: Site) -> dict[str, list[Row]]:
    """The published tables."""
    return {name: rows for name, rows in site.tables().items() if name != "runs"}


def run(site: Site) -> int:
    return run_pipeline.main(arguments(site), site.engine)


def arguments(site: Site) -> list[str]:
    return ["--ds", str(DAY), "--config", str(site.folder / "site.yaml")]


def start(site: Site) -> subprocess.Popen[str]:
    """The same run as a process of its own, as a scheduler starts it."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jobs.command_line",
            "run",
            "--engine",
            site.engine.name,
            *arguments(site),
        ],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize("done", ["write edges", "write links"], ids=["build", "detect"])
def test_a_run_killed_in_the_middle_changes_nothing_and_the_next_one_succeeds(
    site: Site, capsys: pytest.CaptureFixture[str], done: str
) -> None:
    site.configure("log.parquet", ("account_id", "event_time", "event_type", "device_id"))
    write_log(site.folder / "log.parquet", FARM)
    assert run(site) == 0
    before = values(site)
    write_log(site.folder / "log.parquet", GROWN)
    with start(site) as process:
        assert process.stderr is not None
        assert any(done in line for line in process.stderr)
        process.send_signal(signal.SIGSTOP)  # or it might end before it is killed
        capsys.readouterr()
        assert run(site) == 5, "one writer at a time"
        assert f"(process {process.pid}" in capsys.readouterr().err
        process.kill()
    assert values(site) == before
    assert run(site) == 0
    assert [row["accounts"] for row in values(site)["networks"]] == [5]
    assert before["networks"][0]["network_id"] == values(site)["networks"][0]["network_id"]
    assert not Path(site.warehouse.folder / "_staging").exists()
