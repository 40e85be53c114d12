"""What saved queries answer, where a plain look at the graph would mislead an investigator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from exporters.neo4j import Database
from exporters.neo4j_load import load
from exporters.neo4j_queries import read_queries
from graph.links import LINKS
from jobs import load_neo4j
from jobs.database.server import Server
from jobs.warehouse import Warehouse
from tests.integration.database.parts import AT, DAY, merged, network, parts
from tests.integration.sites import DAY as site_day
from tests.integration.sites import Site

QUERIES = {query.id: query for query in read_queries()}
GIVEN = {
    "network": "n1",
    "abuse_type": "",
    "policy": "",
    "reason": "the same text, seconds apart",
    "reviewer": "reviewer-1",
}

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(database: Database, tmp_path: Path) -> Ask:
    """Asks about a network of three that posted one text, the first of them a day too early."""
    rows = network("n1", ["a", "b", "c"])
    rows["Network"][0].update(
        verdict="unreviewed", unreviewed_accounts=3, likelihood=0.51, calibrated=False, harm=1.0,
        days=["2026-11-16: 3 members", "2026-11-17: 2 members", "2026-11-22: 3 members"],
    )  # fmt: skip
    rows["Content"] = [{"id": "c1", "degree": 3, "is_hub": False}]
    posted = {"a": AT - timedelta(days=1), "b": AT, "c": AT + timedelta(seconds=40)}
    rows["Account_POSTED_Content"] = [
        {"start_id": each, "end_id": "c1", "first_seen_at": at} for each, at in posted.items()
    ]
    for row, role in zip(
        rows["Account_MEMBER_OF_Network"], ("actor", "target", "target"), strict=True
    ):
        row.update(role=role, role_reasons=[f"is {role}"])
        row["reasons"] = ["the signature is not stable yet", "the account is protected"]
    load(database, parts(tmp_path, rows), DAY, "networks", lambda *_, **__: None)

    def answer(name: str, **given: Any) -> list[dict[str, Any]]:
        return database.write(QUERIES[name].forms()["table"], **{**GIVEN, **given})

    return answer


def test_a_pause_is_told_only_where_nobody_acted(ask: Ask) -> None:
    days = [(str(row["day"]), row["active"], row["days_of_pause"]) for row in ask("timeline")]
    assert days == [
        ("2026-11-16", "3 members", None),
        ("2026-11-17", "2 members", 0),
        ("2026-11-22", "3 members", 4),
    ]


def test_content_is_found_wherever_members_posted_it_together(ask: Ask) -> None:
    (row,) = ask("content_within_minutes", minutes=1)
    assert (row["members_within"], row["members"], row["first_ten"]) == (2, 3, ["b", "c"])
    assert (row["first_at"], row["last_at"]) == ("2026-11-22 10:30:15", "2026-11-22 10:30:55")


def test_both_sides_say_how_many_and_what_speaks_for_neither(ask: Ask) -> None:
    told = [(row["side"], row["what"], row["reason"]) for row in ask("evidence_both_sides")]
    assert told == [
        ("against", "members that are target: 2", "is target: b c"),
        ("against", "members not proposed: 3", "the account is protected"),
        ("open", "members not proposed: 3", "the signature is not stable yet"),
    ]


def test_both_sides_tell_of_overrides_and_of_accepted_samples(
    database: Database, tmp_path: Path
) -> None:
    rows = network("n1", ["a", "b", "c"])
    why = (
        "the innocent explanation Campus matches, and was overridden by ann on 2026-11-20: a script"
    )
    sample = "two reviewers accepted a sample of the accounts of its network: ben, cleo, 2026-11-21"
    for row in rows["Account_MEMBER_OF_Network"]:
        row.update(overridden=[why])
    rows["Account_MEMBER_OF_Network"][0].update(sample=sample)
    load(database, parts(tmp_path, rows), DAY, "networks", lambda *_, **__: None)
    asked = database.write(QUERIES["evidence_both_sides"].forms()["table"], **GIVEN)
    assert [(row["side"], row["what"], row["reason"]) for row in asked] == [
        ("for", "members whom an accepted sample lets through: 1", sample),
        ("against", "members whose innocent explanation was overridden: 3", why),
    ]
    first, *_ = database.write(QUERIES["open_network"].forms()["table"], **GIVEN)
    assert (first["account"], first["overridden"], first["accepted_sample"]) == ("a", [why], sample)
    account = database.write(QUERIES["account"].forms()["table"], **GIVEN, account="a")
    (told,) = (row["details"] for row in account if row["what"] == "member of")
    assert {why, sample} <= set(told)


def test_a_network_waits_again_once_the_action_was_taken_back(
    database: Database, tmp_path: Path
) -> None:
    rows = network("n1", ["a", "b"])
    rows["Network"][0].update(verdict="reversed", unreviewed_accounts=0)
    load(database, parts(tmp_path, rows), DAY, "networks", lambda *_, **__: None)
    (row,) = database.write(QUERIES["awaiting_review"].forms()["table"])
    assert (row["network"], row["why"]) == ("n1", "the action was taken back")


def test_near_those_who_were_acted_against_are_not_the_neighbours_of_those_who_were_secured(
    database: Database, tmp_path: Path
) -> None:
    """One network had an actor suspended and a hijacked account secured, the other only that."""
    farm, victims = network("farm", ["actor", "hijacked"]), network("victims", ["vic"], "d2")
    farm["Account"][0]["enforced"] = True
    farm["Network"][0]["enforced_accounts"] = 1
    victims["Network"][0]["enforced_accounts"] = 0
    rows = merged(farm, victims)
    others = {"near_actor": "d3", "near_hijacked": "d4", "near_vic": "d2"}
    rows["Account"] += [{"id": name} for name in others]
    rows["Device"] += [{"id": name, "degree": 2, "is_hub": False} for name in ("d3", "d4")]
    uses = [*others.items(), ("actor", "d3"), ("hijacked", "d4")]
    rows["Account_USED_DEVICE_Device"] += [
        {"start_id": account, "end_id": device, "events": 2} for account, device in uses
    ]
    load(database, parts(tmp_path, rows), DAY, "all", lambda *_, **__: None)
    found = database.write(QUERIES["near_enforced"].forms()["table"])
    assert [(row["account"], row["enforced_network"]) for row in found] == [("near_actor", "farm")]


def test_a_verdict_that_was_taken_back_is_no_evidence_and_is_told_apart(ask: Ask) -> None:
    (wrong,) = ask("judge_network", label="abusive")
    (kept,) = ask("judge_network", label="benign", reviewer="reviewer-2")
    (end,) = ask("withdraw_verdict", verdict=wrong["verdict"], reason="wrong network")
    told = [row["what"] for row in ask("evidence_both_sides") if "verdict" in row["what"]]
    assert told == ["benign verdict of reviewer-2, members: 3"]
    said = {row["verdict"]: row for row in ask("verdicts_on")}
    assert {name: row["holds"] for name, row in said.items()} == {
        kept["verdict"]: True,
        wrong["verdict"]: False,
        end["verdict"]: False,
    }
    assert said[end["verdict"]]["supersedes"] == wrong["verdict"]


def test_what_was_said_in_files_and_on_appeal_is_seen_beside_verdicts_of_the_database(
    database: Database, tmp_path: Path
) -> None:
    rows: dict[str, Any] = network("n1", ["a", "b", "c"])
    said = {"reviewed_at": AT, "holds": True, "reviewer": "r1", "source": "investigation"}
    on_n1 = {"subject_type": "network", "subject_id": "n1", "reason": "they act as one"}
    on_a = {"subject_type": "account", "subject_id": "a", "reason": "own_device_was_stolen"}
    rows["Judgement"] = [
        {"id": "file", "label": "abusive", **on_n1, **said},
        {"id": "appeal:1", "label": "benign", **on_a, **said, "source": "appeal"},
        {"id": "given", "label": "abusive", **on_n1, **said, "holds": False},
    ]
    rows["Network_JUDGED_BY_Judgement"] = [
        {"start_id": "n1", "end_id": each, "members": 3} for each in ("file", "given")
    ]
    rows["Account_JUDGED_BY_Judgement"] = [{"start_id": "a", "end_id": "appeal:1"}]
    load(database, parts(tmp_path, rows), DAY, "networks", lambda *_, **__: None)
    database.write(
        "MATCH (n:Network) CREATE (:Verdict {id: 'given', label: 'abusive', reviewer: 'r2', "
        "members: ['a', 'b', 'c'], reason: 'pulled, then replaced by a file'})-[:ON]->(n)"
    )

    def answer(name: str) -> list[dict[str, Any]]:
        return database.read(QUERIES[name].forms()["table"], network="n1")

    told = [
        (row["verdict"], row["about"], row["source"], row["holds"]) for row in answer("verdicts_on")
    ]
    assert sorted(told) == [
        ("appeal:1", "a", "appeal", True),
        ("file", "this network", "investigation", True),
        ("given", "this network", "this database", False),
    ]
    sides = [(row["side"], row["what"], row["reason"]) for row in answer("evidence_both_sides")]
    assert sides == [
        ("for", "abusive by investigation of r1, members: 3", "they act as one"),
        ("against", "benign by appeal of r1, members: 1", "own_device_was_stolen"),
    ]


def test_a_network_that_is_gone_says_so_and_carries_only_verdicts_that_hold(
    ask: Ask, database: Database, tmp_path: Path
) -> None:
    database.write("MATCH (n:Network) SET n.lineage = ['n0']")
    (wrong,) = ask("judge_network", label="abusive")
    ask("judge_network", label="unsure", reviewer="reviewer-2")
    later: dict[str, Any] = network("n2", ["a", "b", "c"])
    later["Network"][0]["lineage"] = ["n0", "n1"]
    later["Network_SUCCEEDS_Network"] = [{"start_id": "n2", "end_id": "n1"}]
    next_day = DAY + timedelta(days=1)
    load(database, parts(tmp_path / "2", later), next_day, "networks", lambda *_, **__: None)

    def told() -> list[tuple[Any, ...]]:
        rows = ask("merged_networks")
        return [(row["network"], row["gone"], sorted(row["older_verdicts"])) for row in rows]

    assert told() == [("n2", False, ["n1: abusive", "n1: unsure"]), ("n1", True, [])]
    ask("withdraw_verdict", verdict=wrong["verdict"], reason="wrong network")
    assert told() == [("n2", False, ["n1: unsure"]), ("n1", True, [])]


def test_each_trace_has_its_own_surprise(loaded: Database, server: Server) -> None:
    """A pair that two traces link: that one of them is surprising says nothing of the other."""
    table = Warehouse(server.folder.parent / "warehouse").path(LINKS.name, site_day)
    kept = {
        (row["account_a"], row["account_b"], row["trace"]): row["surprise"]
        for row in pq.read_table(table).to_pylist()
        if row["kept"]
    }
    pairs = loaded.read(
        "MATCH (a:Account)-[l:LINKED_TO]->(b) "
        "RETURN a.id AS a, b.id AS b, l.traces AS traces, l.surprises AS surprises"
    )
    told = {
        (row["a"], row["b"], trace): surprise
        for row in pairs
        for trace, surprise in zip(row["traces"], row["surprises"], strict=True)
    }
    assert any(len(row["traces"]) > 1 for row in pairs)
    assert told == {key: kept[key] for key in told}
    (mixed,) = [row for row in pairs if len(row["traces"]) > 1][:1]
    by_trace = [
        (row["shared"], row["by_chance"])
        for row in loaded.read(
            QUERIES["why_linked"].forms()["table"], account_a=mixed["b"], account_b=mixed["a"]
        )
        if row["by_chance"]
    ]
    assert by_trace == [
        (trace, chance(surprise))
        for trace, surprise in zip(mixed["traces"], mixed["surprises"], strict=True)
    ]
    of_networks = loaded.read(
        "MATCH (n:Network)<-[:MEMBER_OF]-(a:Account) RETURN n.id AS id, n.traces AS traces, "
        "n.trace_pairs AS pairs, n.trace_surprises AS surprises, collect(a.id) AS members"
    )
    for each in of_networks:
        inside: dict[str, list[float]] = {}
        for (a, b, trace), surprise in kept.items():
            if {a, b} <= set(each["members"]):
                inside.setdefault(trace, []).append(surprise)
        assert each["traces"] == sorted(inside)
        assert each["pairs"] == [len(inside[trace]) for trace in each["traces"]]
        assert each["surprises"] == [max(inside[trace]) for trace in each["traces"]]
        told_of_it = [
            (row["what"], row["reason"])
            for row in loaded.read(
                QUERIES["evidence_both_sides"].forms()["table"], network=each["id"]
            )
            if row["what"].startswith("pairs linked by")
        ]
        assert sorted(told_of_it) == [
            (
                f"pairs linked by {trace}: {len(inside[trace])}",
                f"most surprising pair: {chance(max(inside[trace]))}",
            )
            for trace in sorted(inside)
        ]


def chance(surprise: float) -> str:
    return f"by chance once in 10^{int(surprise)}" if surprise >= 1 else "chance may explain it"


@pytest.mark.parametrize(
    "wrong", [{"label": "Abusive"}, {"reason": " "}, {"reviewer": ""}, {"network": "n2"}]
)
def test_a_verdict_that_could_not_be_pulled_is_never_written(
    ask: Ask, database: Database, wrong: dict[str, str]
) -> None:
    given = {"label": "abusive", **wrong}
    assert ask("judge_network", **given) == []
    assert ask("judge_members", accounts=["a"], **given) == []
    if "network" not in wrong:
        assert ask("judge_account", account="a", **given) == []
    assert database.read("MATCH (v:Verdict) RETURN v") == []


@pytest.mark.parametrize(
    "change",
    [
        "MATCH (v:Verdict) SET v.label = 'guilty'",
        "MATCH (v:Verdict) SET v.reason = null",
        "MATCH (v:Verdict) SET v.reviewed_at = v.reviewed_at - duration('P91D')",
    ],
)
def test_only_a_verdict_that_holds_keeps_a_network_from_those_that_wait(
    ask: Ask, database: Database, change: str
) -> None:
    assert [row["why"] for row in ask("awaiting_review")] == ["not judged yet"]
    ask("judge_network", label="benign")
    assert ask("awaiting_review") == []
    database.write(change)
    assert [row["why"] for row in ask("awaiting_review")] == ["not judged yet"]


def test_what_something_innocent_explains_waits_for_nobody_but_for_who_joined(
    ask: Ask, database: Database
) -> None:
    database.write("MATCH (n:Network) SET n.disposition = 'explained' RETURN n")
    assert ask("awaiting_review") == []
    database.write("MATCH (n:Network) SET n.verdict = 'benign', n.unreviewed_accounts = 1 RETURN n")
    assert [row["why"] for row in ask("awaiting_review")] == ["accounts joined since"]


def test_who_takes_a_verdict_back_puts_the_network_among_those_that_wait(ask: Ask) -> None:
    (given,) = ask("judge_network", label="abusive")
    ask("withdraw_verdict", verdict=given["verdict"], reason="wrong network")
    assert [row["why"] for row in ask("awaiting_review")] == ["not judged yet"]


def test_what_is_written_past_the_saved_queries_takes_nothing_back(
    ask: Ask, database: Database
) -> None:
    """`pull-verdicts` refuses these, so the verdict stands, and nobody needs to look again."""
    ask("judge_network", label="abusive")
    for changed in ("reason: ''", "reviewer: 'somebody else'"):
        database.write(
            "MATCH (v:Verdict)-[:ON]->(n) WHERE v.label <> 'withdrawn' CREATE (w:Verdict {label: "
            "'withdrawn', reason: 'wrong', reviewer: v.reviewer, supersedes: v.id})-[:ON]->(n) "
            f"SET w += {{{changed}}}"
        )
    assert ask("awaiting_review") == []


def test_a_network_on_a_colleagues_desk_is_taken_over_on_purpose_alone(ask: Ask) -> None:
    other = {"reviewer": "reviewer-2", "days": 3}
    assert len(ask("take_network", days=3, state="open")) == 1
    assert ask("take_network", state="open", **other) == []
    assert len(ask("take_network", days=5, state="waiting", reviewer="Reviewer-1 ")) == 1
    assert ask("take_over_network", colleague="reviewer-3", **other) == []
    (row,) = ask("take_over_network", colleague="Reviewer-1", **other)
    assert (row["owner"], row["state"]) == ("reviewer-2", "waiting")
    assert len(ask("take_network", state="done", **other)) == 1
    assert len(ask("take_network", days=3, state="open")) == 1, "what is done is free"


def test_a_note_says_something_and_who_says_it(ask: Ask) -> None:
    assert ask("add_note", text=" ") == ask("add_note", text="look", reviewer="") == []
    assert [row["text"] for row in ask("add_note", text="look again")] == ["look again"]


def test_a_network_that_is_no_longer_found_stays_on_the_desk_until_it_is_done(
    ask: Ask, database: Database, tmp_path: Path
) -> None:
    desk = {"days": 3, "state": "open"}
    assert len(ask("take_network", **desk)) == 1
    assert ask("take_network", days=3, state="finished") == []
    for number, name in enumerate(("n2", "n3"), start=1):
        found = parts(tmp_path / name, network(name, ["d", "e", "f"]))
        load(database, found, DAY + timedelta(days=number), "networks", lambda *_, **__: None)
        left = [(row["network"], row["gone"]) for row in ask("my_queue")]
        assert left == ([("n1", True)] if name == "n2" else [])
        ask("take_network", days=3, state="done")
    assert database.read("MATCH (n:Network {id: 'n1'}) RETURN n") == []


def test_a_load_that_cannot_be_is_refused_before_it_is_prepared(
    loaded: Database, site: Site, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_neo4j, "_parts", lambda _: pytest.fail("prepared"))
    assert load_neo4j.main([*arguments, "--mode", "bulk"], site.engine) == 6
    loaded.write("MATCH (l:Load) SET l.ds = '2999-01-01'")
    assert load_neo4j.main(arguments, site.engine) == 6
    monkeypatch.setenv("NEO4J_URI", loaded.address.uri)
    monkeypatch.setenv("NEO4J_USERNAME", "neo4j")
    monkeypatch.setenv("NEO4J_PASSWORD", "wrong")
    assert load_neo4j.main(arguments, site.engine) == 5
