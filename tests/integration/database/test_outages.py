"""A server that is stopped, killed or out of disk in the middle of a load."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from exporters import neo4j
from exporters.neo4j import Address, Database, read_password
from exporters.neo4j_load import load
from graph.engines.base import DependencyError
from jobs import load_neo4j
from jobs.database.server import RECOVER, USER, Server, stop_server
from tests.conftest import missing
from tests.integration.database.conftest import StartOwn
from tests.integration.database.forwarder import Forwarder
from tests.integration.database.parts import DAY, NEXT, network, parts
from tests.integration.database.test_load import members, say, state
from tests.integration.sites import Site

SMALL_LOGS = {"db.tx_log.preallocate": "false", "db.tx_log.rotation.size": "1m"}

HALF_SHOWN = """
MATCH (n:Network) OPTIONAL MATCH (n)<-[m:MEMBER_OF]-(:Account)
WITH n, count(m) AS members WHERE members <> n.accounts RETURN n.id AS id
"""


def connected(server: Server) -> Database:
    return Database(Address(server.uri, USER, read_password(server.password_file)))


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def test_a_server_that_ends_during_a_load_is_told_and_the_next_load_completes_it(
    own_server: StartOwn,
    loaded: Database,
    site: Site,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is stopped during the first load and killed during the second."""
    monkeypatch.setattr(neo4j, "RETRY_FOR_S", 2.0)
    server = own_server()
    for how in (signal.SIGTERM, signal.SIGKILL):
        monkeypatch.setenv("NEO4J_PASSWORD", read_password(server.password_file))
        end = partial(end_of_server, server, how)
        with Forwarder(server.bolt_port, text=b"[r:`MEMBER_OF`]", then=end) as forwarder:
            monkeypatch.setenv("NEO4J_URI", f"bolt://127.0.0.1:{forwarder.port}")
            assert load_neo4j.main(arguments, site.engine) == 5
            assert forwarder.passed.is_set()
        told = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
        assert len(told) == 1 and "Neo4j at bolt://" in told[0]
        assert "completed by the next one" in told[0]

        server = own_server()  # waits for the end of the one before
        with connected(server) as database:
            begun = database.read("MATCH (a:Account) RETURN count(a) > 0 AS begun")
            assert begun == [{"begun": True}]
            assert database.read("MATCH (n:Network) RETURN n") == []

    with connected(server) as database:
        monkeypatch.setenv("NEO4J_URI", server.uri)
        assert load_neo4j.main(arguments, site.engine) == 0
        assert database.read(HALF_SHOWN) == []
        assert state(database) == state(loaded)


def end_of_server(server: Server, how: signal.Signals) -> None:
    """Send a server a signal, and wait until it takes no connections."""
    psutil.Process(server.java.pid).send_signal(how)
    while accepts(server.bolt_port):
        time.sleep(0.05)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The folder of the own server's data, on a disk of 16 MB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    folder = tmp_path / "own" / "neo4j" / "data"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        missing(f"cannot mount a small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_told_and_once_there_is_space_the_next_load_completes_it(
    small_disk: Path, own_server: StartOwn, tmp_path: Path
) -> None:
    first = parts(tmp_path / "1", network("n1", ["a", "b", "c"]))
    accounts = [f"{number:05d}".ljust(200, "x") for number in range(20_000)]
    second = parts(tmp_path / "2", network("large", accounts))
    server = own_server(SMALL_LOGS)
    with connected(server) as database:
        load(database, first, DAY, "networks", say)
        with pytest.raises(DependencyError, match=r"disk is full .* free space, restart it"):
            load(database, second, NEXT, "networks", say)
    with pytest.raises(DependencyError, match="disk is full"), connected(server) as database:
        load(database, second, NEXT, "networks", say)

    subprocess.run(["mount", "-o", "remount,size=1g", small_disk], check=True)
    stop_server(server)
    with connected(own_server(SMALL_LOGS | RECOVER)) as database:
        assert database.read(HALF_SHOWN) == []
        assert members(database, "n1") == ["a", "b", "c"]
        load(database, second, NEXT, "networks", say)
        assert members(database, "large") == accounts
