"""What a signature's file may hold: every mistake is named with its file, line and a hint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from graph.errors import ConfigError
from signatures.loading import load, read_library, signature_of_abuse
from tests.signatures.signature_files import NAME, SOUND, changed, write


def problems(path: Path) -> str:
    """The problems of one file, beside no other."""
    return "\n".join(read_library([path], with_shipped=False).problems)


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND)
    library = read_library([path], with_shipped=False)
    assert library.problems == []
    signature = library.signatures[str(path)]
    assert signature.title == "Example ring"
    assert signature.mode == "shadow"
    assert signature.enforcement is not None
    assert signature.enforcement.duration == 7 * 86_400_000_000


def test_a_sites_folder_stands_beside_the_shipped_ones(tmp_path: Path) -> None:
    write(tmp_path, SOUND)
    assert len(load([tmp_path])) == len(load()) + 1


def test_a_signature_is_named_by_its_id_or_its_title(tmp_path: Path) -> None:
    farm = signature_of_abuse("device farm")
    assert farm == signature_of_abuse("Device farm") == signature_of_abuse(str(farm.id))
    with pytest.raises(ConfigError, match="did you mean 'device farm'"):
        signature_of_abuse("device farms")
    with pytest.raises(ConfigError, match=r"'Example ring'; .* folder to signatures\.paths in the"):
        signature_of_abuse("Example ring")
    assert signature_of_abuse("Example ring", [write(tmp_path, SOUND)]).title == "Example ring"


def test_a_library_with_a_problem_is_not_used_in_part(tmp_path: Path) -> None:
    write(tmp_path, SOUND)
    write(tmp_path, changed("level", "urgent"), "other.yml")
    with pytest.raises(ConfigError, match=r"other\.yml, line 4: level: 'urgent' is not one of"):
        load([tmp_path])


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("title", None, "line 1: title: is required"),
        ("titel", "Example", "titel: unknown field; did you mean 'title'?"),
        ("logsource", {}, "logsource: unknown field; known: title, id, status"),
        ("action", "challenge", "action: unknown field; it belongs under 'enforcement'"),
        ("id", "17", "id: Input should be a valid UUID"),
        ("status", "stabel", "status: 'stabel' is not one of"),
        ("status", "stabel", "did you mean 'stable'?"),
        ("date", "yesterday", "date: Input should be a valid date"),
        ("modified", "2026-11-23", "modified: is before date, 2026-11-24"),
        ("title", "Another ring", "title: the file of this title is called another_ring.yml"),
        ("tags", ["disarm.t0090"], "tags.0: 'disarm.t0090' is no pinned technique"),
        ("tags", ["disarm.t004"], "did you mean 'disarm.t0049'?"),
        ("tags", ["policy.spam"], "tags: name at least one technique of DISARM or ATT&CK"),
        ("falsepositives", ["None"], "falsepositives.0: 'None' names nobody: say who looks like"),
        ("falsepositives", [], "falsepositives: "),
        ("evidence", ["accunts"], "evidence.0: unknown feature; did you mean 'accounts'?"),
        ("evidence", ["is_core"], "evidence.0: is no feature of the subject network"),
        ("subject", "accont", "subject: 'accont' is not one of network, account"),
        ("benign", True, "enforcement: a benign signature blocks enforcement: remove this"),
        ("benign", True, "tests: give at least one example under abusive"),
        ("enforcement", None, "enforcement: is required, unless the signature is benign"),
        ("enforcement.action", "ban", "enforcement.action: 'ban' is not one of challenge"),
        ("enforcement.duration", "a week", "'a week' is not a duration: write a whole number"),
        ("tests.benign", [], "tests: give at least one example under benign"),
        ("detection.condition", "all of them", "detection.condition: at word 3, 'them': no"),
        ("detection.condition", "selection_large", "filter_sparse: the condition does not use it"),
        ("detection.filters.sparse", {}, "detection.filters.sparse: String should match pattern"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    tmp_path: Path, path: str, value: Any, message: str
) -> None:
    assert message in problems(write(tmp_path, changed(path, value)))


LARGE = "detection.selections.selection_large.features"


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"acounts": {"gte": 1}}, "acounts: unknown feature; did you mean 'accounts'?"),
        ({"accounts": {"ge": 1}}, "accounts.ge: unknown field; did you mean 'gte'?"),
        ({"accounts": {">=": 1}}, "accounts.>=: unknown field; did you mean 'gte'?"),
        ({"accounts": {}}, "accounts: give at least one of gt, gte, lt, lte"),
        ({"accounts": {"gte": "10"}}, "accounts.gte: Input should be a valid number, got '10'"),
        ({"accounts": {"gte": True}}, "accounts.gte: Input should be a valid number, got True"),
        ({"accounts": {"gte": float("nan")}}, "accounts.gte: Input should be a finite number"),
        ({"accounts": {"gte": 5, "lt": 3}}, "accounts: nothing is above 5 and below 3"),
        ({"density": {"gte": 90}}, "density: 90 is out of range: density is 0 to 1"),
        ({"is_core": {"gte": 1}}, "is_core: is no feature of the subject network"),
        ({}, "features: Dictionary should have at least 1 item"),
    ],
)
def test_a_comparison_that_cannot_be_meant_is_refused(
    tmp_path: Path, features: dict[str, Any], message: str
) -> None:
    found = problems(write(tmp_path, changed(LARGE, features)))
    assert f": {LARGE.removesuffix('.features')}." in found
    assert message in found


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, changed(f"{LARGE}.acounts", {"gte": 1}))
    lines = path.read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "acounts" in line)
    assert problems(path).startswith(f"{path}, line {number}: {LARGE}.acounts: unknown feature")


def test_a_value_in_a_list_has_its_line_too(tmp_path: Path) -> None:
    path = write(tmp_path, changed("tests.positive.0.features", {"density": 7}))
    lines = path.read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "density: 7" in line)
    assert f"line {number}: tests.positive.0.features.density: 7 is out of range" in problems(path)


def test_ids_and_titles_are_unique(tmp_path: Path) -> None:
    first = write(tmp_path, SOUND)
    second = tmp_path / "folder"
    second.mkdir()
    write(second, {**SOUND, "title": "Example RING"})
    found = read_library([first, second], with_shipped=False).problems
    assert found == [
        f"{second / NAME}, line 2: id: is already that of {first}",
        f"{second / NAME}, line 1: title: is already that of {first}",
    ]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    assert "cannot read the signature" in problems(tmp_path / "absent.yml")
    assert f"{tmp_path}: there is no .yml file in this folder" in problems(tmp_path)


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    data = changed("level", "urgent")
    data["tags"] = ["x"]
    assert len(problems(write(tmp_path, data)).splitlines()) == 2


def test_the_sound_one_is_what_the_others_differ_from() -> None:
    assert yaml.safe_load(yaml.safe_dump(SOUND)) == SOUND


OWN = "trace_co_install_ratio"


def test_the_feature_of_an_own_trace_may_be_named_where_the_trace_is(tmp_path: Path) -> None:
    path = write(tmp_path, changed(f"{LARGE}.{OWN}", {"gte": 0.5}))
    assert not read_library([path], ["co_install"], with_shipped=False).problems
    assert len(load([path])) == len(load()) + 1, "where nobody knows of the traces"


@pytest.mark.parametrize(
    ("traces", "hint"),
    [
        ([], ""),
        (["co_instal"], "; did you mean 'co_instal'?"),
    ],
)
def test_the_feature_of_a_trace_that_is_not_there_is_refused(
    tmp_path: Path, traces: list[str], hint: str
) -> None:
    path = write(tmp_path, changed(f"{LARGE}.{OWN}", {"gte": 0.5, "lte": 0.9}))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if OWN in text)
    (problem,) = read_library([path], traces, with_shipped=False).problems
    told = f"unknown feature: the config switches on no trace 'co_install'{hint}"
    assert problem == f"{path}, line {line}: {LARGE}.{OWN}: {told}"


@pytest.mark.parametrize("value", [-0.1, 1.5])
def test_the_share_of_an_own_trace_has_the_range_of_a_share(tmp_path: Path, value: float) -> None:
    path = write(tmp_path, changed(f"{LARGE}.{OWN}", {"gte": value}))
    assert f"{value:g} is out of range: {OWN} is 0 to 1" in problems(path)


def test_an_account_has_no_share_of_links(tmp_path: Path) -> None:
    data = changed(LARGE, {OWN: {"gte": 0.5}}) | {"subject": "account"}
    assert f"{LARGE}.{OWN}: is no feature of the subject account" in problems(write(tmp_path, data))
