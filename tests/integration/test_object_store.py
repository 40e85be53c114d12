"""A home whose tables are on an object store: an S3 server on loopback, and both engines."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from graph.engines.base import DependencyError, Engine
from graph.filesystems import names_in
from graph.jvm_artifacts import Artifact, checked_jar
from graph.ledger import read_ledger
from graph.remote_tables import CURRENT
from jobs import (
    explain_subject,
    forget_account,
    purge_days,
    run_pipeline,
    show_status,
    simulate_events,
)
from jobs.warehouse import Warehouse
from signatures.snapshots import SNAPSHOTS
from tests.conftest import missing
from tests.object_store import ObjectStore

DAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config file of a simulated log, of which something is proposed."""
    folder = tmp_path_factory.mktemp("log")
    assert simulate_events.main(["--accounts", "500", "--days", "2", "--out", str(folder)]) == 0
    config = folder / "config.yaml"
    config.write_text(f"{config.read_text()}\nsignatures: {{live: [all]}}\n")
    return config


@pytest.fixture(scope="module")
def expected(log: Path, tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Path:
    """A home with the same day in a folder."""
    home = tmp_path_factory.mktemp("folder")
    arguments = ["--ds", str(DAY), "--config", str(log), "--set", f"home={home}"]
    assert run_pipeline.main(arguments, duckdb_engine) == 0
    return home


def tables(warehouse: Warehouse) -> dict[str, list[str]]:
    """The rows of all published tables, in an order that no engine decides."""
    days = {name: warehouse.published.day(name, DAY) for name in warehouse.tables()}
    return {
        name: sorted(map(str, day.dataset().to_table().to_pylist())) for name, day in days.items()
    }


def test_the_embedded_engine_works_on_copies(
    log: Path, expected: Path, store: ObjectStore, tmp_path: Path, duckdb_engine: Engine
) -> None:
    """Whoever reads or rewrites days without an engine does so on the store itself."""
    home = tmp_path / "home"
    settings = ["--config", str(log), "--set", f"home={home}", "--set", f"warehouse={store.url}"]
    assert run_pipeline.main(["--ds", str(DAY), *settings], duckdb_engine) == 0
    warehouse = Warehouse(home / "warehouse", store.url)
    assert tables(warehouse) == tables(Warehouse(expected / "warehouse"))
    assert not list((home / "warehouse").glob("*/ds=*/*.parquet"))

    members = warehouse.published.day("memberships", DAY).dataset().to_table().to_pylist()
    network, account = members[0]["network_id"], members[0]["account_id"]
    assert explain_subject.main([network, *settings]) == 0
    assert show_status.main(settings) == 0

    key = tmp_path / "key"
    key.write_text("k" * 40)
    key.chmod(0o600)
    forget = [account, "--reason", "asked", "--set", f"enforcement.key_file={key}", *settings]
    assert forget_account.main(forget, duckdb_engine) == 0
    assert not [name for name, rows in tables(warehouse).items() if account in str(rows)]
    for name in warehouse.tables():
        found = names_in(f"{store.url}/{name}/ds={DAY}")
        assert len(found) == 2 and CURRENT in found, "what was rewritten is gone from the store"

    late = ["--ds", str(DAY + timedelta(days=2)), "--set", "retention.sightings=1d"]
    assert purge_days.main([*late, *settings], duckdb_engine) == 0
    assert not warehouse.days("sightings")
    assert not names_in(f"{store.url}/sightings")


def test_a_store_that_is_down_is_told_in_a_line(
    log: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    home = ["--set", f"home={tmp_path}", "--set", "warehouse=s3a://bucket/site"]
    assert purge_days.main(["--ds", str(DAY), "--config", str(log), *home]) == 5
    (line,) = capsys.readouterr().err.splitlines()
    assert "the object store does not do what is asked of it" in line
    assert "Could not connect" in line


@pytest.fixture(scope="module")
def jars() -> list[Path]:
    """What brings S3A and the committer: checked files, in a site's own cluster by --packages."""
    lines = Path(__file__).with_name("store_artifacts.txt").read_text().splitlines()
    try:
        return [checked_jar(artifact(*line.split()), "run it there once") for line in lines]
    except DependencyError as error:
        missing(str(error))
        raise


def artifact(sha256: str, size: str, coordinates: str) -> Artifact:
    group, name, version = coordinates.split(":")
    return Artifact(group, name, version, int(size), sha256)


def run_on_spark(
    store: ObjectStore, home: Path, log: Path, *settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the day in a process, and so a Java, of its own."""
    quick = ["spark.master=local[2]", "spark.driver.memory=2g", "spark.sql.shuffle.partitions=2"]
    places = [f"home={home}", f"warehouse={store.url}"]
    sets = [f"--set={each}" for each in (*quick, *places, *settings)]
    command = [sys.executable, "-m", "jobs.command_line", "run", "--engine", "spark"]
    return subprocess.run(
        [*command, "--ds", str(DAY), "--config", str(log), *sets],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


@pytest.mark.spark
def test_spark_writes_the_same_tables_and_shares_nothing_but_the_store(
    log: Path, expected: Path, store: ObjectStore, tmp_path: Path, jars: list[Path]
) -> None:
    home = tmp_path / "home"
    path = ":".join(map(str, jars))
    done = run_on_spark(store, home, log, f"spark.driver.extraClassPath={path}")
    assert done.returncode == 0, done.stderr
    warehouse = Warehouse(home / "warehouse", store.url)
    assert tables(warehouse) == tables(Warehouse(expected / "warehouse"))
    frozen = [read_ledger(each, SNAPSHOTS).column("snapshot_sha256") for each in (expected, home)]
    assert frozen[0] and sorted(frozen[0].to_pylist()) == sorted(frozen[1].to_pylist())
    assert "_scratch" not in names_in(store.url)
    assert store.copies == 0, "nothing is renamed, which on a store is a copy"


@pytest.mark.spark
def test_spark_without_the_packages_says_which(
    store: ObjectStore, log: Path, tmp_path: Path
) -> None:
    done = run_on_spark(store, tmp_path / "home", log)
    assert done.returncode == 5
    assert "--packages org.apache.spark:spark-hadoop-cloud_2.13:" in done.stderr
