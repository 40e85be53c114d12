"""A started server: closed to others, found again, and filled by the job."""

from __future__ import annotations

import stat
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import date
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exporters.neo4j import Database, address_from, read_password
from graph.engines.base import DependencyError
from jobs import load_neo4j, manage_neo4j
from jobs.database.address import database_address
from jobs.database.server import Server, find_server, start_server
from jobs.masking import masking_key, masks
from tests.integration.database.conftest import StartOwn
from tests.integration.sites import Site


def test_the_password_is_the_owners_and_in_no_argument(server: Server) -> None:
    password = read_password(server.password_file)
    assert len(password) >= 20
    assert stat.S_IMODE(server.password_file.stat().st_mode) == 0o600
    for process in (server.java, server.guide):
        assert password not in " ".join(psutil.Process(process.pid).cmdline())
    settings = (server.folder / "conf" / "neo4j.conf").read_text(encoding="utf-8")
    assert password not in settings
    assert not list((server.folder / "conf").glob("password*"))


def test_it_listens_on_loopback_only(server: Server) -> None:
    for process in (server.java, server.guide):
        listening = [
            each.laddr.ip.removeprefix("::ffff:")
            for each in psutil.Process(process.pid).net_connections(kind="tcp")
            if each.status == psutil.CONN_LISTEN
        ]
        assert listening and set(listening) == {"127.0.0.1"}


def test_a_second_start_finds_the_first(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start_server(server.folder) == server == find_server(server.folder)
    monkeypatch.setenv("ACTORGRAPH_HOME", str(server.folder.parent))
    assert manage_neo4j.main(["status"]) == 0
    told = capsys.readouterr().out
    assert server.browser in told and str(server.password_file) in told
    assert read_password(server.password_file) not in told


def test_a_guide_whose_process_ended_is_told_and_started_again(
    own_server: StartOwn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = own_server()
    monkeypatch.setenv("ACTORGRAPH_HOME", str(server.folder.parent))
    psutil.Process(server.guide.pid).kill()
    assert manage_neo4j.main(["status"]) == 5
    told = capsys.readouterr()
    assert "Guide:          not served" in told.out
    assert f"actorgraph neo4j start --set home={server.folder.parent}" in told.err
    assert manage_neo4j.main(["start"]) == 0
    assert f"Guide:          {server.guide_url}" in capsys.readouterr().out
    with urllib.request.urlopen(f"{server.guide_url}/guide.html") as answer:
        assert answer.status == 200
    again = find_server(server.folder)
    assert again is not None and again.java == server.java
    assert manage_neo4j.main(["status"]) == 0


def test_a_database_that_is_not_there_is_one_line(server: Server) -> None:
    address = database_address(server.folder.parent, {})
    with (
        Database(replace(address, database="nope")) as nowhere,
        pytest.raises(DependencyError, match="has no database 'nope': check NEO4J_DATABASE"),
    ):
        nowhere.read("RETURN 1")


def test_the_guide_may_be_read_by_browser_and_lists_no_folder(
    loaded: Database, server: Server
) -> None:
    with urllib.request.urlopen(f"{server.guide_url}/guide.html") as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        text = answer.read().decode()
    (name,) = loaded.read(
        "MATCH (n:Network) RETURN n.id AS id ORDER BY n.priority DESC, n.id LIMIT 1"
    )
    assert name["id"] in text
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{server.guide_url}/favourites/")


def test_a_second_load_of_the_day_writes_nothing(
    loaded: Database, site: Site, arguments: list[str]
) -> None:
    everything = "MATCH (n) RETURN properties(n) AS p ORDER BY labels(n), n.id"
    before = loaded.read(everything)
    assert load_neo4j.main(arguments, site.engine) == 0
    assert loaded.read(everything) == before


def test_scope_all_holds_every_account(
    loaded: Database, site: Site, arguments: list[str], server: Server
) -> None:
    some = loaded.read("MATCH (a:Account) RETURN count(a) AS n")[0]["n"]
    assert load_neo4j.main([*arguments, "--scope", "all"], site.engine) == 0
    found = loaded.read("MATCH (a:Account) RETURN count(a) AS n")[0]["n"]
    nodes = pq.read_table(server.folder.parent / "warehouse" / "nodes")
    accounts = [name for name in nodes.column("node_type").to_pylist() if name == "account"]
    assert found == len(accounts) > some
    lonely = "MATCH (n:Network) WHERE NOT (n)<-[:MEMBER_OF]-() RETURN n"
    assert loaded.read(lonely) == []


def test_sensitive_entities_are_masked_everywhere(
    loaded: Database, site: Site, arguments: list[str], tmp_path: Path
) -> None:
    (shared,) = loaded.read(
        "MATCH (c:Content) WHERE c.degree > 1 RETURN c.id AS id ORDER BY c.degree DESC, id LIMIT 1"
    )
    entry = {
        "entity_type": "content",
        "entity_id": shared["id"].upper(),
        "kind": "graphic",
        "added_by": "a",
        "approved_by": "b",
        "added_at": date(2026, 11, 1),
        "expires_at": date(2026, 12, 1),
    }
    listed = tmp_path / "sensitive.parquet"
    pq.write_table(pa.Table.from_pylist([entry]), listed)
    given = ["--set", f"inputs.sensitive_entities={listed}"]
    assert load_neo4j.main([*arguments, *given], site.engine) == 0
    masked = loaded.read("MATCH (c:Content {masked: true}) RETURN c.id AS id, c.degree AS degree")
    assert [row["id"].startswith("masked graphic ") for row in masked] == [True]
    everything = (
        "MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN properties(n) AS n, properties(r) AS r"
    )
    assert shared["id"] not in str(loaded.read(everything))


def test_masked_ids_are_steady_and_need_the_key(tmp_path: Path) -> None:
    entries = pa.table({"entity_type": ["ip"], "entity_id": ["8.8.4.4"], "kind": ["csam"]})
    key = masking_key(tmp_path)
    assert masking_key(tmp_path) == key and len(key) == 32
    assert stat.S_IMODE((tmp_path / "masking.key").stat().st_mode) == 0o600
    (row,) = masks(entries, key).to_pylist()
    assert row["entity_id"] == "8.8.4.4"
    assert masks(entries, key).to_pylist() == [row] != masks(entries, b"other").to_pylist()


def test_which_server_a_job_speaks_to(server: Server, tmp_path: Path) -> None:
    home = server.folder.parent
    assert database_address(home, {}).uri == server.uri
    own = {"NEO4J_URI": "neo4j+s://db.example", "NEO4J_PASSWORD": "p", "NEO4J_USERNAME": "loader"}
    assert database_address(home, own).uri == "neo4j+s://db.example"
    file = tmp_path / "password"
    file.write_text("from a file\n")
    given = address_from({"NEO4J_URI": "bolt://x", "NEO4J_PASSWORD_FILE": str(file)})
    assert given is not None and given.password == "from a file"
    with pytest.raises(DependencyError, match="set NEO4J_PASSWORD or NEO4J_PASSWORD_FILE"):
        address_from({"NEO4J_URI": "bolt://x"})
    with pytest.raises(DependencyError, match="must hold no user") as refused:
        address_from({"NEO4J_URI": "bolt://me:secret@x", "NEO4J_PASSWORD": "p"})
    assert "secret" not in str(refused.value)
    with pytest.raises(DependencyError, match=r"neo4j start --set home=.*, or set NEO4J_URI"):
        database_address(tmp_path, {})
