"""The audit log: who did what when, as JSON lines each of which holds the hash of the one before.

It is a folder of numbered files that never change, one for each publication, and `HEAD.json` with
the last line's number and hash. The head stands in every manifest that leaves, so that a log that
was written anew shows.

Every line says how long it is kept. Old files go at the front, once none of their lines nor any
later one asks for more; the line that tells of it holds the hash of the last line that went, so
that nothing else can be missing there. So the log itself says whether they were old enough,
whatever the settings are today.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from graph.canonical import canonical_json

FOLDER = "audit"
HEAD_NAME = "HEAD.json"
START = "0" * 64
"""What the first line has in place of an earlier line's hash."""

REMOVED = "removed_audit_lines"
"""The detail of a line that tells of lines taken away: the Head up to which they went."""


@dataclass(frozen=True)
class Head:
    """The end of a log: the number of its lines, the hash and the time of the last one."""

    number: int = 0
    sha256: str = START
    at: str = ""


@dataclass(frozen=True)
class Entry:
    """What is to be remembered: the action, who did it, and its particulars."""

    action: str
    actor: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class GivenAway:
    """A head that stands in a manifest: its hash, when the manifest was made, and where it is.

    `kept` is how long the log's lines of that moment are kept, as the manifest says.
    """

    sha256: str
    at: datetime
    where: str
    kept: timedelta


@dataclass(frozen=True)
class _Cut:
    """What was taken away: the Head up to which lines went, and the number and time of the line

    that tells of it.
    """

    end: Head = Head()
    number: int = 0
    at: str = ""


def line_sha256(line: str) -> str:
    """The hash of a line, without its end."""
    return hashlib.sha256(line.encode(errors="surrogateescape")).hexdigest()


def chained(
    entries: Iterable[Entry], head: Head, at: datetime, kept_days: int
) -> tuple[list[str], Head]:
    """The lines that carry a log on from its head, and its new head; they are kept for so long."""
    lines = []
    for entry in entries:
        content: dict[str, Any] = {
            "number": head.number + 1,
            "at": at.isoformat(timespec="seconds"),
            "action": entry.action,
            "actor": entry.actor,
            "details": dict(entry.details),
            "kept_days": kept_days,
            "previous": head.sha256,
        }
        line = canonical_json(content)
        head = Head(head.number + 1, line_sha256(line), content["at"])
        lines.append(line)
    return lines, head


