"""The other formats, judged by their own programs and rules."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from exporters.enforcement.files import files_of
from exporters.enforcement.format_checks import check_formats
from exporters.enforcement.json_schemas import schemas
from signatures.frozen_evidence import FrozenEvidence
from tests.exporters.enforcement.builders import CONTENT, decided, entity, many, write


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


STATEMENT = {
    "type": "object",
    "required": [
        "puid", "decision_ground", "content_type", "category", "content_date", "application_date",
        "decision_facts", "source_type", "automated_detection", "automated_decision",
        "incompatible_content_ground", "incompatible_content_explanation",
    ],
    "anyOf": [{"required": ["decision_visibility"]}, {"required": ["decision_account"]}],
    "additionalProperties": False,
    "properties": {
        "puid": {"type": "string", "maxLength": 500, "pattern": "^[A-Za-z0-9-_]+$"},
        "decision_ground": {
            "enum": ["DECISION_GROUND_INCOMPATIBLE_CONTENT", "DECISION_GROUND_ILLEGAL_CONTENT"]
        },
        "content_type": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "content_type_other": {"type": "string"},
        "category": {"type": "string", "pattern": "^STATEMENT_CATEGORY_"},
        "category_specification": {"type": "array", "items": {"pattern": "^KEYWORD_"}},
        "content_date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "application_date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "decision_facts": {"type": "string", "maxLength": 5000},
        "source_type": {"const": "SOURCE_VOLUNTARY"},
        "automated_detection": {"enum": ["Yes", "No"]},
        "automated_decision": {"pattern": "^AUTOMATED_DECISION_(FULLY|PARTIALLY|NOT_AUTOMATED)$"},
        "incompatible_content_ground": {"type": "string", "maxLength": 500},
        "incompatible_content_explanation": {"type": "string", "maxLength": 2000},
        "decision_account": {
            "enum": ["DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"]
        },
        "decision_visibility": {"type": "array"},
        "decision_visibility_other": {"type": "string"},
        "end_date_account_restriction": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "end_date_visibility_restriction": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    },
}  # fmt: skip
"""The rules of the transparency database's own check of statements, copied by hand."""


def statements(folder: Path) -> list[dict[str, Any]]:
    return [
        statement
        for path in sorted(folder.glob("dsa_statements-*.json"))
        for statement in read(path)["statements"]
    ]


def test_statements_are_as_the_transparency_database_wants_them(tmp_path: Path) -> None:
    actions = ["suspend", "terminate", "limit_reach", "remove_engagement", "challenge"]
    decisions = [
        decided(f"a{number}", action=action, duration_s=86400)
        for number, action in enumerate(actions)
    ]
    folder, _ = write(tmp_path, decisions)
    found = statements(folder)
    assert len(found) == 4  # a challenge restricts nothing
    for each in found:
        jsonschema.validate(each, STATEMENT)


def test_statements_name_nobody(tmp_path: Path) -> None:
    folder, _ = write(tmp_path, [decided("somebody@example.org", "net-77")])
    text = "".join(path.read_text() for path in folder.glob("dsa_*.json"))
    for personal in ("somebody", "net-77", "dev-1", "203.0.113.7"):
        assert personal not in text


def test_a_public_id_does_not_tell_whom_it_is_about(tmp_path: Path) -> None:
    """Who has a list of accounts could hash them and look: the id is keyed."""
    folder, _ = write(tmp_path / "1", [decided("a1")])
    (ours,) = (each["puid"] for each in statements(folder))
    assert decided("a1").row["decision_id"] not in ours
    other, _ = write(tmp_path / "2", [decided("a1")], made_by={"key": b"x" * 32})
    assert ours not in {each["puid"] for each in statements(other)}


HARM = {
    "ids-00001.json": ('["a0000"', "[0"),
    "signals.jsonl": ('"INVESTIGATION_SEED"', '"CERTAIN"'),
    "dsa_statements-00001.json": ('"content_type_other":"Account",', ""),
}


