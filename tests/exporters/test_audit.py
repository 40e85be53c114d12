"""An audit log in which anything was changed, taken out or moved says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.audit import (
    HEAD_NAME,
    REMOVED,
    START,
    Entry,
    GivenAway,
    Head,
    chained,
    expired,
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
    manifest = GivenAway(given_away, AT, "batch b1")
    assert verify_log(tmp_path / "old", [manifest]) == []
    (problem,) = verify_log(tmp_path / "new", [manifest])
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


YEAR = timedelta(days=365)


def shortened(folder: Path, kept: timedelta = 7 * YEAR) -> tuple[list[str], list[Path]]:
    """A log of one file a year from which a purge takes what is older than `kept`."""
    folder.mkdir(parents=True, exist_ok=True)
    head, lines = Head(), []
    for year in range(10):
        added, after = chained(
            [Entry("approve", "lead", {"year": year})] * 2, head, AT + year * YEAR
        )
        (folder / segment_name(head)).write_text("".join(f"{line}\n" for line in added))
        head = after
        lines += added
    now = AT + 9 * YEAR + timedelta(days=1)
    old, end = expired(folder, now - kept)
    told, after = chained([Entry("purge", "clerk", {REMOVED: vars(end)})], head, now)
    (folder / segment_name(head)).write_text(f"{told[0]}\n")
    (folder / HEAD_NAME).write_text(json.dumps(vars(after)))
    return lines + told, old


def purge(old: list[Path]) -> None:
    for path in old:
        path.unlink()


def test_a_log_without_its_old_lines_is_whole(tmp_path: Path) -> None:
    lines, old = shortened(tmp_path)
    assert [path.name for path in old] == [f"{number:010d}.jsonl" for number in (1, 3, 5)]
    assert verify_log(tmp_path, kept=7 * YEAR) == []  # a purge that died before it deleted
    old.pop(1).unlink()
    assert verify_log(tmp_path, kept=7 * YEAR)  # nobody leaves a hole
    purge(old)
    assert verify_log(tmp_path, kept=7 * YEAR) == []
    remaining = "".join(path.read_text() for path in sorted(tmp_path.glob("0*.jsonl")))
    assert remaining.splitlines() == lines[6:]


def test_heads_that_were_given_away_may_be_as_old_as_the_lines_that_went(tmp_path: Path) -> None:
    _, old = shortened(tmp_path)
    purge(old)
    gone, recent = AT + timedelta(days=1), AT + 5 * YEAR
    assert verify_log(tmp_path, [GivenAway("a" * 64, gone, "batch b1")], 7 * YEAR) == []
    (problem,) = verify_log(tmp_path, [GivenAway("a" * 64, recent, "batch b2")], 7 * YEAR)
    assert problem.startswith("batch b2: its audit head")


def test_no_other_line_may_be_missing_at_the_front(tmp_path: Path) -> None:
    _, old = shortened(tmp_path)
    purge([*old, tmp_path / "0000000007.jsonl"])
    assert "has number 9, expected 7" in verify_log(tmp_path, kept=7 * YEAR)[0]


def test_lines_do_not_go_before_their_time(tmp_path: Path) -> None:
    """Somebody gave purge another retention, to be rid of what was done last year."""
    _, old = shortened(tmp_path, kept=timedelta(days=30))
    purge(old)
    (problem,) = verify_log(tmp_path, kept=7 * YEAR)
    assert "kept for 2555 days" in problem


def test_a_log_that_was_written_anew_cannot_say_that_it_was_purged(tmp_path: Path) -> None:
    write(tmp_path, 3)
    anchor = Head(5, "b" * 64, AT.isoformat())
    lines, head = chained([Entry("purge", "x", {REMOVED: vars(anchor)})], anchor, AT)
    for path in tmp_path.iterdir():
        path.unlink()
    (tmp_path / segment_name(anchor)).write_text(f"{lines[0]}\n")
    (tmp_path / HEAD_NAME).write_text(json.dumps(vars(head)))
    assert verify_log(tmp_path, kept=7 * YEAR)


@settings(max_examples=30)
@given(st.data())
def test_any_changed_byte_of_a_shortened_log_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("log")
    purge(shortened(folder)[1])
    path = data.draw(st.sampled_from(sorted(folder.glob("0*.jsonl"))))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    path.write_bytes(bytes(content))
    assert verify_log(folder, kept=7 * YEAR)
