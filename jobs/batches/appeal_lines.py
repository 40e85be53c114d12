"""The lines of appeals.jsonl, as the desk sends them that hears appeals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from graph.engines.base import InputError
from jobs.errors import DataStop

OUTCOMES = ("upheld", "overturned", "partial")
FIELDS = (
    "appeal_id",
    "decision_id",
    "lodged_at",
    "outcome",
    "reason_code",
    "reviewer",
    "decided_at",
)
TIMES = ("lodged_at", "decided_at")

AT_ONCE = 100_000
"""Appeals that one file may have: they are held in memory, some 2 KB each."""


def read_appeals(path: Path, latest: datetime) -> Iterator[tuple[str, dict[str, Any] | DataStop]]:
    """Each line of a file with its place: the appeal, or why it is none.

    `latest` is the latest time that it may have. Raises DataStop for a file with too many lines.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number > AT_ONCE:
                raise DataStop(f"{path.name} has more than {AT_ONCE} appeals: give it in parts")
            place = f"{path.name}, line {number}"
            try:
                yield place, _appeal(line, latest)
            except DataStop as refusal:
                yield place, refusal


def _appeal(line: bytes, latest: datetime) -> dict[str, Any]:
    """An appeal; raises DataStop for what is none."""
    try:
        content = json.loads(line.decode())
        strange = sorted(set(content) - set(FIELDS))
        appeal = {field: content.get(field) for field in FIELDS}
        for field in TIMES:
            if appeal[field] is not None:
                appeal[field] = datetime.fromisoformat(appeal[field])
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise DataStop(f"is no appeal: write {', '.join(FIELDS)} as JSON") from None
    if strange:
        raise DataStop(f"an appeal has no {', '.join(strange)}: it has {', '.join(FIELDS)}")
    if appeal["outcome"] not in (None, *OUTCOMES):
        raise DataStop(f"outcome must be one of {', '.join(OUTCOMES)}")
    _check_given(appeal)
    _check_times(appeal, latest)
    return appeal


def _check_given(appeal: dict[str, Any]) -> None:
    wanted = ["appeal_id", "decision_id", "lodged_at"]
    if appeal["outcome"] is not None:
        wanted += ["reviewer", "decided_at"]
    if absent := [field for field in wanted if not appeal[field]]:
        raise DataStop(f"{', '.join(absent)} must be given")
    texts = (field for field in FIELDS if field not in TIMES and appeal[field] is not None)
    if strange := [field for field in texts if not isinstance(appeal[field], str)]:
        raise DataStop(f"{', '.join(strange)} must be text")


def _check_times(appeal: dict[str, Any], latest: datetime) -> None:
    for field in TIMES:
        at = appeal[field]
        if at is not None and (at.tzinfo is None or at > latest):
            raise DataStop(f"{field} must have a zone and not be to come")
    if appeal["decided_at"] is not None and appeal["decided_at"] < appeal["lodged_at"]:
        raise DataStop("decided_at is before lodged_at: nobody decides what nobody asked for")
