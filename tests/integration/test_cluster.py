"""The same job, by spark-submit, on a real standalone cluster: one master and two workers.

Drivers and executors run a Python that has the declared packages but no actorgraph, so all code of
ours comes from the zip.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pyspark
import pytest

from graph.engines.base import Engine
from jobs import run_pipeline, simulate_events
from jobs.configuration import load
from jobs.java import QUICK_COMPILER
from jobs.warehouse import Warehouse
from tests.wheels import ROOT, build_wheel

pytestmark = [pytest.mark.spark, pytest.mark.cluster]

SPARK_HOME = Path(pyspark.__file__).parent
DAY = date(2026, 11, 22)
TRACES = ("shared_device", "co_post")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the declared packages and without actorgraph: .pth files are not followed."""
    program = tmp_path_factory.mktemp("python") / "python"
    packages = sysconfig.get_path("purelib")
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{packages}" exec "{sys.executable}" -S "$@"\n'
    )
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def environment(python: Path) -> dict[str, str]:
    environment = {
        key: os.environ[key] for key in ("PATH", "JAVA_HOME", "HOME") if key in os.environ
    }
    return environment | {
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": str(python),
    }


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[str]:
    """The URL of a cluster on loopback, stopped at the end."""
    folder = tmp_path_factory.mktemp("cluster")
    port = free_port()
    url = f"spark://127.0.0.1:{port}"
    here = ["--host", "127.0.0.1", "--webui-port", "0"]
    with ExitStack() as stack:
        daemon = ["org.apache.spark.deploy.master.Master", *here, "--port", str(port)]
        stack.enter_context(running(daemon, folder / "master.log", environment))
        wait_for(folder / "master.log", "New state: ALIVE")
        for number in (1, 2):
            worker = ["org.apache.spark.deploy.worker.Worker", *here, "--cores", "1"]
            worker += ["--memory", "1g", "--work-dir", str(folder / f"work-{number}"), url]
            log = folder / f"worker-{number}.log"
            stack.enter_context(running(worker, log, environment))
            wait_for(log, "Successfully registered with master")
        yield url


@contextmanager
def running(daemon: list[str], log: Path, environment: dict[str, str]) -> Iterator[None]:
    """Keep one of Spark's daemons running, its output in a file."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(SPARK_HOME / "bin" / "spark-class"), *daemon],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(log: Path, text: str, seconds: int = 60) -> None:
    deadline = time.monotonic() + seconds
    while text not in log.read_text():
        assert time.monotonic() < deadline, f"{text!r} not seen:\n{log.read_text()}"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_cluster_makes_the_same_tables_from_nothing_but_the_zip(
    master: str, environment: dict[str, str], python: Path, tmp_path: Path, duckdb_engine: Engine
) -> None:
    """The embedded engine says what the tables are: it is the fastest to ask."""
    log = tmp_path / "log"
    assert simulate_events.main(["--accounts", "500", "--days", "2", "--out", str(log)]) == 0
    # One trace of each way to link: with a window and without.
    off = [f"--set=traces.{name}=none" for name in load().traces if name not in TRACES]
    # Scoring takes longest, and its tasks are of the same kinds: test_engines.py has it.
    asked = ["--until", "detect-networks", *off]
    config = ["--ds", str(DAY), "--config", str(log / "config.yaml"), *asked]
    local, cluster = tmp_path / "local", tmp_path / "cluster"
    assert run_pipeline.main([*config, "--set", f"home={local}"], duckdb_engine) == 0

    empty = tmp_path / "empty"
    empty.mkdir()
    assert subprocess.run([python, "-c", "import graph"], cwd=empty, check=False).returncode
    archive = tmp_path / "actorgraph.zip"
    (tmp_path / "source").mkdir()
    shutil.copy(build_wheel(tmp_path / "source"), archive)
    shutil.copy(ROOT / "jobs" / "run_pipeline.py", tmp_path)
    submit = [str(SPARK_HOME / "bin" / "spark-submit"), "--master", master]
    submit += ["--py-files", str(archive), "--conf", "spark.sql.shuffle.partitions=2"]
    submit += ["--executor-memory", "900m", "--driver-memory", "1g"]
    # As in the session of other tests: three processes would compile for longer than they compute.
    submit += ["--conf", "spark.sql.codegen.wholeStage=false"]
    submit += ["--conf", "spark.sql.codegen.factoryMode=NO_CODEGEN"]
    quick = f"{QUICK_COMPILER} -XX:+UseSerialGC"
    submit += ["--driver-java-options", quick, "--conf", f"spark.executor.extraJavaOptions={quick}"]
    job = [str(tmp_path / "run_pipeline.py"), *config, "--set", f"home={cluster}"]
    done = subprocess.run(
        [*submit, *job],
        cwd=empty,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert not list(empty.iterdir())

    tables = Warehouse(local / "warehouse").tables()
    assert tables == Warehouse(cluster / "warehouse").tables()
    assert {"edges", "nodes", "links", "memberships"} <= set(tables)
    for table in tables:
        assert rows(cluster, table) == rows(local, table), table


def rows(home: Path, table: str) -> list[str]:
    """A published table's rows, in an order that no engine decides."""
    published = pq.read_table(Warehouse(home / "warehouse").path(table, DAY))
    return sorted(map(str, published.to_pylist()))
