"""Loading a day into a real server: what is there afterwards, whatever happened before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from neo4j.exceptions import Neo4jError

from exporters import neo4j, neo4j_load
from exporters.neo4j import Address, Database
from exporters.neo4j_load import LoadRefused, indexed, load
from exporters.neo4j_queries import read_queries
from graph.database_schema import ENTITY_NODES, NODES, SCHEMA_VERSION, Kind
from graph.engines.base import DependencyError
from tests.integration.database.forwarder import Forwarder
from tests.integration.database.parts import AT, DAY, NEXT, merged, network, parts

QUERIES = {query.id: query.forms()["table"] for query in read_queries()}
EVERYTHING = "MATCH (n) RETURN labels(n) AS labels, properties(n) AS p ORDER BY labels, n.id"
EVERY_LINK = (
    "MATCH (a)-[r]->(b) RETURN a.id AS a, type(r) AS type, properties(r) AS p, b.id AS b "
    "ORDER BY a, type, b"
)
HOSTILE = [
    "o'neil\"s `back` \\ slash",
    "}) DETACH DELETE n //",
    "' OR 1=1 WITH 1 AS x MATCH (n) DETACH DELETE n RETURN '",
    "line\nbreak\ttab\r",
    "日本語 🕵️ e\u0301 ‮rtl",
    "$rows {id: row[0]} \u0000-free",
    "=HYPERLINK(1)",
]


def say(*_: Any, **__: Any) -> None:
    """A load that nobody listens to."""


def state(database: Database) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return database.read(EVERYTHING), database.read(EVERY_LINK)


def members(database: Database, name: str) -> list[str]:
    found = database.read(
        "MATCH (:Network {id: $name})<-[:MEMBER_OF]-(a) RETURN a.id AS id ORDER BY id", name=name
    )
    return [row["id"] for row in found]


def test_every_type_of_property_comes_back_as_it_was(database: Database, tmp_path: Path) -> None:
    before_1970 = AT - timedelta(days=30_000, microseconds=7)
    rows = network("n1", ["a", "b"])
    rows["Network"][0].update(
        density=0.1 + 0.2, traces=["x", "ü"], lineage=[], calibrated=False,
        first_at=before_1970, last_at=AT, accounts=2**62, reasons=None,
    )  # fmt: skip
    rows["Account_MEMBER_OF_Network"][0]["joined_on"] = date(1969, 7, 20)
    load(database, parts(tmp_path, rows), DAY, "networks", say)
    (found,) = database.read("MATCH (n:Network) RETURN properties(n) AS p")
    stored = found["p"]
    assert (stored["density"], stored["traces"], stored["lineage"]) == (0.1 + 0.2, ["x", "ü"], [])
    assert stored["calibrated"] is False
    assert stored["accounts"] == 2**62
    assert stored["first_at"].to_native() == before_1970
    assert stored["last_at"].to_native() == AT
    assert "reasons" not in stored
    (joined,) = database.read(
        "MATCH (:Account {id: 'a'})-[m:MEMBER_OF]->() RETURN m.joined_on AS on_day"
    )
    assert joined["on_day"].to_native() == date(1969, 7, 20)


def test_hostile_texts_are_only_texts(database: Database, tmp_path: Path) -> None:
    rows = network("n1", HOSTILE, device=HOSTILE[1])
    rows["Network"][0].update(name=HOSTILE[2], traces=HOSTILE)
    load(database, parts(tmp_path, rows), DAY, "networks", say)
    assert sorted(members(database, "n1")) == sorted(HOSTILE)
    (found,) = database.read("MATCH (n:Network) RETURN n.name AS name, n.traces AS traces")
    assert (found["name"], found["traces"]) == (HOSTILE[2], HOSTILE)
    assert database.read("MATCH (d:Device) RETURN d.id AS id") == [{"id": HOSTILE[1]}]


def test_ids_that_no_index_takes_are_cut_and_stay_different(
    database: Database, tmp_path: Path
) -> None:
    long = ["é" * 20_000 + end for end in "abc"]
    load(database, parts(tmp_path, network("n1", long)), DAY, "networks", say)
    found = members(database, "n1")
    assert found == sorted(indexed(pa.array(long)).to_pylist())
    assert len(set(found)) == 3


def test_a_second_load_changes_nothing(database: Database, tmp_path: Path) -> None:
    rows = merged(network("n1", ["a", "b", "c"]), network("n2", ["x", "y", "z"], "d2"))
    load(database, parts(tmp_path, rows), DAY, "networks", say)
    before = state(database)
    again = parts(tmp_path, {kind: each[::-1] for kind, each in rows.items()}, files=2)
    report = load(database, again, DAY, "networks", say)
    assert state(database) == before
    assert report.written == {}


def test_what_was_changed_by_hand_is_mended_by_the_next_load(
    database: Database, tmp_path: Path
) -> None:
    day = parts(tmp_path, network("n1", ["a", "b", "c"]))
    load(database, day, DAY, "networks", say)
    before = state(database)
    database.write("MATCH (a:Account {id: 'a'}) DETACH DELETE a")
    load(database, day, DAY, "networks", say)
    assert state(database) == before


def test_a_new_day_replaces_the_old_one(database: Database, tmp_path: Path) -> None:
    load(database, parts(tmp_path, network("n1", ["a", "b", "c"])), DAY, "networks", say)
    second = merged(network("n1", ["b", "c", "d"]), network("n2", ["x", "y", "z"], "d2"))
    report = load(database, parts(tmp_path, second), NEXT, "networks", say)
    assert members(database, "n1") == ["b", "c", "d"]
    assert database.read("MATCH (a:Account {id: 'a'}) RETURN a") == []
    assert report.deleted["Account"] == 1
    fresh = state(database)
    database.write("MATCH (n) DETACH DELETE n")
    load(database, parts(tmp_path, second), NEXT, "networks", say)
    assert state(database) == fresh


def test_what_people_wrote_stays(database: Database, tmp_path: Path) -> None:
    load(database, parts(tmp_path, network("n1", ["a", "b", "c"])), DAY, "networks", say)
    database.write(
        "MATCH (n:Network {id: 'n1'}), (a:Account {id: 'a'}) SET n.owner = 'me' "
        "CREATE (:Verdict {id: 'v1', label: 'abusive'})-[:ON]->(n), "
        "(:Note {id: 't1', text: 'look'})-[:ON]->(a)"
    )
    database.write("MATCH (n:Network {id: 'n1'}) SET n.verdict = 'unreviewed'")
    notes = "MATCH (v)-[:ON]->(x) RETURN properties(v) AS v, x.id AS id ORDER BY id"
    before = database.read(notes)
    load(database, parts(tmp_path, network("n2", ["x", "y", "z"])), NEXT, "networks", say)
    assert database.read(notes) == before
    gone = database.read(
        "MATCH (x) WHERE x.gone "
        "RETURN x.id AS id, x.owner AS owner, x.verdict AS verdict ORDER BY id"
    )
    assert gone == [
        {"id": "a", "owner": None, "verdict": None},
        {"id": "n1", "owner": "me", "verdict": None},  # no load keeps it true any more
    ]
    load(database, parts(tmp_path, network("n1", ["a", "b", "c"])), NEXT, "networks", say)
    assert database.read("MATCH (x) WHERE x.gone RETURN x") == []
    assert members(database, "n1") == ["a", "b", "c"]
    assert database.read(notes) == before


def test_an_older_network_that_flowed_into_a_newer_one_stays_as_its_past(
    database: Database, tmp_path: Path
) -> None:
    load(database, parts(tmp_path, network("old", ["a", "b", "c"])), DAY, "networks", say)
    rows: dict[str, Any] = network("new", ["a", "b", "c"])
    rows["Network_SUCCEEDS_Network"] = [
        {"start_id": "new", "end_id": "old"},
        {"start_id": "new", "end_id": "never loaded"},
    ]
    load(database, parts(tmp_path, rows), NEXT, "networks", say)
    found = database.read(
        "MATCH (n:Network)-[:SUCCEEDS]->(o:Network) RETURN n.id AS n, o.id AS o, o.gone AS gone"
    )
    assert found == [{"n": "new", "o": "old", "gone": True}]


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4])
def test_a_load_that_dies_is_completed_by_the_next_and_shows_no_half_network(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    first = parts(tmp_path / "1", network("n1", ["a", "b", "c"]))
    load(database, first, DAY, "networks", say)
    second = parts(
        tmp_path / "2", merged(network("n1", ["b", "c", "d"]), network("n2", ["x", "y", "z"], "d2"))
    )
    written = 0
    write = neo4j_load._write

    def dying(*arguments: Any) -> int:
        nonlocal written
        if written == after:
            raise KeyboardInterrupt
        written += 1
        return write(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(neo4j_load, "_write", dying)
        with pytest.raises(KeyboardInterrupt):
            load(database, second, NEXT, "networks", say)
    lonely = "MATCH (n:Network) WHERE NOT (n)<-[:MEMBER_OF]-() RETURN n"
    assert database.read(lonely) == []
    assert {"b", "c"} <= set(members(database, "n1"))
    told = {row["as_of"] for row in database.read(QUERIES["open_network"], network="n1")}
    assert [text[:33] for text in told] == ["2026-11-23: a load is under way o"]
    verdict = {"label": "abusive", "abuse_type": "", "policy": "", "reason": "r", "reviewer": "me"}
    assert database.write(QUERIES["judge_network"], network="n1", **verdict) == []
    load(database, second, NEXT, "networks", say)
    told = {row["as_of"] for row in database.read(QUERIES["open_network"], network="n1")}
    assert told == {"2026-11-23"}
    completed = state(database)
    database.write("MATCH (n) DETACH DELETE n")
    load(database, second, NEXT, "networks", say)
    assert state(database) == completed


def test_an_older_day_is_refused_unless_forced(database: Database, tmp_path: Path) -> None:
    load(database, parts(tmp_path, network("n1", ["a", "b", "c"])), NEXT, "networks", say)
    older = parts(tmp_path, network("n0", ["a", "b", "c"]))
    with pytest.raises(LoadRefused, match="holds 2026-11-23, which is newer than 2026-11-22"):
        load(database, older, DAY, "networks", say)
    load(database, older, DAY, "networks", say, force=True)
    assert members(database, "n0") == ["a", "b", "c"]


def test_a_database_of_a_newer_program_is_left_alone(database: Database, tmp_path: Path) -> None:
    version = SCHEMA_VERSION + 1
    database.write("CREATE (:Load {id: 'actorgraph', schema_version: $v})", v=version)
    with pytest.raises(LoadRefused, match=rf"schema version {version}, this program knows"):
        load(database, parts(tmp_path, {}), DAY, "networks", say)


def test_nodes_of_another_program_are_never_cleaned_up(database: Database, tmp_path: Path) -> None:
    database.write("CREATE (:Account {id: 'theirs'})")
    with pytest.raises(LoadRefused, match="Account nodes that actorgraph has not loaded"):
        load(database, parts(tmp_path, network("n1", ["a", "b", "c"])), DAY, "networks", say)
    assert database.read("MATCH (a:Account) RETURN a.id AS id") == [{"id": "theirs"}]


def test_a_network_of_10_000_accounts_on_one_device(database: Database, tmp_path: Path) -> None:
    accounts = [f"account-{number:05d}" for number in range(10_000)]
    said = []
    load(
        database,
        parts(tmp_path, network("large", accounts), files=3),
        DAY,
        "networks",
        lambda *_, **figures: said.append(figures),
        workers=3,
    )
    assert members(database, "large") == accounts
    (found,) = database.read("MATCH (d:Device {id: 'd1'}) RETURN COUNT { (d)<--() } AS found")
    assert found["found"] == 10_000


def test_constraints_follow_from_the_schema(database: Database, tmp_path: Path) -> None:
    load(database, parts(tmp_path, {}), DAY, "networks", say)
    rows = database.read("SHOW CONSTRAINTS YIELD labelsOrTypes, properties RETURN *")
    unique = {row["labelsOrTypes"][0] for row in rows if row["properties"] == ["id"]}
    assert unique >= {kind.label for kind in (*NODES, *ENTITY_NODES.values())}


def test_property_types_are_those_that_frames_have() -> None:
    known = set(Kind.__args__)
    assert {each.kind for kind in NODES for each in kind.properties} <= known


def test_a_wrong_password_is_told_plainly(database: Database) -> None:
    wrong = Address(database.address.uri, "neo4j", "wrong")
    with pytest.raises(DependencyError, match="refuses user neo4j: check NEO4J_USERNAME"):
        Database(wrong).__enter__()
    assert "wrong" not in repr(wrong)


def test_a_server_that_is_not_there_is_told_plainly() -> None:
    with pytest.raises(DependencyError, match=r"cannot reach Neo4j at bolt://127.0.0.1:1: "):
        Database(Address("bolt://127.0.0.1:1", "neo4j", "x")).__enter__()


def test_a_connection_that_breaks_in_the_middle_is_told_and_the_next_load_completes_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neo4j, "RETRY_FOR_S", 0.0)
    accounts = [f"account-{number:05d}" for number in range(8_000)]
    day = parts(tmp_path, network("large", accounts))
    port = int(database.address.uri.rsplit(":", 1)[1])
    with Forwarder(port, text=b"account-07") as forwarder:
        address = replace(database.address, uri=f"bolt://127.0.0.1:{forwarder.port}")
        with (
            pytest.raises(DependencyError, match=r"load again|completed by the next one"),
            Database(address) as through,
        ):
            load(through, day, DAY, "networks", say, workers=1)
    assert database.read("MATCH (n:Network) RETURN n") == []
    load(database, day, DAY, "networks", say)
    assert members(database, "large") == accounts


@pytest.mark.parametrize(
    ("code", "message", "told"),
    [
        (
            "Neo.DatabaseError.Transaction.TransactionCommitFailed",
            "No space left on device",
            "disk",
        ),
        ("Neo.TransientError.Transaction.DeadlockDetected", "deadlock", "nothing is lost"),
        ("Neo.ClientError.Security.Forbidden", "no write", "does not let neo4j do this"),
    ],
)
def test_errors_of_the_server_say_what_to_do(code: str, message: str, told: str) -> None:
    error = Neo4jError._hydrate_neo4j(code=code, message=message)
    explained = neo4j._explain(error, Address("bolt://127.0.0.1:1", "neo4j", "secret"))
    assert explained is not None and told in explained and "secret" not in explained
