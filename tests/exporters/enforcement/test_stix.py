"""STIX bundles: what stix2 accepts, who is in a grouping, and what is taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import stix2

from exporters.stix import observable
from signatures.frozen_evidence import FrozenEvidence
from tests.exporters.enforcement.builders import CONTENT, decided, entity, write


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


INTERNAL = "internal/stix_internal.json"


@pytest.mark.parametrize("name", ["stix_bundle.json", INTERNAL])
def test_stix2_accepts_the_bundle(batch: Path, back: Path, name: str) -> None:
    for folder in (batch, back):
        bundle = stix2.parse((folder / name).read_text(), version="2.1")
        kinds = {thing.type for thing in bundle.objects}
        assert kinds >= {
            "attack-pattern", "file", "grouping", "note", "observed-data", "relationship",
            "user-account",
        }  # fmt: skip
        assert ("ipv4-addr" in kinds) == (name == INTERNAL)


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


def test_what_people_decided_claims_no_technique_of_a_signature_that_matches_too(
    tmp_path: Path,
) -> None:
    batch, _ = write(tmp_path, [decided(route="investigated")])
    assert not objects(batch, "attack-pattern")


def test_what_was_observed_of_an_account_has_its_times(batch: Path) -> None:
    seen = objects(batch, "observed-data").values()
    assert len(seen) == 12
    accounts = objects(batch, "user-account")
    for each in seen:
        assert each["first_observed"] == "2026-11-20T08:00:00Z"
        assert each["last_observed"] == "2026-11-21T09:30:00Z"
        assert each["number_observed"] == 1  # the evidence has 12 pairs, which are no sightings
        assert len(set(each["object_refs"]) & set(accounts)) == 1


def test_an_account_without_shared_entities_was_observed_on_its_day(tmp_path: Path) -> None:
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
    shared = entity(family="network", entity_type="ip", entity_id="2001:db8:1:2::")
    folder, _ = write(tmp_path, [replace(decided("a1"), evidence=FrozenEvidence([shared]))])
    assert "2001:db8" not in (folder / "stix_bundle.json").read_text()
    bundle = stix2.parse((folder / INTERNAL).read_text())
    assert [each.value for each in bundle.objects if each.type == "ipv6-addr"] == ["2001:db8:1:2::"]


def test_the_internal_bundle_says_that_it_is_and_shares_no_id_that_speaks_of_anybody(
    batch: Path,
) -> None:
    """Else who has both could take the one with addresses for a version of the other."""
    outside, inside = (read(batch / name) for name in ("stix_bundle.json", INTERNAL))
    assert outside["id"] != inside["id"]
    plain = ("user-account", "file")
    for each in inside["objects"]:
        if each["type"] not in plain:
            assert each["object_marking_refs"] == [stix2.TLP_RED.id], each["type"]
    ids = ({each["id"] for each in bundle["objects"]} for bundle in (outside, inside))
    common = set.intersection(*ids)
    assert {name.partition("--")[0] for name in common} == set(plain)


def test_a_grouping_goes_on_without_whom_an_appeal_freed(tmp_path: Path) -> None:
    taken, stays = decided("a1"), decided("a2", stands=True)
    before, _ = write(tmp_path, [taken, replace(stays, stands=False)])
    after, _ = write(tmp_path, [taken, stays], "20261123-r1", "reverse")
    assert stix2.parse((after / "stix_bundle.json").read_text(), version="2.1")
    ((name, grouping),) = objects(after, "grouping").items()
    assert name in objects(before, "grouping")
    assert "revoked" not in grouping
    users = {each["id"]: each["user_id"] for each in objects(after, "user-account").values()}
    assert {users[ref] for ref in grouping["object_refs"] if ref in users} == {"a2"}
    seen = objects(after, "observed-data")
    revoked = {name: each.get("revoked", False) for name, each in seen.items()}
    assert sorted(revoked.values()) == [False, True]
    assert {ref for ref in grouping["object_refs"] if ref in seen} == {
        name for name, gone in revoked.items() if not gone
    }
    assert not any("revoked" in each for each in objects(after, "relationship").values())
    (note,) = objects(after, "note").values()
    assert "taken back" not in note["content"]
    assert [row["account_id"] for row in lines(after / "accounts.jsonl")] == ["a1"]


def test_a_technique_that_only_the_freed_account_used_is_not_the_groupings_any_more(
    tmp_path: Path,
) -> None:
    stays = decided("a2", stands=True, signature_ids=[])
    after, _ = write(tmp_path, [decided("a1"), stays], "20261123-r1", "reverse")
    assert all(each["revoked"] for each in objects(after, "relationship").values())
    (grouping,) = objects(after, "grouping").values()
    assert not set(objects(after, "attack-pattern")) & set(grouping["object_refs"])


def test_what_stands_in_another_batch_keeps_no_grouping(tmp_path: Path) -> None:
    stays = decided("a2", stands=True, batch_id="20261121-e1")
    after, _ = write(tmp_path, [decided("a1"), stays], "20261123-r1", "reverse")
    (grouping,) = objects(after, "grouping").values()
    assert grouping["revoked"] is True
    assert [each["user_id"] for each in objects(after, "user-account").values()] == ["a1"]


def test_an_account_leaves_the_grouping_of_a_first_try_too(tmp_path: Path) -> None:
    again = decided("a1", batch_id="20261123-e1")
    first, _ = write(tmp_path, [decided("a1")], "20261122-e1")
    second, _ = write(tmp_path, [again], "20261123-e1")
    made_by = {"carriers": {again.row["decision_id"]: ["20261122-e1", "20261123-e1"]}}
    back, _ = write(tmp_path, [again], "20261124-r1", "reverse", made_by=made_by)
    revoked = objects(back, "grouping")
    assert set(revoked) == {*objects(first, "grouping"), *objects(second, "grouping")}
    assert all(each["revoked"] for each in revoked.values())


def test_victims_are_suspected_of_nothing(tmp_path: Path) -> None:
    victim = decided("a2", subject_role="compromised", action="secure_account")
    folder, _ = write(tmp_path, [decided("a1"), victim])
    users = {each["user_id"]: each["id"] for each in objects(folder, "user-account").values()}
    groupings = {each["context"]: each for each in objects(folder, "grouping").values()}
    assert users["a1"] in groupings["suspicious-activity"]["object_refs"]
    assert users["a2"] not in groupings["suspicious-activity"]["object_refs"]
    theirs = groupings["unspecified"]
    assert users["a2"] in theirs["object_refs"]
    assert theirs["name"] == "Victims in network n1"
    links = objects(folder, "relationship").values()
    assert theirs["id"] not in {each["source_ref"] for each in links}
    notes = {each["object_refs"][0]: each["content"] for each in objects(folder, "note").values()}
    assert notes[theirs["id"]].endswith("They are victims.")
