"""The other formats, judged by their own programs and rules."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import stix2

from exporters.enforcement.format_checks import check_formats
from exporters.enforcement.json_schemas import schemas
from exporters.stix import observable
from signatures.frozen_evidence import FrozenEvidence
from tests.exporters.enforcement.builders import CONTENT, decided, entity, many, write


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("batches"), many(12))[0]


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("back"), many(5), "20261123-r1", "reverse")[0]


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", ["stix_bundle.json", "stix_internal.json"])
def test_stix2_accepts_the_bundle(batch: Path, back: Path, name: str) -> None:
    for folder in (batch, back):
        bundle = stix2.parse((folder / name).read_text(), version="2.1")
        kinds = {thing.type for thing in bundle.objects}
        assert kinds >= {
            "attack-pattern", "file", "grouping", "note", "observed-data", "relationship",
            "user-account",
        }  # fmt: skip
        assert ("ipv4-addr" in kinds) == (name == "stix_internal.json")


def test_ids_of_observables_are_those_of_stix2() -> None:
    ours = observable("user-account", user_id="a1")
    assert ours["id"] == stix2.UserAccount(user_id="a1").id
    address = observable("ipv4-addr", value="203.0.113.7")
    assert address["id"] == stix2.IPv4Address(value="203.0.113.7").id
    file = observable("file", hashes={"SHA-256": CONTENT})
    assert file["id"] == stix2.File(hashes={"SHA-256": CONTENT}).id


def test_what_is_taken_back_is_a_revoked_version_of_the_same_grouping(
    batch: Path, back: Path
) -> None:
    def groupings(folder: Path) -> dict[str, dict[str, Any]]:
        objects = read(folder / "stix_bundle.json")["objects"]
        return {each["id"]: each for each in objects if each["type"] == "grouping"}

    before, after = groupings(batch), groupings(back)
    assert len(after) == 1
    for name, group in after.items():
        assert group["revoked"] is True
        assert group["created"] == before[name]["created"]
        assert group["modified"] >= before[name]["modified"]


def objects(folder: Path, kind: str) -> dict[str, dict[str, Any]]:
    found = [each for each in read(folder / "stix_bundle.json")["objects"] if each["type"] == kind]
    assert len({each["id"] for each in found}) == len(found)
    return {each["id"]: each for each in found}


def test_every_reference_of_a_bundle_leads_to_an_object_of_it(batch: Path) -> None:
    things = read(batch / "stix_bundle.json")["objects"]
    ids = {each["id"] for each in things}
    for each in things:
        ends = [each[name] for name in ("source_ref", "target_ref") if name in each]
        assert {*each.get("object_refs", ()), *ends} <= ids


def test_techniques_are_named_as_at_their_source_and_once(batch: Path, back: Path) -> None:
    patterns = objects(batch, "attack-pattern")
    told = [(each["name"], each["external_references"][0]) for each in patterns.values()]
    assert told == [
        (
            "Use Copypasta",
            {
                "source_name": "DISARM",
                "external_id": "T0084.001",
                "url": "https://github.com/DISARMFoundation/DISARMframeworks/blob/main/"
                "generated_pages/techniques/T0084.001.md",
            },
        ),
        (
            "Social Media Accounts",
            {
                "source_name": "mitre-attack",
                "external_id": "T1585.001",
                "url": "https://attack.mitre.org/techniques/T1585/001/",
            },
        ),
    ]
    links = objects(batch, "relationship").values()
    assert {(each["source_ref"], each["target_ref"]) for each in links} == {
        (grouping, pattern) for grouping in objects(batch, "grouping") for pattern in patterns
    }
    assert objects(back, "attack-pattern") == patterns  # a technique is not taken back


def test_what_was_observed_of_an_account_has_its_times(batch: Path) -> None:
    seen = objects(batch, "observed-data").values()
    assert len(seen) == 12
    accounts = objects(batch, "user-account")
    for each in seen:
        assert each["first_observed"] == "2026-11-20T08:00:00Z"
        assert each["last_observed"] == "2026-11-21T09:30:00Z"
        assert each["number_observed"] == 12  # pairs of events over three entities
        assert len(set(each["object_refs"]) & set(accounts)) == 1


def test_an_account_without_shared_entities_was_observed_on_its_day(tmp_path: Path) -> None:
    from dataclasses import replace

    folder, _ = write(tmp_path, [replace(decided("a1"), evidence=FrozenEvidence())])
    stix2.parse((folder / "stix_bundle.json").read_text(), version="2.1")
    (seen,) = objects(folder, "observed-data").values()
    assert seen["first_observed"] == "2026-11-22T00:00:00.000Z"


@pytest.mark.parametrize("kind", ["observed-data", "relationship", "note"])
def test_what_speaks_of_accounts_is_revoked_with_them(batch: Path, back: Path, kind: str) -> None:
    before, after = objects(batch, kind), objects(back, kind)
    assert set(after) <= set(before)
    for name, each in after.items():
        assert each["revoked"] is True
        assert each["created"] == before[name]["created"]


def test_stages_of_a_batch_have_groupings_of_their_own(tmp_path: Path) -> None:
    """Else the second would be taken for a version of the first, and its accounts lost."""
    first, _ = write(tmp_path, [decided("a1")], "20261122-e1-1")
    second, _ = write(tmp_path, [decided("a2")], "20261122-e1-2")
    assert not set(objects(first, "grouping")) & set(objects(second, "grouping"))


def test_addresses_are_only_in_the_internal_bundle(tmp_path: Path) -> None:
    from dataclasses import replace

    shared = entity(family="network", entity_type="ip", entity_id="2001:db8:1:2::")
    folder, _ = write(tmp_path, [replace(decided("a1"), evidence=FrozenEvidence([shared]))])
    assert "2001:db8" not in (folder / "stix_bundle.json").read_text()
    bundle = stix2.parse((folder / "stix_internal.json").read_text())
    assert [each.value for each in bundle.objects if each.type == "ipv6-addr"] == ["2001:db8:1:2::"]


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
    from dataclasses import replace

    folder, _ = write(tmp_path, [replace(decided("a1"), reviewer="lead_1")])
    assert lines(folder / "signals.jsonl")[0]["opinion"] == "POSITIVE_CLASS"


def test_sensitive_content_never_leaves(tmp_path: Path) -> None:
    made_by = {"sensitive": frozenset({("content", CONTENT)})}
    folder, _ = write(tmp_path, many(3), made_by=made_by)
    for path in folder.iterdir():
        assert CONTENT not in path.read_text(), path.name


def test_withdrawn_signals_say_so(back: Path) -> None:
    assert {each["withdrawn"] for each in lines(back / "signals_withdrawn.jsonl")} == {True}
    assert not (back / "signals.jsonl").exists()


def test_bulk_tools_get_a_thousand_ids_at_once(tmp_path: Path) -> None:
    folder, _ = write(tmp_path, many(2001), others=["ids"])
    files = [read(path) for path in sorted(folder.glob("ids-*.json"))]
    assert [len(each["account_ids"]) for each in files] == [1000, 1000, 1]
    assert sorted(name for each in files for name in each["account_ids"]) == [
        each.row["account_id"] for each in many(2001)
    ]


def test_the_disclosure_table_names_no_account(batch: Path, back: Path) -> None:
    with (batch / "disclosure.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["network"], row["accounts"], row["followers"]) for row in rows] == [
        ("n000", "5", "50"),
        ("n001", "5", "50"),
        ("n002", "2", "20"),
    ]
    assert {row["origin"] for row in rows} == {"de"}
    assert "a0001" not in (batch / "disclosure.csv").read_text()
    assert '"restored"' in (back / "disclosure.csv").read_text()
