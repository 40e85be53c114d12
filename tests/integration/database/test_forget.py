"""Forgetting an account in a real database: it goes, and what people judged stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.neo4j import Database, read_password
from exporters.neo4j_forget import forget_in_database
from exporters.neo4j_load import load
from graph.engines.base import Engine
from jobs import forget_account
from jobs.database.server import Server
from tests.integration.database.parts import DAY, network, parts
from tests.integration.database.test_load import HOSTILE, members, say

NAME = "hmac-sha256:" + "7" * 64


def loaded(database: Database, folder: Path, account: str) -> None:
    """A network of an account and two others, who all followed the account `account`."""
    names = sorted([account, "b", "c"])
    rows = network("n1", names)
    rows["Target"] = [{"id": account, "degree": 2}]
    rows["Account_ACTED_ON_Target"] = [
        {"start_id": each, "end_id": account, "events": 2} for each in ("b", "c")
    ]
    told = f"1. target {account}: co_target, 2 co-actions"
    rows["Account_LINKED_TO_Account"] = [
        {"start_id": "b", "end_id": "c", "evidence": [told, f"2. target {account}0: co_target"]}
    ]
    load(database, parts(folder, rows), DAY, "networks", say)


@pytest.mark.parametrize("account", ["a", HOSTILE[1], "x" * 1_500])
def test_an_account_goes_with_all_that_names_it(
    database: Database, tmp_path: Path, account: str
) -> None:
    loaded(database, tmp_path, account)
    told = forget_in_database(database, account, NAME)
    assert (told.nodes, told.verdicts, told.links, told.remarks) == (2, 0, 1, [])
    assert members(database, "n1") == ["b", "c"]
    (counted,) = database.read(
        "MATCH (n:Network) RETURN n.accounts AS accounts, n.forgotten_accounts AS forgotten"
    )
    assert counted == {"accounts": 3, "forgotten": 1}
    ids = database.read("MATCH (n) WHERE n.id IS NOT NULL RETURN collect(n.id) AS ids")[0]["ids"]
    assert account not in ids
    (link,) = database.read("MATCH (:Account)-[r:LINKED_TO]->(:Account) RETURN r.evidence AS told")
    assert link["told"] == [
        f"1. target {NAME}: co_target, 2 co-actions",
        f"2. target {account}0: co_target",  # somebody else
    ]


def test_verdicts_stay_and_name_the_hash(database: Database, tmp_path: Path) -> None:
    loaded(database, tmp_path, "a")
    database.write(
        "MATCH (a:Account {id: 'a'}), (n:Network {id: 'n1'}) "
        "CREATE (a)<-[:ON]-(:Verdict {id: 'v1', subject_type: 'account', subject_id: 'a', "
        "members: ['a'], reason: 'a bot'}) "
        "CREATE (n)<-[:ON]-(:Verdict {id: 'v2', subject_type: 'network', subject_id: 'n1', "
        "members: ['a', 'b', 'c'], reason: 'ring'}) "
        "CREATE (n)<-[:ON]-(:Note {id: 'o1', text: 'ask a about it'})"
    )
    assert forget_in_database(database, "a", NAME).remarks == ["o1", "v1"]
    verdicts = database.read(
        "MATCH (v:Verdict)-[:ON]->(x) RETURN v.subject_id AS subject, v.members AS members, "
        "x.id AS on_id, x.gone AS gone ORDER BY v.id"
    )
    assert verdicts == [
        {"subject": NAME, "members": [NAME], "on_id": NAME, "gone": True},
        {"subject": "n1", "members": [NAME, "b", "c"], "on_id": "n1", "gone": None},
    ]
    loaded(database, tmp_path, "a")  # the log still has it
    forget_in_database(database, "a", NAME)
    found = database.read("MATCH (n:Account) RETURN n.id AS id ORDER BY id")
    assert [each["id"] for each in found] == ["b", "c", NAME]


def test_verdicts_name_an_account_by_the_id_that_the_database_has(
    database: Database, tmp_path: Path
) -> None:
    account = "x" * 1_500
    loaded(database, tmp_path, account)
    database.write(
        "MATCH (n:Network {id: 'n1'})<-[:MEMBER_OF]-(a) WITH n, collect(a.id) AS members "
        "CREATE (n)<-[:ON]-(:Verdict {id: 'v1', subject_id: 'n1', members: members})"
    )
    assert forget_in_database(database, account, NAME).verdicts == 1
    (verdict,) = database.read("MATCH (v:Verdict) RETURN v.members AS members")
    assert sorted(verdict["members"]) == ["b", "c", NAME]


def test_what_was_said_of_the_account_elsewhere_names_the_hash(
    database: Database, tmp_path: Path
) -> None:
    rows = network("n1", ["a", "b", "c"])
    rows["Judgement"] = [{"id": "appeal:1", "subject_type": "account", "subject_id": "a"}]
    rows["Account_JUDGED_BY_Judgement"] = [{"start_id": "a", "end_id": "appeal:1"}]
    load(database, parts(tmp_path, rows), DAY, "networks", say)
    forget_in_database(database, "a", NAME)
    assert database.read("MATCH (j:Judgement) RETURN j.subject_id AS id") == [{"id": NAME}]


def test_the_command_forgets_in_the_database_that_the_site_names(
    database: Database,
    server: Server,
    duckdb_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    loaded(database, tmp_path / "rows", "a")
    monkeypatch.setenv("NEO4J_URI", server.uri)
    monkeypatch.setenv("NEO4J_PASSWORD", read_password(server.password_file))
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_bytes(b"k" * 32)
    settings = [f"home={tmp_path / 'home'}", f"enforcement.key_file={key}"]
    more = [word for each in settings for word in ("--set", each)]
    assert forget_account.main(["a", "--reason", "request", *more], duckdb_engine) == 0
    assert members(database, "n1") == ["b", "c"]
    told = capsys.readouterr().out
    assert "Neo4j: 2 nodes deleted" in told
    assert "the server's own files keep" in told
