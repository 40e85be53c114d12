"""An audit log in which anything was changed, taken out or moved says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.audit import (
    HEAD_NAME,
    START,
    Entry,
    Head,
    chained,
    read_head,
    segment_name,
    verify_log,
)

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def write(folder: Path, *publications: int) -> list[str]:
    """A log of some publications with so many lines each; returns all lines."""
    folder.mkdir(parents=True, exist_ok=True)
    head, written = Head(), []
    for number, count in enumerate(publications):
        entries = [Entry("approve", "lead_1", {"batch": number, "row": n}) for n in range(count)]
        lines, after = chained(entries, head, AT)
        (folder / segment_name(head)).write_text("".join(f"{line}\n" for line in lines))
        head = after
        written += lines
    content = {"number": head.number, "sha256": head.sha256, "at": head.at}
    (folder / HEAD_NAME).write_text(json.dumps(content))
    return written


def test_a_log_as_written_is_whole(tmp_path: Path) -> None:
    write(tmp_path, 2, 1, 3)
    assert verify_log(tmp_path) == []
    assert read_head(tmp_path).number == 6


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    assert verify_log(tmp_path) == []
    assert read_head(tmp_path) == Head(0, START, "")


def test_each_line_holds_the_hash_of_the_one_before(tmp_path: Path) -> None:
    from hashlib import sha256

    lines = write(tmp_path, 3)
    for before, after in pairwise(lines):
        assert json.loads(after)["previous"] == sha256(before.encode()).hexdigest()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (
            lambda lines: [lines[0], lines[1].replace("lead_1", "lead_2"), lines[2]],
            "line before",
        ),
        (lambda lines: [lines[0], lines[2]], "missing or out of order"),
        (lambda lines: [lines[0], lines[2], lines[1]], "out of order"),
        (lambda lines: lines[:2], "missing or changed"),
        (lambda lines: [*lines, lines[2]], "out of order"),
        (lambda lines: [lines[0], "{}\n", lines[2]], "not a line"),
        (lambda lines: [lines[0].replace(":", ": ", 1), *lines[1:]], "canonical"),
        (lambda lines: [lines[0], '"\udcff"\n', lines[2]], "not a line"),
    ],
)
def test_harm_is_found(tmp_path: Path, harm: object, message: str) -> None:
    write(tmp_path, 3)
    path = tmp_path / "0000000001.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    changed = "".join(harm(lines))  # type: ignore[operator]
    path.write_bytes(changed.encode(errors="surrogateescape"))
    assert message in "\n".join(verify_log(tmp_path))


def test_a_missing_file_is_found(tmp_path: Path) -> None:
    write(tmp_path, 2, 1, 2)
    (tmp_path / "0000000003.jsonl").unlink()
    assert "has number 4, expected 3" in verify_log(tmp_path)[0]


def test_a_log_that_was_written_anew_does_not_have_the_heads_that_were_given_away(
    tmp_path: Path,
) -> None:
    write(tmp_path / "old", 3)
    given_away = read_head(tmp_path / "old").sha256
    write(tmp_path / "new", 2)
    assert verify_log(tmp_path / "new") == []
    assert verify_log(tmp_path / "old", {given_away: "batch b1"}) == []
    (problem,) = verify_log(tmp_path / "new", {given_away: "batch b1"})
    assert problem.startswith("batch b1: its audit head")


@given(st.data())
def test_any_changed_byte_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("log")
    write(folder, 2, 2)
    path = data.draw(st.sampled_from(sorted(folder.glob("0*.jsonl"))))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    path.write_bytes(bytes(content))
    assert verify_log(folder)
