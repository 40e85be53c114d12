"""The offline importer: the same database as an online load makes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from exporters.neo4j import Address, Database, read_password
from exporters.neo4j_bulk import write_import_files
from exporters.neo4j_load import LoadRefused, load, require_empty
from graph.engines.base import DependencyError
from jobs import load_neo4j
from jobs.database.importer import run_importer
from jobs.database.server import (
    USER,
    Server,
    find_server,
    prepare_server,
    start_server,
    stop_server,
)
from tests.integration.database.conftest import QUICK_JAVA, StartOwn
from tests.integration.database.parts import AT, DAY, merged, network, parts
from tests.integration.database.test_load import HOSTILE, say, state
from tests.integration.sites import Site


def test_bulk_and_online_loads_leave_the_same_database(database: Database, tmp_path: Path) -> None:
    rows: dict[str, Any] = merged(network("n1", HOSTILE), network("n2", ["x", "y"], "d2"))
    rows["Network"][0].update(name=HOSTILE[1], traces=HOSTILE, families=["", "x"], lineage=[])
    rows["Network"][0].update(density=0.1 + 0.2, calibrated=False, first_at=AT)
    rows["Account_MEMBER_OF_Network"][0]["joined_on"] = DAY
    rows["Account_LINKED_TO_Account"] = [
        {"start_id": "x", "end_id": "y", "traces": ["co_post"], "surprises": [0.1 + 0.2]}
    ]
    rows["Network"][1].update(traces=[], trace_pairs=[], trace_surprises=[])
    rows["Network"][0].update(trace_pairs=[2**40, 1], trace_surprises=[11.68, 0.0])
    rows["Network_SUCCEEDS_Network"] = [{"start_id": "n1", "end_id": "never loaded"}]
    day = parts(tmp_path / "parts", rows)
    load(database, day, DAY, "networks", say)

    folder = tmp_path / "neo4j"
    prepare_server(folder)
    run_importer(folder, write_import_files(day, tmp_path / "import", DAY, "networks"), "256m")
    server = start_server(folder, "256m", QUICK_JAVA)
    try:
        with Database(Address(server.uri, USER, read_password(server.password_file))) as imported:
            assert state(imported) == state(database)
            assert load(imported, day, DAY, "networks", say).written == {}
            with pytest.raises(LoadRefused, match="without --mode bulk"):
                require_empty(imported)
    finally:
        stop_server(server)


@pytest.mark.parametrize(
    ("kind", "row", "told"),
    [
        (
            "Account_MEMBER_OF_Network",
            {"start_id": "a", "end_id": "n2"},
            "1 rows name nodes that the day has not",
        ),
        ("Account", {"id": "a"}, "two nodes have the same id"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(
    kind: str, row: dict[str, Any], told: str, tmp_path: Path
) -> None:
    day = parts(tmp_path / "parts", merged(network("n1", ["a", "b"]), {kind: [row]}))
    with pytest.raises(LoadRefused, match=told):
        write_import_files(day, tmp_path / "import", DAY, "networks")


def test_what_the_importer_says_is_told(tmp_path: Path) -> None:
    prepare_server(tmp_path / "neo4j")
    with pytest.raises(DependencyError, match=r"Neo4j's importer failed: .*absent\.csv"):
        run_importer(tmp_path / "neo4j", ["--nodes=Account=/absent.csv"], "256m")


def test_a_first_load_of_a_day_in_bulk(
    loaded: Database,
    site: Site,
    arguments: list[str],
    server: Server,
    own_server: StartOwn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []

    def start(*given: Any, **more: Any) -> Server:
        asked.append(more["ports"])  # anybody may take one that is free meanwhile
        return start_server(*given, **more)

    monkeypatch.setattr(load_neo4j, "start_server", start)
    started = own_server()
    home = started.folder.parent
    everything_else = shutil.ignore_patterns(server.folder.name)
    shutil.copytree(server.folder.parent, home, ignore=everything_else, dirs_exist_ok=True)
    own = [*arguments, "--set", f"home={home}"]
    assert load_neo4j.main([*own, "--mode", "bulk"], site.engine) == 0
    restarted = find_server(started.folder)
    assert restarted is not None
    assert (restarted.heap, asked) == (started.heap, [started.ports])
    address = Address(restarted.uri, USER, read_password(restarted.password_file))
    with Database(address) as imported:
        assert state(imported) == state(loaded)


def test_a_database_with_nodes_is_not_replaced(
    loaded: Database, site: Site, arguments: list[str]
) -> None:
    before = state(loaded)
    assert load_neo4j.main([*arguments, "--mode", "bulk"], site.engine) == 6
    assert state(loaded) == before


def test_bulk_needs_the_local_server(
    site: Site, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    monkeypatch.setenv("NEO4J_PASSWORD", "x")
    assert load_neo4j.main([*arguments, "--mode", "bulk"], site.engine) == 2
