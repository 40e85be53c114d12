"""The audit log: who did what when, as JSON lines each of which holds the hash of the one before.

It is a folder of numbered files that never change, one for each publication, and `HEAD.json` with
the last line's number and hash. The head stands in every manifest that leaves, so that a log that
was written anew shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from graph.canonical import canonical_json

FOLDER = "audit"
HEAD_NAME = "HEAD.json"
START = "0" * 64
"""What the first line has in place of an earlier line's hash."""


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


def verify_log(folder: Path, anchors: Mapping[str, str] | None = None) -> list[str]:
    """Say what is wrong with a log: lines that were edited, are missing or out of order.

    `anchors` are heads that were given away, each with the place where it stands; each must be the
    hash of a line. An empty answer means that the log is whole.
    """
    problems: list[str] = []
    head, seen = Head(), {START}
    for place, line in read_lines(folder):
        problem = _problem(line, head)
        if problem:
            problems.append(f"{place}: {problem}")
        head = Head(head.number + 1, line_sha256(line), "")
        seen.add(head.sha256)
    recorded = read_head(folder)
    if (recorded.number, recorded.sha256) != (head.number, head.sha256):
        problems.append(
            f"{HEAD_NAME}: tells of {recorded.number} lines that end in {recorded.sha256[:12]}, "
            f"there are {head.number} that end in {head.sha256[:12]}: the end is missing or changed"
        )
    for anchor, where in (anchors or {}).items():
        if anchor not in seen:
            problems.append(f"{where}: its audit head {anchor[:12]} is no line of the log")
    return problems


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
