"""Files that attack: each is refused quickly with a plain message, and nothing is executed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from signatures.loading import read_library
from tests.signatures.signature_files import NAME, SOUND, write

CODE = [
    "__import__('os').system('touch owned')",
    "x'; DROP TABLE accounts; --",
    "1 OR 1=1",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "${jndi:ldap://host/a}",
    "=HYPERLINK(a)",
    "`id`",
    "two\nlines",
    "\u202eturned around",
]


def problems(path: Path) -> str:
    started = time.monotonic()
    library = read_library([path], with_shipped=False)
    assert time.monotonic() - started < 5
    assert library.signatures == {}
    assert all(line.isprintable() for line in library.problems)
    return "\n".join(library.problems)


def text_problems(folder: Path, text: str) -> str:
    path = folder / NAME
    path.write_text(text, encoding="utf-8")
    return problems(path)


def test_an_anchor_bomb(tmp_path: Path) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for above, name in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{above}'] * 9)}]\n"
    assert "line 2: write the value out instead of *a" in text_problems(tmp_path, bomb)


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system [touch owned]",
        "!!python/name:os.system",
        "!!binary aGVsbG8=",
        "!!set {a, b}",
        "!custom x",
    ],
)
def test_tags(tmp_path: Path, value: str) -> None:
    assert "line 1: write the value without the tag" in text_problems(tmp_path, f"title: {value}")


def test_merge_keys(tmp_path: Path) -> None:
    assert "line 1: write the key '<<' quoted" in text_problems(tmp_path, "<<: {title: x}")


def test_duplicate_keys_at_any_depth(tmp_path: Path) -> None:
    text = write(tmp_path, SOUND).read_text()
    doubled = text.replace("      density: 0.9\n", "      density: 0.9\n      density: 0.1\n")
    assert doubled != text
    found = text_problems(tmp_path, doubled)
    assert "tests.positive.0.features.density was already given in line" in found
    assert "title was already given in line 1" in text_problems(tmp_path, text + "title: Other\n")


def test_ten_megabytes_are_refused(tmp_path: Path) -> None:
    found = text_problems(tmp_path, "title: " + "x" * 10_000_000)
    assert "is larger than 64 KiB: that is no signature" in found
    assert len(found) < 300


def test_thousands_of_problems_are_not_all_told(tmp_path: Path) -> None:
    found = text_problems(tmp_path, "".join(f"a{number}: 1\n" for number in range(6_000)))
    assert len(found.splitlines()) == 21
    assert found.endswith("more problems")


def test_numbers_beyond_all_measure(tmp_path: Path) -> None:
    data = deepcopy(SOUND)
    data["detection"]["selections"]["selection_large"]["features"]["accounts"]["gte"] = 10**400
    assert "accounts.gte: " in problems(write(tmp_path, data))
    text = write(tmp_path, SOUND).read_text().replace("gte: 10", "gte: " + "9" * 6_000)
    assert "Exceeds the limit" in text_problems(tmp_path, text)


@pytest.mark.parametrize("opening", ["[", "{a: ", "[{a: "])
def test_deep_nesting(tmp_path: Path, opening: str) -> None:
    found = text_problems(tmp_path, "title: " + opening * 5_000)
    assert "line 1: nested deeper than 32 levels" in found


def test_what_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"title: \xff\xfe\x00")
    assert "cannot read the signature" in problems(path)
    assert "special characters are not allowed" in text_problems(tmp_path, "title: a\x00b")


def test_several_documents_and_no_mapping(tmp_path: Path) -> None:
    assert "line 2" in text_problems(tmp_path, "title: x\n---\ntitle: y\n")
    assert "expected settings as `key: value` lines" in text_problems(tmp_path, "- title\n")


def places(data: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value that is no mapping or list."""
    if isinstance(data, dict | list):
        entries = data.items() if isinstance(data, dict) else enumerate(data)
        for key, value in entries:
            yield from places(value, (*above, key))
    else:
        yield above


@pytest.mark.parametrize("place", list(places(SOUND)), ids=lambda place: ".".join(map(str, place)))
@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
def test_code_in_any_field(tmp_path: Path, place: tuple[Any, ...], code: str) -> None:
    data = deepcopy(SOUND)
    at: Any = data
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = code
    found = problems(write(tmp_path, data))
    assert f": {'.'.join(map(str, place))}: " in found
    assert all(line.startswith(str(tmp_path)) for line in found.splitlines())


@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
@pytest.mark.parametrize("above", ["selections", "features", "root"])
def test_code_as_a_name(tmp_path: Path, above: str, code: str) -> None:
    data = deepcopy(SOUND)
    selections = data["detection"]["selections"]
    if above == "selections":
        selections[code] = deepcopy(selections["selection_large"])
    elif above == "features":
        selections["selection_large"]["features"][code] = {"gte": 1}
    else:
        data[code] = 1
    found = problems(write(tmp_path, data))
    assert "unknown f" in found or "should match pattern" in found
