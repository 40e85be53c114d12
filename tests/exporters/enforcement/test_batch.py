"""A batch as other programs read it: its files, rows, checksums and schemas."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.enforcement.fields import ACCOUNTS, ROW_FILES
from exporters.enforcement.files import files_of
from exporters.enforcement.manifest import manifest_schema
from exporters.enforcement.row_checks import key_of
from exporters.enforcement.rows import idempotency_key
from exporters.enforcement.verify import verify_content
from signatures.snapshots import HUBS_USED
from tests.exporters.enforcement.builders import EVIDENCE, SIGNATURE, decided, many, write

GOLDEN = Path(__file__).parent / "golden"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def verified(folder: Path) -> list[str]:
    problems: list[str] = []
    verify_content(folder, problems)
    return problems


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("batches"), many(12))[0]


@pytest.mark.parametrize("operation", ["apply", "reverse"])
def test_every_file_of_a_batch_is_as_it_was(tmp_path: Path, operation: str) -> None:
    """The golden files; after an intended change: ACTORGRAPH_UPDATE_GOLDEN=1 pytest ..."""
    two = [decided("a1"), decided("a2", action="limit_reach", duration_s=86400)]
    victim = decided("a3", action="secure_account", subject_role="compromised", market="fr")
    if operation == "apply":
        folder, _ = write(tmp_path, [*two, victim])
    else:
        back = {"reason": "a newsroom", "retracts": ["20261122-e1"]}
        made_by = {"reason": "a newsroom"}
        rows = [two[0], decided("a2", stands=True)]
        folder, _ = write(tmp_path, rows, "20261123-r1", "reverse", made_by=made_by, **back)
    golden = GOLDEN / operation
    if os.environ.get("ACTORGRAPH_UPDATE_GOLDEN"):
        shutil.rmtree(golden, ignore_errors=True)
        shutil.copytree(folder, golden)
    assert set(files_of(folder)) == set(files_of(golden))
    for name, path in files_of(folder).items():
        assert path.read_text() == (golden / name).read_text(), name


def test_checksums_are_those_of_sha256sum(batch: Path) -> None:
    done = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=batch, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("file", ROW_FILES, ids=lambda file: file.name)
def test_rows_are_as_the_json_schema_says(batch: Path, file: Any) -> None:
    validator = jsonschema.Draft202012Validator(file.json_schema())
    rows = lines(batch / file.name)
    assert rows
    for row in rows:
        validator.validate(row)


def test_the_manifest_is_as_its_json_schema_says(batch: Path) -> None:
    jsonschema.validate(json.loads((batch / "manifest.json").read_text()), manifest_schema())


def test_a_new_batch_is_sound(batch: Path) -> None:
    assert verified(batch) == []


def test_files_are_closed_to_others(batch: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in files_of(batch).values()} == {0o600}
    assert (batch / "internal").stat().st_mode & 0o777 == 0o700


def test_the_csv_has_the_rows_of_the_json_lines(batch: Path) -> None:
    with (batch / "accounts.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    rows = lines(batch / "accounts.jsonl")
    assert [row["account_id"] for row in cells] == [row["account_id"] for row in rows]
    assert [row["decision_id"] for row in cells] == [row["decision_id"] for row in rows]


IDS = ["00123", "1.2E18", "=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "\rx", "'x", "''", "a,b",
       'a"b', "a\nb", "a|b", "é", "𝕏", "＝1", " x", "null", "NaN", "true", ""]  # fmt: skip


def test_no_text_is_a_formula_and_every_id_survives(tmp_path: Path) -> None:
    names = [name for name in IDS if name]
    folder, _ = write(tmp_path, [decided(name, market=name) for name in names])
    assert verified(folder) == []
    with (folder / "accounts.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    for name, row in zip(names, cells, strict=True):
        assert row["account_id"].removeprefix("'") in (name, name.removeprefix("'"))
        for text in row.values():
            assert not text.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert [row["account_id"] for row in lines(folder / "accounts.jsonl")] == names
    by_list = json.loads((folder / "ids-00001.json").read_text())["account_ids"]
    assert by_list == names


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@settings(max_examples=40)
@given(names=st.lists(TEXT, min_size=1, max_size=5, unique=True))
def test_any_ids_give_a_sound_batch(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder, _ = write(
        tmp_path_factory.mktemp("b"), [decided(name) for name in names], others=["ids", "stix"]
    )
    assert verified(folder) == []
    assert [row["account_id"] for row in lines(folder / "accounts.jsonl")] == names


def test_who_has_only_the_folder_can_check_why(batch: Path) -> None:
    name = lines(batch / "accounts.jsonl")[0]["decision_id"]
    rows = [row for row in lines(batch / "evidence.jsonl") if row["decision_id"] == name]
    told = {side: [row["text"] for row in rows if row["direction"] == side]
            for side in ("for", "against", "not_counted")}  # fmt: skip
    assert told["against"] == ["posts at its own hours"]
    assert told["not_counted"] == ["when this was judged, the signature was not stable yet"]
    assert told["for"][-2:] == [
        "takes part",
        "Copypasta ring: 97% of the events came from data centres",
    ]
    assert told["for"][0].endswith("; about one account in 245 was seen with it")
    assert [row["one_in"] for row in rows] == [245, 245, 245, *[None] * 4]
    network = lines(batch / "networks.jsonl")[0]
    assert network["against"] == ["of 5 of 5 accounts: posts at its own hours"]
    assert network["not_counted"] == [
        "of 5 of 5 accounts: when this was judged, the signature was not stable yet"
    ]


def test_a_network_tells_of_how_many_accounts_each_sentence_is_true(tmp_path: Path) -> None:
    one, another, third = decided("a1"), decided("a2"), decided("a3")
    hubs = replace(EVIDENCE, against=(), not_counted=(HUBS_USED.format("ip"),))
    folder, _ = write(tmp_path, [one, another, replace(third, evidence=hubs)])
    (network,) = lines(folder / "networks.jsonl")
    assert network["against"] == ["of 2 of 3 accounts: posts at its own hours"]
    assert network["not_counted"] == [
        "of 2 of 3 accounts: when this was judged, the signature was not stable yet",
        "of 1 of 3 accounts: addresses that very many accounts use",
    ]
    (alone,) = lines(write(tmp_path / "alone", [decided("a1")])[0] / "networks.jsonl")
    assert alone["against"] == ["posts at its own hours"]


def test_every_field_says_what_it_means() -> None:
    for file in ROW_FILES:
        for name, schema in file.json_schema()["properties"].items():
            assert schema["description"], name


def test_a_reversal_says_that_it_is_one_and_why(tmp_path: Path) -> None:
    made_by = {"reason": "it is a newsroom"}
    folder, _ = write(tmp_path, [decided()], "20261123-r1", "reverse", made_by=made_by)
    (account,) = lines(folder / "accounts.jsonl")
    assert account["reason_code"] == "taken_back"
    assert account["reason_text"] == (
        "What was done to this account under our rules on inauthentic accounts is taken back. "
        "The reason: it is a newsroom."
    )
    (network,) = lines(folder / "networks.jsonl")
    assert network["reason_text"].endswith("is taken back.")


def test_a_measured_bound_is_shown_short_and_never_larger(tmp_path: Path) -> None:
    made_by = {"precision": {SIGNATURE: 0.13479592153132613}}
    folder, _ = write(tmp_path, [decided()], made_by=made_by)
    assert lines(folder / "accounts.jsonl")[0]["precision_lower"] == 0.1347


def test_no_precision_is_shown_of_what_people_decided(tmp_path: Path) -> None:
    """Their decision names the signatures that match, too; it does not rest on them."""
    others = [SIGNATURE, "0c0a6e9e-3f6b-4c39-a3a5-6a62d0e6b1f2"]
    by_people = decided(route="investigated", signature_ids=others)
    folder, _ = write(tmp_path, [by_people])
    (account,) = lines(folder / "accounts.jsonl")
    assert account["precision_lower"] is None and account["signature_ids"] == sorted(others)
    texts = [row["text"] for row in lines(folder / "evidence.jsonl")]
    grounds = list(by_people.evidence.grounds)
    assert grounds and set(grounds) <= set(texts), "they are those of one of the two, unnamed"
    assert verified(folder) == []


def test_fields_are_in_their_order(batch: Path) -> None:
    for file in ROW_FILES:
        for row in lines(batch / file.name):
            assert list(row) == file.names


def test_devices_and_addresses_leave_as_keyed_hashes_only(batch: Path) -> None:
    for name, path in files_of(batch).items():
        if name != "internal/stix_internal.json":
            assert "203.0.113.7" not in path.read_text(), path.name
        assert "dev-1" not in path.read_text(), path.name
    refs = {row["entity_type"]: row["entity_ref"] or "" for row in lines(batch / "evidence.jsonl")}
    assert refs["device"].startswith("hmac-sha256:")
    assert refs["ip"].startswith("hmac-sha256:")


def test_equal_devices_stay_equal_and_another_key_changes_them(tmp_path: Path) -> None:
    def refs(folder: Path) -> set[str]:
        rows = lines(folder / "evidence.jsonl")
        return {row["entity_ref"] for row in rows if row["entity_type"] == "device"}

    one, _ = write(tmp_path / "1", many(3))
    two, _ = write(tmp_path / "2", many(3), made_by={"key": b"x" * 32})
    assert len(refs(one)) == len(refs(two)) == 1
    assert refs(one) != refs(two)


def test_a_bulk_approval_is_never_called_not_automated(tmp_path: Path) -> None:
    folder, _ = write(tmp_path, [decided("a1"), decided("a2", route="investigated")])
    told = {row["route"]: row["automated_decision"] for row in lines(folder / "accounts.jsonl")}
    assert told == {"calibrated": "fully", "investigated": "not_automated"}


@given(st.text("0123456789abcdef", min_size=64, max_size=64), st.sampled_from(["apply", "reverse"]))
def test_the_quick_key_is_the_canonical_one(name: str, operation: str) -> None:
    assert key_of(name, operation) == idempotency_key(name, operation)


# To JSON Schema 1.0 is an integer; readers of columns refuse it, which is as safe.
FRACTIONS = st.floats(0, 2).filter(lambda value: not value.is_integer())
VALUES = st.none() | st.booleans() | st.integers(-2, 3) | FRACTIONS | st.text(max_size=3) | (
    st.sampled_from(["apply", "actor", "suspend", "0" * 64, "2026-11-22T00:00:00Z", "fully"])
)  # fmt: skip


@given(data=st.data())
def test_the_quick_checks_agree_with_the_json_schema(
    batch: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """One value of a row is replaced: both find fault with it, or neither."""
    import pyarrow as pa

    from exporters.enforcement.checks import check_columns
    from exporters.enforcement.reading import json_rows

    row = dict(lines(batch / "accounts.jsonl")[0])
    name = data.draw(st.sampled_from(ACCOUNTS.names))
    row[name] = data.draw(VALUES | st.lists(st.text(max_size=2), max_size=2))
    path = tmp_path_factory.mktemp("rows") / "accounts.jsonl"
    path.write_text(json.dumps(row) + "\n")
    valid = jsonschema.Draft202012Validator(ACCOUNTS.json_schema()).is_valid(row)
    try:
        found = [p for each in json_rows(path, ACCOUNTS) for p in check_columns(each, ACCOUNTS, 1)]
    except pa.ArrowInvalid:
        found = ["unreadable"]
    assert valid == (not found), (name, row[name], found)
