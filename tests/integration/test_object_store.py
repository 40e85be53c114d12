"""A home whose tables are on an object store: an S3 server on loopback, and both engines."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from graph.engines.base import DependencyError, Engine
from graph.filesystems import names_in
from graph.jvm_artifacts import Artifact, checked_jar
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
from tests.conftest import missing
from tests.object_store import ObjectStore

DAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config file of a simulated log."""
    folder = tmp_path_factory.mktemp("log")
    assert simulate_events.main(["--accounts", "500", "--days", "2", "--out", str(folder)]) == 0
    return folder / "config.yaml"


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
def class_path() -> str:
    """What brings S3A and the committer: checked files, in a site's own cluster by --packages."""
    lines = Path(__file__).with_name("store_artifacts.txt").read_text().splitlines()
    try:
        jars = [checked_jar(artifact(*line.split()), "run it there once") for line in lines]
    except DependencyError as error:
        missing(str(error))
        raise
    return ":".join(map(str, jars))


def artifact(sha256: str, size: str, coordinates: str) -> Artifact:
    group, name, version = coordinates.split(":")
    return Artifact(group, name, version, int(size), sha256)


def build_on_spark(
    store: ObjectStore, home: Path, log: Path, *settings: str
) -> subprocess.CompletedProcess[str]:
    """Build a day's graph in a process, and so a Java, of its own."""
    places = ["spark.driver.memory=1g", f"home={home}", f"warehouse={store.url}"]
    sets = [f"--set={each}" for each in (*places, "spark.sql.shuffle.partitions=2", *settings)]
    job = ["-m", "jobs.command_line", "build-graph", "--engine", "spark", "--ds", str(DAY)]
    return in_a_process(*job, "--config", str(log), *sets)


def in_a_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


@pytest.mark.spark
def test_spark_writes_the_same_tables_and_renames_nothing(
    log: Path, expected: Path, store: ObjectStore, tmp_path: Path, class_path: str
) -> None:
    home = tmp_path / "home"
    done = build_on_spark(store, home, log, f"spark.driver.extraClassPath={class_path}")
    assert done.returncode == 0, done.stderr
    made = tables(Warehouse(home / "warehouse", store.url))
    assert {"nodes", "edges", "sightings"} <= set(made)
    wanted = tables(Warehouse(expected / "warehouse"))
    assert made == {name: wanted[name] for name in made}
    assert "_scratch" not in names_in(store.url)
    assert store.copies == 0, "a rename on a store is a copy"


CARRY = """
import sys
import pyarrow as pa
from graph.engines.spark import open_spark
from graph.reach import read_files, write_files

scratch, url, class_path, folder = sys.argv[1:]
settings = {"spark.driver.extraClassPath": class_path, "spark.driver.memory": "1g"}
engine = open_spark("test", scratch, settings, url)
write_files(engine, engine.from_arrow(pa.table({"account_id": ["u1", "u2"]})), folder, 1)
print(sorted(read_files(engine, [folder]).toPandas()["account_id"]))
engine.close()
"""
"""What a run does with a ledger: its folder is the driver's, and executors reach only the store."""


@pytest.mark.spark
def test_files_of_the_driver_are_carried_to_spark_and_back(
    store: ObjectStore, tmp_path: Path, class_path: str
) -> None:
    places = [str(tmp_path / "scratch"), f"{store.url}/_scratch", class_path]
    done = in_a_process("-c", CARRY, *places, str(tmp_path / "ledger"))
    assert done.stdout == "['u1', 'u2']\n", done.stderr
    (file,) = (tmp_path / "ledger").iterdir()
    assert pq.read_table(file)["account_id"].to_pylist() == ["u1", "u2"]


@pytest.mark.spark
def test_spark_without_the_packages_says_which(
    store: ObjectStore, log: Path, tmp_path: Path
) -> None:
    done = build_on_spark(store, tmp_path / "home", log)
    assert done.returncode == 5
    assert "--packages org.apache.spark:spark-hadoop-cloud_2.13:" in done.stderr