@pytest.mark.parametrize("name", HARM)
def test_no_format_is_published_that_is_not_as_its_schema_says(tmp_path: Path, name: str) -> None:
    folder, _ = write(tmp_path, many(3))
    assert list(check_formats(folder)) == []
    path = folder / name
    text = path.read_text()
    assert HARM[name][0] in text
    path.write_text(text.replace(*HARM[name], 1))
    (problem,) = check_formats(folder)
    assert problem.startswith(name)


@pytest.mark.parametrize("name", ["ids", "dsa_statements", "dsa_corrections", "signals"])
def test_formats_are_as_their_json_schemas_say(batch: Path, back: Path, name: str) -> None:
    schema = schemas()[f"{name}.schema.json"]
    found = [path for folder in (batch, back) for path in folder.glob(f"{name}*")]
    assert found
    for path in found:
        for each in lines(path) if path.suffix == ".jsonl" else [read(path)]:
            jsonschema.validate(each, schema)


def test_a_policy_that_is_not_reported_makes_no_statement(tmp_path: Path) -> None:
    folder, _ = write(tmp_path, [decided("a1", policy_id="ban_evasion")])
    assert statements(folder) == []


@pytest.mark.parametrize(("count", "sizes"), [(100, [100]), (101, [100, 1]), (250, [100, 100, 50])])
def test_a_file_has_at_most_a_hundred_statements(
    tmp_path: Path, count: int, sizes: list[int]
) -> None:
    folder, _ = write(tmp_path, many(count), others=["dsa"])
    files = sorted(folder.glob("dsa_statements-*.json"))
    assert [len(read(path)["statements"]) for path in files] == sizes
    assert len({each["puid"] for each in statements(folder)}) == count


def test_corrections_name_the_statements_that_were_sent(batch: Path, back: Path) -> None:
    sent = {each["puid"] for each in statements(batch)}
    (path,) = back.glob("dsa_corrections-*.json")
    corrected = {each["puid"] for each in read(path)["corrections"]}
    assert corrected <= sent
    assert len(corrected) == 5
    assert not list(back.glob("dsa_statements-*"))


def test_a_content_is_signalled_once_a_network_as_a_seed(batch: Path) -> None:
    signals = lines(batch / "signals.jsonl")
    assert [each["signal_str"] for each in signals] == [CONTENT] * 3
    assert {(each["signal_type"], each["opinion"]) for each in signals} == {
        ("HASH_SHA256", "INVESTIGATION_SEED")
    }


def test_only_reviewed_content_is_a_positive_class(tmp_path: Path) -> None:
    folder, _ = write(tmp_path, [replace(decided("a1"), reviewer="lead_1")])
    assert lines(folder / "signals.jsonl")[0]["opinion"] == "POSITIVE_CLASS"


def test_sensitive_content_never_leaves(tmp_path: Path) -> None:
    made_by = {"sensitive": frozenset({("content", CONTENT)})}
    folder, _ = write(tmp_path, many(3), made_by=made_by)
    for name, path in files_of(folder).items():
        assert CONTENT not in path.read_text(), name


def test_withdrawn_signals_say_so(back: Path) -> None:
    assert {each["withdrawn"] for each in lines(back / "signals_withdrawn.jsonl")} == {True}
    assert not (back / "signals.jsonl").exists()


def test_what_is_evidence_of_accounts_that_stand_is_not_withdrawn(tmp_path: Path) -> None:
    mine = FrozenEvidence([entity(), entity(entity_id="d" * 64)])
    taken = replace(decided("a1"), evidence=mine)
    folder, _ = write(tmp_path, [taken, decided("a2", stands=True)], "20261123-r1", "reverse")
    told = lines(folder / "signals_withdrawn.jsonl")
    assert [each["signal_str"] for each in told] == ["d" * 64]


def test_a_statement_says_in_words_how_automated_it_was(tmp_path: Path) -> None:
    folder, _ = write(tmp_path, [decided("a1"), decided("a2", route="investigated")])
    facts = [each["decision_facts"] for each in statements(folder)]
    assert facts[0].endswith("without a look at each network.")
    assert facts[1].endswith("Two people looked at the network and decided.")


