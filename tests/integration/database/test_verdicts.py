"""Verdicts given by saved queries, and what becomes of them as labels."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exporters.neo4j import Database
from exporters.neo4j_load import indexed_id, load
from exporters.neo4j_queries import read_queries
from exporters.neo4j_verdicts import Pulled, pull, read_verdicts
from graph.ledger import read_ledger
from graph.profiles import ACCOUNT_PROFILE
from jobs import load_neo4j, pull_verdicts
from jobs.batches.receipt_lines import AHEAD
from jobs.database.server import Server
from jobs.warehouse import Warehouse
from signatures.labels import LABELS, check_labels, valid_labels
from signatures.snapshots import SNAPSHOTS
from tests.integration.database.parts import DAY, NEXT, network, parts
from tests.integration.sites import Site

LATEST = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUERIES = {query.id: query for query in read_queries()}
GIVEN = {
    "abuse_type": "",
    "policy": "spam-1",
    "reason": "the same text, seconds apart",
    "reviewer": "reviewer-1",
}


@pytest.fixture
def one_network(database: Database, tmp_path: Path) -> Database:
    rows = network("n1", ["a", "b", "c"])
    load(database, parts(tmp_path, rows), DAY, "networks", lambda *_, **__: None)
    return database


def ask(database: Database, name: str, **given: Any) -> list[dict[str, Any]]:
    return database.write(QUERIES[name].forms()["table"], **{**GIVEN, **given})


def pulled(database: Database, known: set[str] | None = None) -> Pulled:
    return pull(read_verdicts(database), known or set(), {}, datetime.now(UTC) + AHEAD)


def test_a_verdict_on_a_network_binds_the_members_of_that_moment(
    one_network: Database, tmp_path: Path
) -> None:
    (answer,) = ask(one_network, "judge_network", network="n1", label="abusive")
    assert answer["accounts"] == 3
    rows = network("n1", ["a", "b", "c", "joiner"])
    load(one_network, parts(tmp_path, rows), NEXT, "networks", lambda *_, **__: None)
    found = pulled(one_network)
    check_labels(found.labels.to_pylist())
    (label,) = found.labels.to_pylist()
    assert (label["label_id"], label["label"]) == (answer["verdict"], "abusive")
    assert (label["policy_id"], label["abuse_type"]) == ("spam-1", None)
    assert label["members"] is None
    assert found.snapshots.column("account_id").to_pylist() == ["a", "b", "c"]
    assert set(found.snapshots.column("ds").to_pylist()) == {DAY}
    assert label["snapshot_sha256"] == found.snapshots.column("snapshot_sha256")[0].as_py()


def test_some_members_an_account_and_several_opinions(one_network: Database) -> None:
    ask(one_network, "judge_members", network="n1", label="abusive", accounts=["a", "stranger"])
    ask(one_network, "judge_account", account="c", label="benign")
    ask(one_network, "judge_network", network="n1", label="unsure", reviewer="reviewer-2")
    found = {row["label"]: row for row in pulled(one_network).labels.to_pylist()}
    assert set(found) == {"abusive", "benign", "unsure"}
    assert (found["benign"]["subject_type"], found["benign"]["subject_id"]) == ("account", "c")
    held = found["benign"]["expires_at"] - found["benign"]["labelled_at"]
    assert held == timedelta(days=90)
    assert found["abusive"]["expires_at"] is None


def test_a_verdict_that_is_taken_back_holds_no_more_and_is_not_lost(one_network: Database) -> None:
    (answer,) = ask(one_network, "judge_network", network="n1", label="abusive")
    refused = ask(one_network, "withdraw_verdict", verdict=answer["verdict"], reviewer="other")
    assert refused == []
    ask(one_network, "withdraw_verdict", verdict=answer["verdict"], reason="wrong network")
    labels = pulled(one_network).labels
    assert labels.num_rows == 2
    assert valid_labels(labels, datetime.now(UTC) + timedelta(minutes=1)).num_rows == 0


def held(database: Database) -> list[tuple[str, str]]:
    """Who says what in the verdicts that hold, as they are pulled."""
    found = pulled(database)
    assert found.refused == []
    labels = valid_labels(found.labels, datetime.now(UTC) + timedelta(minutes=1)).to_pylist()
    return sorted((row["reviewer"], row["label"]) for row in labels)


def test_nothing_is_taken_back_without_a_reason_or_twice(one_network: Database) -> None:
    (given,) = ask(one_network, "judge_network", network="n1", label="abusive")
    verdict = given["verdict"]
    assert ask(one_network, "withdraw_verdict", verdict=verdict, reason=" ") == []
    assert held(one_network) == [("reviewer-1", "abusive")]
    (taken,) = ask(one_network, "withdraw_verdict", verdict=verdict, reviewer="Reviewer-1 ")
    assert ask(one_network, "withdraw_verdict", verdict=verdict) == []
    assert ask(one_network, "withdraw_verdict", verdict=taken["verdict"]) == []
    assert held(one_network) == []


def test_the_last_word_of_a_reviewer_counts_and_the_earlier_is_kept(
    one_network: Database, tmp_path: Path
) -> None:
    (first,) = ask(one_network, "judge_network", network="n1", label="abusive")
    ask(one_network, "judge_network", network="n1", label="abusive", reviewer="reviewer-2")
    rows = network("n1", ["a", "b", "c", "joiner"])
    load(one_network, parts(tmp_path, rows), NEXT, "networks", lambda *_, **__: None)
    again = {"label": "benign", "reviewer": " Reviewer-1"}
    (second,) = ask(one_network, "judge_network", network="n1", **again)
    assert second["replaces"] == first["verdict"]
    assert held(one_network) == [("Reviewer-1", "benign"), ("reviewer-2", "abusive")]
    assert pulled(one_network).labels.num_rows == 3


def test_a_word_on_fewer_members_replaces_none_on_all(one_network: Database) -> None:
    (whole,) = ask(one_network, "judge_network", network="n1", label="abusive")
    (some,) = ask(one_network, "judge_members", network="n1", accounts=["a"], label="benign")
    (same,) = ask(one_network, "judge_members", network="n1", accounts=["a"], label="unsure")
    assert (whole["replaces"], some["replaces"], same["replaces"]) == (None, None, some["verdict"])
    assert held(one_network) == [("reviewer-1", "abusive"), ("reviewer-1", "unsure")]
    assert ask(one_network, "withdraw_verdict", verdict=some["verdict"]) == []


def test_hostile_words_are_only_words(one_network: Database) -> None:
    words = "'}) DETACH DELETE n // `\n\"$reason"
    ask(one_network, "judge_network", network="n1", label="benign", reason=words)
    assert pulled(one_network).labels.column("reason").to_pylist() == [words]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("v.label = 'guilty'", "label 'guilty' is none of abusive, benign, unsure, withdrawn"),
        ("v.reviewer = ' '", "reviewer must be a text"),
        ("v.reason = 7", "reason must be a text"),
        ("v.policy_id = 7", "policy_id must be a text"),
        ("v.members = []", "members must be some accounts"),
        ("v.members = 'a'", "members must be a list"),
        ("v.reviewed_at = '2026'", "reviewed_at must be a time with its zone"),
        (
            "v.reviewed_at = datetime() + duration('P1Y')",
            "reviewed_at must be a time with its zone",
        ),
        ("v.ds = null", "ds must be a date"),
        ("v.snapshot = 'made up'", "snapshot 'made up' is not in the ledger"),
        ("v.subject_id = 'n2'", "it must stand ON exactly the node that it names"),
        ("v.supersedes = 'x'", "supersedes names no verdict"),
    ],
)
def test_a_malformed_verdict_is_refused_and_named(
    one_network: Database, change: str, told: str
) -> None:
    (answer,) = ask(one_network, "judge_network", network="n1", label="abusive")
    ask(one_network, "judge_account", account="a", label="benign")
    one_network.write(f"MATCH (v:Verdict {{id: $id}}) SET {change}", id=answer["verdict"])
    found = pulled(one_network)
    assert len(found.refused) == 1
    assert f"Verdict {answer['verdict']}: {told}" in found.refused[0]
    assert found.labels.column("subject_type").to_pylist() == ["account"]


def judged(*members: str, **changes: Any) -> dict[str, Any]:
    """A verdict on a network with the snapshot that the reviewer saw, as it is read."""
    verdict = {
        "label": "abusive",
        "reason": "r",
        "reviewer": "reviewer-1",
        "subject_type": "network",
        "subject_id": "n1",
        "reviewed_at": datetime(2026, 11, 22, tzinfo=UTC),
        "ds": DAY,
        "members": list(members),
        "snapshot": "s",
    }
    return {"id": "v", "verdict": verdict | changes, "subjects": ["n1"]}


def test_nobody_replaces_the_verdict_of_another() -> None:
    benign = judged("a", label="benign") | {"id": "first"}
    again = judged("a", label="abusive", supersedes="first", reviewer="Reviewer-1 ")
    assert pull([benign, again], set(), {"s": {"a"}}, LATEST).labels.num_rows == 2
    assert pull([again], {"first"}, {"s": {"a"}}, LATEST).refused == []
    other = judged("a", label="abusive", supersedes="first", reviewer="reviewer-2")
    found = pull([benign, other], set(), {"s": {"a"}}, LATEST)
    assert found.labels.column("label").to_pylist() == ["benign"]
    assert found.refused == [
        "Verdict v: supersedes names a verdict of reviewer-1, who alone may replace it"
    ]


def test_a_policy_that_nobody_knows_is_told_with_the_nearest() -> None:
    policies = {"spam-1": "of the file", "fakes": "too"}
    node = judged("a", policy_id=" Spam-1 ")
    found = pull([node], set(), {"s": {"a"}}, LATEST, policies=policies)
    assert found.labels.column("policy_id").to_pylist() == ["Spam-1"]
    assert found.unknown_policies == [
        "Verdict v: there is no policy 'Spam-1'; did you mean 'spam-1'?"
    ]
    known = pull([judged("a", policy_id="spam-1 ")], set(), {"s": {"a"}}, LATEST, policies=policies)
    assert known.unknown_policies == []


@pytest.mark.parametrize("snapshot", ["s", None])
def test_members_whose_long_ids_the_database_cuts_are_the_same_members(
    snapshot: str | None,
) -> None:
    long = "x" * 1_500
    rows = [
        {"snapshot_sha256": "s", "account_id": each, "network_id": "n1", "ds": DAY, "role": "actor"}
        for each in ("a", long)
    ]
    taken = pa.Table.from_pylist(rows, schema=SNAPSHOTS.schema)
    frozen = {"s": {"a", long}} if snapshot else {}
    for members, meant in ((("a", indexed_id(long)), None), ((indexed_id(long),), [long])):
        node = judged(*members, snapshot=snapshot)
        found = pull([node], set(), frozen, LATEST, lambda networks: taken)
        assert (found.refused, found.without_roles) == ([], [])
        (label,) = found.labels.to_pylist()
        assert (label["snapshot_sha256"], label["members"]) == ("s", meant)


def test_a_verdict_on_an_account_of_a_long_id_is_on_that_account(
    loaded: Database, site: Site, server: Server, arguments: list[str], tmp_path: Path
) -> None:
    """A benign one would protect nobody under the id that the database has."""
    long = "x" * 1_500
    home = tmp_path / "home"
    shutil.copytree(server.folder.parent / "warehouse", home / "warehouse")
    (home / "neo4j").symlink_to(server.folder)
    path = Warehouse(home / "warehouse").path(ACCOUNT_PROFILE.name, DAY) / "long.parquet"
    row = pa.Table.from_pylist([{"account_id": long}], schema=ACCOUNT_PROFILE.schema)
    pq.write_table(row, path)
    loaded.write("CREATE (:Account {id: $id})", id=indexed_id(long))
    ask(loaded, "judge_account", account=indexed_id(long), label="benign")
    assert pull_verdicts.main([*arguments, "--set", f"home={home}"], site.engine) == 0
    assert read_ledger(home, LABELS).column("subject_id").to_pylist() == [long]


def test_a_verdict_names_the_snapshot_that_the_reviewer_saw() -> None:
    node = judged("a", "b")
    (label,) = pull([node], set(), {"s": {"a", "b", "c"}}, LATEST).labels.to_pylist()
    assert (label["snapshot_sha256"], label["members"]) == ("s", ["a", "b"])
    assert pull([node], set(), {"s": {"a"}}, LATEST).refused == [
        "Verdict v: b is not a member of the snapshot"
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reviewed_at": LATEST}, []),  # another clock may be ahead by as much
        (
            {"reviewed_at": LATEST + timedelta(seconds=1)},
            ["Verdict v: reviewed_at must be a time with its zone, and not be to come"],
        ),
    ],
)
def test_nobody_judges_in_a_time_to_come(changes: dict[str, Any], told: list[str]) -> None:
    found = pull([judged("a", **changes)], set(), {"s": {"a"}}, LATEST)
    assert found.refused == told
    assert found.labels.num_rows == 1 - len(told)


def test_a_verdict_on_accounts_that_the_network_had_not_is_refused() -> None:
    """Unless nobody knows whom it had, since the tables of that day are gone."""
    rows = [
        {"snapshot_sha256": "s", "account_id": each, "network_id": "n1", "ds": DAY, "role": "actor"}
        for each in ("a", "b")
    ]
    taken = pa.Table.from_pylist(rows, schema=SNAPSHOTS.schema)
    node = judged("a", "made up", snapshot=None)
    found = pull([node], set(), {}, LATEST, lambda networks: taken)
    assert found.refused == [f"Verdict v: made up was no member of network n1 on {DAY}"]
    assert (found.labels.num_rows, found.snapshots.num_rows) == (0, 0)
    unknown = pull([node], set(), {}, LATEST)
    assert unknown.refused == []
    assert "the tables of 2026-11-22 have not network n1" in unknown.without_roles[0]


def test_the_job_appends_each_verdict_once(
    loaded: Database, site: Site, server: Server, arguments: list[str]
) -> None:
    name = loaded.read("MATCH (n:Network) RETURN n.id AS id ORDER BY n.id LIMIT 1")[0]["id"]
    home = server.folder.parent
    before = read_ledger(home, LABELS).num_rows
    ask(loaded, "judge_network", network=name, label="abusive")
    assert pull_verdicts.main(arguments, site.engine) == 0
    ask(loaded, "judge_network", network=name, label="unsure", reviewer="reviewer-2")
    loaded.write("CREATE (:Verdict {id: 'broken'})")
    assert pull_verdicts.main(arguments, site.engine) == 0
    assert pull_verdicts.main([*arguments, "--strict"], site.engine) == 4
    labels = read_ledger(home, LABELS)
    assert labels.num_rows == before + 2
    snapshots = read_ledger(home, SNAPSHOTS)
    judged = set(labels.column("snapshot_sha256").to_pylist()) - {None}
    assert judged <= set(snapshots.column("snapshot_sha256").to_pylist())


def test_what_verdicts_say_of_members_is_loaded_and_joiners_are_unreviewed(
    loaded: Database, site: Site, arguments: list[str]
) -> None:
    """No snapshot was taken of the network, so the verdicts bring one of their own, once."""
    (largest,) = loaded.read(
        "MATCH (n:Network)<-[m:MEMBER_OF]-(a) WITH n, a, m ORDER BY m.role <> 'actor', a.id "
        "RETURN n.id AS id, collect(a.id) AS members, sum(toInteger(m.role = 'actor')) AS actors "
        "ORDER BY actors DESC, id LIMIT 1"
    )
    name, accounts = largest["id"], largest["members"]
    loaded.write("MATCH (n:Network {id: $name}) REMOVE n.snapshot", name=name)
    both = ("reviewer-1", "reviewer-2")
    some = {"network": name, "accounts": accounts[:2], "label": "abusive"}
    given = [ask(loaded, "judge_members", reviewer=each, **some) for each in both]

    def review() -> dict[str, Any]:
        assert pull_verdicts.main(arguments, site.engine) == 0
        assert load_neo4j.main(arguments, site.engine) == 0
        (row,) = loaded.read(
            "MATCH (n:Network {id: $name}) "
            "RETURN n.verdict AS verdict, n.unreviewed_accounts AS unreviewed",
            name=name,
        )
        return row

    assert review() == {"verdict": "abusive", "unreviewed": len(accounts) - 2}
    waiting = {row["network"]: row["why"] for row in ask(loaded, "awaiting_review")}
    assert waiting[name] == "accounts joined since"

    given.append(ask(loaded, "judge_account", account=accounts[2], label="benign"))
    assert review() == {"verdict": "mixed", "unreviewed": len(accounts) - 3}
    waiting = {row["network"]: row["why"] for row in ask(loaded, "awaiting_review")}
    assert waiting[name] == "verdicts differ"

    for (answer,), reviewer in zip(given, (*both, "reviewer-1"), strict=True):
        ask(loaded, "withdraw_verdict", verdict=answer["verdict"], reviewer=reviewer)
    assert review() == {"verdict": "unreviewed", "unreviewed": len(accounts)}
