"""The audit log: who did what when, as JSON lines each of which holds the hash of the one before.

It is a folder of numbered files that never change, one for each publication, and `HEAD.json` with
the last line's number and hash. The head stands in every manifest that leaves, so that a log that
was written anew shows. Old files go at the front; the line that tells of it holds the hash of the
last line that went, so that nothing else can be missing there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
    """A head that stands in a manifest: its hash, when the manifest was made, and where it is."""

    sha256: str
    at: datetime
    where: str


def line_sha256(line: str) -> str:
    """The hash of a line, without its end."""
    return hashlib.sha256(line.encode(errors="surrogateescape")).hexdigest()


def chained(entries: Iterable[Entry], head: Head, at: datetime) -> tuple[list[str], Head]:
    """The lines that carry a log on from its head, and its new head."""
    lines = []
    for entry in entries:
        content: dict[str, Any] = {
            "number": head.number + 1,
            "at": at.isoformat(timespec="seconds"),
            "action": entry.action,
            "actor": entry.actor,
            "details": dict(entry.details),
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


def expired(folder: Path, before: datetime) -> tuple[list[Path], Head]:
    """The files at the front of a log whose lines are all from before a time, and their last line.

    The newest file always stays. What an interrupted purge left counts again.
    """
    paths = sorted(folder.glob("[0-9]*.jsonl"))
    old: list[Path] = []
    end = _removed(folder)[0]
    for path in paths[:-1]:
        lines = path.read_text(encoding="utf-8").splitlines()
        last = json.loads(lines[-1])
        if datetime.fromisoformat(last["at"]) >= before:
            break
        old.append(path)
        end = Head(int(last["number"]), line_sha256(lines[-1]), str(last["at"]))
    return old, end


def _removed(folder: Path) -> tuple[Head, timedelta]:
    """The last line that was taken away, and at which age, as the newest line about it tells."""
    end, age = Head(), timedelta.max
    for _, line in read_lines(folder):
        try:
            content = json.loads(line)
            if told := content["details"].get(REMOVED):
                at, now = (_moment(each["at"]) for each in (told, content))
                end, age = Head(int(told["number"]), str(told["sha256"]), told["at"]), now - at
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # no line of an audit log: verify_log names it
    return end, age


def verify_log(
    folder: Path, given_away: Iterable[GivenAway] = (), kept: timedelta = timedelta()
) -> list[str]:
    """Say what is wrong with a log: lines that were edited, are missing or out of order.

    Lines may be gone at the front up to the last that a purge recorded, and only at an age of
    `kept`. Each head that was given away must be the hash of a line, or be older than those. An
    empty answer means that the log is whole.
    """
    problems: list[str] = []
    gone, age = _removed(folder)
    if age < kept:
        problems.append(
            f"lines up to number {gone.number} were taken away after {age.days} days: they are "
            f"kept for {kept.days} days (retention.audit)"
        )
    head = _beginning(folder, gone)
    seen = {head.sha256}
    for place, line in read_lines(folder):
        problem = _problem(line, head)
        if problem:
            problems.append(f"{place}: {problem}")
        head = Head(head.number + 1, line_sha256(line), "")
        seen.add(head.sha256)
        if head.number == gone.number and head.sha256 != gone.sha256:
            problems.append(f"{place}: is not the line that was to be taken away: it was changed")
    recorded = read_head(folder)
    if (recorded.number, recorded.sha256) != (head.number, head.sha256):
        problems.append(
            f"{HEAD_NAME}: tells of {recorded.number} lines that end in {recorded.sha256[:12]}, "
            f"there are {head.number} that end in {head.sha256[:12]}: the end is missing or changed"
        )
    for each in given_away:
        is_old = bool(gone.at) and each.at <= _moment(gone.at)
        if each.sha256 not in seen and not is_old:
            problems.append(
                f"{each.where}: its audit head {each.sha256[:12]} is no line of the log"
            )
    return problems


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


def _problem(line: str, head: Head) -> str | None:
    try:
        content = json.loads(line)
        canonical = canonical_json(content)
        number, previous = content["number"], content["previous"]
    except (ValueError, KeyError, TypeError):
        return "is not a line of an audit log"
    if canonical != line:
        return "is not in canonical form: it was edited"
    if number != head.number + 1:
        return f"has number {number}, expected {head.number + 1}: lines are missing or out of order"
    if previous != head.sha256:
        return "does not continue the line before: one of the two was changed"
    return None
