"""An audit log in which anything was changed, taken out or moved says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

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
    line_sha256,
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
        lines, after = chained(entries, head, AT, 2555)
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
        (lambda lines: [lines[0], lines[2]], "number 2 is missing"),
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
    assert verify_log(tmp_path) == [
        "0000000004.jsonl, line 1: number 3 is missing before it, or out of order"
    ]


def test_what_is_missing_is_named_once_and_nothing_after_it(tmp_path: Path) -> None:
    """A file was emptied, and a line of another taken out; 40 lines follow that are as written."""
    write(tmp_path, 2, 3, 4, 40)
    (tmp_path / "0000000003.jsonl").write_text("")
    path = tmp_path / "0000000006.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    assert verify_log(tmp_path) == [
        "0000000006.jsonl, line 1: numbers 3 to 5 are missing before it, or out of order",
        "0000000010.jsonl, line 1: number 9 is missing before it, or out of order",
    ]


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda lines: [*lines[:2], "\n", *lines[2:]], ["is not a line"]),
        (lambda lines: [*lines[:2], lines[0], *lines[2:]], ["has number 1, expected 3"]),
        (
            lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
            ["number 2 is missing", "has number 2, expected 4"],
        ),
        (
            lambda lines: [lines[0].replace('"number":1', '"number":9'), *lines[1:]],
            ["has number 9, expected 1: it was edited", "does not continue"],
        ),
    ],
)
def test_what_was_put_in_moved_or_edited_leaves_the_rest_in_its_place(
    tmp_path: Path, harm: object, named: list[str]
) -> None:
    write(tmp_path, 30)
    path = tmp_path / "0000000001.jsonl"
    path.write_text("".join(harm(path.read_text().splitlines(keepends=True))))  # type: ignore[operator]
    problems = verify_log(tmp_path)
    assert len(problems) == len(named)
    assert all(part in problem for part, problem in zip(named, problems, strict=True))


def test_a_log_that_was_written_anew_does_not_have_the_heads_that_were_given_away(
    tmp_path: Path,
) -> None:
    write(tmp_path / "old", 3)
    given_away = read_head(tmp_path / "old").sha256
    write(tmp_path / "new", 2)
    assert verify_log(tmp_path / "new") == []
    its_manifest = manifest(given_away, AT)
    assert verify_log(tmp_path / "old", [its_manifest]) == []
    (problem,) = verify_log(tmp_path / "new", [its_manifest])
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


def manifest(sha256: str, at: datetime, kept: timedelta = 7 * YEAR, where: str = "batch b1") -> Any:
    return GivenAway(sha256, at, where, kept)


def shortened(folder: Path, kept: timedelta = 7 * YEAR) -> tuple[list[str], list[Path]]:
    """A log of one file a year, kept for so long each, from which a purge takes what is older."""
    folder.mkdir(parents=True, exist_ok=True)
    head, lines = Head(), []
    for year in range(10):
        added, head = append(folder, head, AT + year * YEAR, kept, {"year": year}, {"year": year})
        lines += added
    now = AT + 9 * YEAR + timedelta(days=1)
    old, end = expired(folder, now.date(), kept.days)
    told, _ = append(folder, head, now, kept, {REMOVED: vars(end)})
    return lines + told, old


def append(
    folder: Path, head: Head, at: datetime, kept: timedelta, *details: dict[str, Any]
) -> tuple[list[str], Head]:
    """Carry a log on by a file with a line for each of these particulars."""
    entries = [Entry("purge", "clerk", each) for each in details]
    lines, after = chained(entries, head, at, kept.days)
    (folder / segment_name(head)).write_text("".join(f"{line}\n" for line in lines))
    (folder / HEAD_NAME).write_text(json.dumps(vars(after)))
    return lines, after


def purge(old: list[Path]) -> None:
    for path in old:
        path.unlink()


def test_a_log_without_its_old_lines_is_whole(tmp_path: Path) -> None:
    lines, old = shortened(tmp_path)
    assert [path.name for path in old] == [f"{number:010d}.jsonl" for number in (1, 3, 5)]
    assert verify_log(tmp_path) == []  # a purge that died before it deleted
    old.pop(1).unlink()
    assert verify_log(tmp_path)  # nobody leaves a hole
    purge(old)
    assert verify_log(tmp_path) == []
    remaining = "".join(path.read_text() for path in sorted(tmp_path.glob("0*.jsonl")))
    assert remaining.splitlines() == lines[6:]


def test_heads_that_were_given_away_may_be_as_old_as_the_lines_that_went(tmp_path: Path) -> None:
    _, old = shortened(tmp_path)
    purge(old)
    gone, recent = AT + timedelta(days=1), AT + 5 * YEAR
    assert verify_log(tmp_path, [manifest("a" * 64, gone)]) == []
    (problem,) = verify_log(tmp_path, [manifest("a" * 64, recent, where="batch b2")])
    assert problem.startswith("batch b2: its audit head")


def test_no_other_line_may_be_missing_at_the_front(tmp_path: Path) -> None:
    _, old = shortened(tmp_path)
    purge([*old, tmp_path / "0000000007.jsonl"])
    assert "numbers 7 to 8 are missing before it" in verify_log(tmp_path)[0]


def test_who_keeps_lines_longer_from_now_on_does_not_miss_those_that_went(tmp_path: Path) -> None:
    """They went under the time that was asked for then, and the log still says which."""
    _, old = shortened(tmp_path, kept=timedelta(days=30))
    purge(old)
    assert verify_log(tmp_path) == []
    append(tmp_path, read_head(tmp_path), AT + 9 * YEAR + timedelta(days=2), 7 * YEAR, {})
    assert verify_log(tmp_path) == []


def test_a_shorter_time_is_for_what_is_done_from_then_on(tmp_path: Path) -> None:
    """Somebody gives purge another retention, to be rid of what was done last year."""
    shortened(tmp_path)
    asked = (AT + 9 * YEAR + timedelta(days=2)).date()
    assert [path.name for path in expired(tmp_path, asked, 0)[0]] == [
        f"{number:010d}.jsonl" for number in (1, 3, 5)
    ]


def test_of_a_log_with_a_file_that_somebody_emptied_nothing_goes(tmp_path: Path) -> None:
    shortened(tmp_path)
    (tmp_path / "0000000003.jsonl").write_text("")
    asked = (AT + 9 * YEAR + timedelta(days=2)).date()
    assert expired(tmp_path, asked, 0)[0] == []


def forge(folder: Path, end: Head, at: datetime, kept: timedelta) -> None:
    """Take away every line up to `end`, and say that a purge did."""
    head = read_head(folder)
    for path in sorted(folder.glob("0*.jsonl")):
        if int(path.stem) <= end.number:
            path.unlink()
    append(folder, head, at, kept, {REMOVED: vars(end)})


def test_lines_do_not_go_before_their_time(tmp_path: Path) -> None:
    """A purge that no command made: what is left says that lines are kept for seven years."""
    lines, _ = shortened(tmp_path)
    last_year = Head(18, line_sha256(lines[17]), (AT + 8 * YEAR).isoformat())
    forge(tmp_path, last_year, AT + 9 * YEAR + timedelta(days=2), timedelta(days=1))
    (problem,) = verify_log(tmp_path)
    assert "after 367 days: those after them say that they are kept for 2555 days" in problem


def test_a_purge_that_left_nothing_is_none(tmp_path: Path) -> None:
    lines, _ = shortened(tmp_path)
    everything = Head(len(lines), line_sha256(lines[-1]), (AT + 9 * YEAR).isoformat())
    forge(tmp_path, everything, AT + 20 * YEAR, timedelta(days=1))
    assert "none stayed that says when" in verify_log(tmp_path)[0]


def test_manifests_say_how_long_lines_were_to_be_kept(tmp_path: Path) -> None:
    """Who writes the log anew, with shorter times, has not the manifests that others hold."""
    old, new = tmp_path / "old", tmp_path / "new"
    lines, _ = shortened(old)
    copy = manifest(line_sha256(lines[17]), AT + 8 * YEAR)
    assert verify_log(old, [copy]) == []
    new.mkdir()
    end = Head(20, line_sha256(lines[19]), (AT + 9 * YEAR).isoformat())
    now, short = AT + 9 * YEAR + timedelta(days=40), timedelta(days=30)
    _, head = append(new, end, now - timedelta(days=1), short, {"year": 10})
    append(new, head, now, short, {REMOVED: vars(end)})
    assert verify_log(new) == []
    (problem,) = verify_log(new, [copy])
    assert problem.endswith("was taken away 405 days later, and was to be kept for 2555 days")


def test_a_log_that_was_written_anew_cannot_say_that_it_was_purged(tmp_path: Path) -> None:
    write(tmp_path, 3)
    anchor = Head(5, "b" * 64, AT.isoformat())
    for path in tmp_path.iterdir():
        path.unlink()
    append(tmp_path, anchor, AT, 7 * YEAR, {REMOVED: vars(anchor)})
    assert verify_log(tmp_path)


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
    assert verify_log(folder)
