"""The runbook has an entry for whatever can stop a run."""

from __future__ import annotations

import re
from pathlib import Path

from jobs.commands import NO_READER
from jobs.errors import DONE, EXIT_CODES, INTERRUPTED, UNEXPECTED

ROOT = Path(__file__).parents[1]
HEADINGS = re.findall(r"^### (.*)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)


def test_every_exit_code_has_an_entry() -> None:
    codes = {DONE, UNEXPECTED, INTERRUPTED, NO_READER, *EXIT_CODES.values()}
    told = {int(heading.split(":")[0]) for heading in HEADINGS if heading[0].isdigit()}
    assert told == codes


def test_every_check_has_an_entry() -> None:
    sources = [path.read_text() for path in (ROOT / "jobs").glob("*.py")]
    checks = {name for text in sources for name in re.findall(r'run\.check\(\s*"([^"]+)"', text)}
    assert checks
    assert checks <= set(HEADINGS)