def test_bulk_tools_get_a_thousand_ids_at_once(tmp_path: Path) -> None:
    folder, _ = write(tmp_path, many(2001), others=["ids"])
    files = [read(path) for path in sorted(folder.glob("ids-*.json"))]
    assert [len(each["account_ids"]) for each in files] == [1000, 1000, 1]
    assert sorted(name for each in files for name in each["account_ids"]) == [
        each.row["account_id"] for each in many(2001)
    ]


def test_bulk_tools_get_no_hash_of_who_was_forgotten(tmp_path: Path) -> None:
    forgotten = "hmac-sha256:" + "7" * 64
    folder, _ = write(tmp_path, [decided("a1"), decided(forgotten)], operation="reverse")
    assert read(folder / "ids-00001.json")["account_ids"] == ["a1"]
    assert [row["account_id"] for row in lines(folder / "accounts.jsonl")] == ["a1", forgotten]


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "disclosure.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_disclosure_table_names_no_account(batch: Path) -> None:
    told = [(row["network"], row["accounts"], row["followers"]) for row in table(batch)]
    assert told == [("n000", "5", "50"), ("n001", "5", "50"), ("n002", "2", "20")]
    assert {row["origin"] for row in table(batch)} == {"de"}
    assert "a0001" not in (batch / "disclosure.csv").read_text()


def test_the_disclosure_table_tells_what_is_ordered_and_victims_apart(tmp_path: Path) -> None:
    victims = [
        decided(name, "n1", subject_role="compromised", action="secure_account", market="fr")
        for name in ("v1", "v2", "v3")
    ]
    actors = [decided("a1", "n1"), decided("a2", "n1", action="challenge")]
    only_victims = [replace(each, row={**each.row, "network_id": "n2"}) for each in victims]
    folder, _ = write(tmp_path, [*actors, *victims, *only_victims], others=["disclosure"])
    mixed, hijacked = table(folder)
    assert mixed["actions"] == "challenge: 1; secure_account: 3; suspend: 1"
    assert (mixed["accounts"], mixed["victims"], mixed["network_accounts"]) == ("2", "3", "7")
    assert mixed["origin"] == "de"
    assert mixed["what_it_did"].startswith("A coordinated network of 5 accounts.")
    assert (hijacked["accounts"], hijacked["victims"]) == ("0", "3")
    assert (hijacked["origin"], hijacked["followers"]) == ("", "")
    assert hijacked["what_it_did"].endswith("They are victims.")
    assert "removed" not in (folder / "disclosure.csv").read_text()


def test_a_stage_has_the_origin_of_the_whole_batch(tmp_path: Path) -> None:
    made_by = {"stage": "1 of 3", "origins": {"n000": "fr"}}
    folder, _ = write(tmp_path, many(2), others=["disclosure"], made_by=made_by)
    assert [row["origin"] for row in table(folder)] == ["fr"]


def test_a_stage_and_a_reversal_are_told_from_a_whole_takedown(tmp_path: Path) -> None:
    stage, _ = write(
        tmp_path, many(2), "20261122-e1-2", others=["disclosure"], made_by={"stage": "2 of 3"}
    )
    (row,) = table(stage)
    assert row["origin"] == ""  # the whole batch has none, so that no part of it tells one
    assert (row["batch"], row["stage"], row["operation"]) == ("20261122-e1-2", "2 of 3", "apply")
    assert (row["accounts"], row["network_accounts"]) == ("2", "7")
    back, _ = write(tmp_path, many(1), "20261123-r1", "reverse", others=["disclosure"])
    (row,) = table(back)
    assert (row["operation"], row["actions"], row["accounts"]) == ("reverse", "suspend: 1", "1")
    assert row["what_it_did"].endswith("is taken back.")


@pytest.mark.parametrize(
    ("markets", "origin"),
    [(["de", "de", "fr"], "de"), (["de", "fr"], ""), ([None, None, "de"], ""), ([None], "")],
)
def test_origin_is_where_most_accounts_are(
    tmp_path: Path, markets: list[str | None], origin: str
) -> None:
    decisions = [decided(f"a{number}", market=market) for number, market in enumerate(markets)]
    folder, _ = write(tmp_path, decisions, others=["disclosure"])
    assert [row["origin"] for row in table(folder)] == [origin]
