"""One real Neo4j server for all tests of this folder, emptied before each, and one small site."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from exporters.neo4j import Address, Database, read_password
from graph.engines.base import DependencyError, Engine
from jobs import load_neo4j, run_pipeline, simulate_events
from jobs.database.server import USER, Server, find_server, start_server, stop_server
from jobs.java import QUICK_COMPILER
from tests.conftest import missing
from tests.integration.sites import DAY, Site

QUICK_JAVA = [*QUICK_COMPILER.split(), "-XX:+UseSerialGC"]

StartOwn = Callable[..., Server]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server in `neo4j` of a home, with authentication on."""
    try:
        started = start_server(
            tmp_path_factory.mktemp("home") / "neo4j",
            heap="512m",
            java_options=QUICK_JAVA,
        )
    except DependencyError as error:
        missing(str(error))
        raise
    yield started
    stop_server(started)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[StartOwn]:
    """Starts, again too, a server that only this test has, with settings of Neo4j's; ends it."""
    folder = tmp_path / "own" / "neo4j"

    def start(settings: Mapping[str, str] | None = None) -> Server:
        return start_server(folder, "512m", QUICK_JAVA, settings)

    yield start
    if left := find_server(folder):
        stop_server(left)


@pytest.fixture(scope="session")
def connection(server: Server) -> Iterator[Database]:
    """A connection for the whole run."""
    with Database(Address(server.uri, USER, read_password(server.password_file))) as database:
        yield database


@pytest.fixture
def database(connection: Database) -> Database:
    """The connection, to a database with no nodes in it."""
    connection.write("MATCH (n) DETACH DELETE n")
    return connection


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine, server: Server) -> Site:
    """Three days of 600 simulated accounts, scored, with the server under its home."""
    site = Site(tmp_path_factory.mktemp("site"), duckdb_engine)
    log = ["--accounts", "600", "--days", "3", "--end-ds", str(DAY), "--out", str(site.folder)]
    assert simulate_events.main(log) == 0
    home = server.folder.parent
    settings = ["--config", str(site.folder / "config.yaml"), "--set", f"home={home}"]
    assert run_pipeline.main(["--ds", str(DAY), *settings], duckdb_engine) == 0
    return Site(site.folder, duckdb_engine)


@pytest.fixture(scope="session")
def arguments(site: Site, server: Server) -> list[str]:
    """The arguments with which jobs run on the site."""
    config = str(site.folder / "config.yaml")
    return ["--ds", str(DAY), "--config", config, "--set", f"home={server.folder.parent}"]


@pytest.fixture
def loaded(database: Database, site: Site, arguments: list[str]) -> Database:
    """The connection, to a database with the site's day in it."""
    assert load_neo4j.main(arguments, site.engine) == 0
    return database