def read_head(folder: Path) -> Head:
    """The head as it was last written; that of an empty log where there is none."""
    try:
        found = json.loads((folder / HEAD_NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Head()
    return Head(int(found["number"]), str(found["sha256"]), str(found["at"]))


def segment_name(head: Head) -> str:
    """The name of the file that begins after `head`."""
    return f"{head.number + 1:010d}.jsonl"


def read_lines(folder: Path) -> Iterator[tuple[str, str]]:
    """All lines in the order of the log, each with its place."""
    for path in sorted(folder.glob("[0-9]*.jsonl")):
        with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                yield f"{path.name}, line {number}", line.removesuffix("\n")


def mentioned(folder: Path, text: str) -> list[str]:
    """The places of the lines whose particulars have a text, by itself or as a word of a reason."""
    word = re.compile(rf"(?<![\w-]){re.escape(text)}(?![\w-])")
    return [place for place, line in read_lines(folder) if any(map(word.search, _texts(line)))]


def told_of(folder: Path, action: str) -> Iterator[dict[str, Any]]:
    """The lines of an action in the order of the log; none that cannot be read."""
    for _, line in read_lines(folder):
        try:
            content = json.loads(line)
        except ValueError:
            continue
        if isinstance(content, dict) and content.get("action") == action:
            yield content


def _texts(line: str) -> Iterator[str]:
    """The texts among a line's particulars; none of a line that cannot be read."""
    try:
        rest = [json.loads(line)["details"]]
    except (ValueError, KeyError, TypeError):
        return
    while rest:
        each = rest.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, list | dict):
            rest += each.values() if isinstance(each, dict) else each


def expired(folder: Path, asked: date, kept_days: int) -> tuple[list[Path], Head]:
    """The files at the front of a log that need not be kept on a day, and their last line.

    A line is kept for as long as it says, or any later one, or `kept_days`: who shortens the time
    does so for what is done from then on. The newest file always stays. What an interrupted purge
    left counts again.
    """
    ends: list[tuple[Path, Head, int]] = []
    for path in sorted(folder.glob("[0-9]*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines:  # somebody emptied it: nothing is deleted that may tell who
            return [], _cut(folder).end
        contents = [json.loads(line) for line in lines]
        end = Head(contents[-1]["number"], line_sha256(lines[-1]), contents[-1]["at"])
        ends.append((path, end, max(int(each["kept_days"]) for each in contents)))
    least = [kept_days]
    for _, _, days in reversed(ends):
        least.append(max(least[-1], days))
    midnight = datetime.combine(asked, time(), UTC)
    old: list[Path] = []
    last = _cut(folder).end
    for (path, end, _), days in zip(ends[:-1], reversed(least), strict=False):
        if _moment(end.at) >= midnight - timedelta(days=days):
            break
        old.append(path)
        last = end
    return old, last


def _cut(folder: Path) -> _Cut:
    """What was taken away last, as the newest line about it tells."""
    cut = _Cut()
    for _, line in read_lines(folder):
        try:
            content = json.loads(line)
            if told := content["details"].get(REMOVED):
                _moment(told["at"]), _moment(content["at"])
                end = Head(int(told["number"]), str(told["sha256"]), told["at"])
                cut = _Cut(end, int(content["number"]), content["at"])
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # no line of an audit log: verify_log names it
    return cut


def verify_log(folder: Path, given_away: Iterable[GivenAway] = ()) -> list[str]:
    """Say what is wrong with a log: lines that were edited, are missing or out of order.

    Lines may be gone at the front up to the last that a purge recorded, at the age that the lines
    from there to the purge ask for. Each head that was given away must be the hash of a line, or
    be older than those, and gone no earlier than its manifest says. An empty answer means that the
    log is whole.
    """
    problems: list[str] = []
    cut = _cut(folder)
    head = _beginning(folder, cut.end)
    seen = {head.sha256}
    asked: list[int] = []
    for place, line in read_lines(folder):
        head, problem = _next(line, head)
        if problem:
            problems.append(f"{place}: {problem}")
        seen.add(line_sha256(line))
        if head.number == cut.end.number and head.sha256 != cut.end.sha256:
            problems.append(f"{place}: is not the line that was to be taken away: it was changed")
        if not problem and cut.end.number < head.number < cut.number:
            asked.append(json.loads(line)["kept_days"])
    problems += _too_early(cut, asked)
    recorded = read_head(folder)
    if (recorded.number, recorded.sha256) != (head.number, head.sha256):
        problems.append(
            f"{HEAD_NAME}: tells of {recorded.number} lines that end in {recorded.sha256[:12]}, "
            f"there are {head.number} that end in {head.sha256[:12]}: the end is missing or changed"
        )
    problems += [f"{each.where}: {told}" for each in given_away if (told := _lost(each, cut, seen))]
    return problems


def _too_early(cut: _Cut, asked: list[int]) -> Iterator[str]:
    """What is wrong with the age at which lines were taken away.

    `asked` is how many days the lines from there to the one that tells of it are kept.
    """
    if not cut.number:
        return
    age = _moment(cut.at) - _moment(cut.end.at)
    if not asked:
        yield f"lines up to number {cut.end.number} were taken away, and none stayed that says when"
    elif age < timedelta(days=max(asked)):
        yield (
            f"lines up to number {cut.end.number} were taken away after {age.days} days: those "
            f"after them say that they are kept for {max(asked)} days"
        )


def _lost(given: GivenAway, cut: _Cut, seen: Set[str]) -> str | None:
    """Why a head that was given away ought to be a line of the log, and is none."""
    if given.sha256 in seen:
        return None
    name = f"its audit head {given.sha256[:12]}"
    if not cut.number or given.at > _moment(cut.end.at):
        return f"{name} is no line of the log"
    age = _moment(cut.at) - given.at
    if age < given.kept:
        return (
            f"{name} was taken away {age.days} days later, and was to be kept for "
            f"{given.kept.days} days"
        )
    return None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _beginning(folder: Path, gone: Head) -> Head:
    """The head after which a log must begin: that of the last line that was taken away.

    Where a purge died before all its lines were gone, the first that is left is taken as it is:
    the lines after it lead to the hash that was recorded.
    """
    first = next(read_lines(folder), None)
    try:
        content = json.loads(first[1]) if first else {}
        if 0 < content["number"] <= gone.number:
            return Head(int(content["number"]) - 1, str(content["previous"]))
    except (ValueError, KeyError, TypeError):
        pass  # no line of an audit log: verify_log names it
    return gone


def _next(line: str, head: Head) -> tuple[Head, str | None]:
    """The head after a line, and what is wrong there.

    After a gap the log goes on where the line says, so that what is missing is named once. A line
    that is none, or comes too late, does not move the head.
    """
    try:
        content = json.loads(line)
        canonical = canonical_json(content)
        number, previous = int(content["number"]), content["previous"]
        _moment(content["at"]), timedelta(days=content["kept_days"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return head, "is not a line of an audit log"
    expected = head.number + 1
    after = Head(expected, line_sha256(line))
    if canonical != line:
        return after, "is not in canonical form: it was edited"
    if number == expected and previous != head.sha256:
        return after, "does not continue the line before: one of the two was changed"
    if number == expected:
        return after, None
    if previous == head.sha256:
        return after, f"has number {number}, expected {expected}: it was edited"
    if number < expected:
        return head, f"has number {number}, expected {expected}: lines are out of order"
    gap = (
        f"number {expected} is"
        if number == expected + 1
        else f"numbers {expected} to {number - 1} are"
    )
    return Head(number, after.sha256), f"{gap} missing before it, or out of order"
