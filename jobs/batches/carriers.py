"""Which batches carry a subject, and what of an old batch is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from pathlib import Path

from exporters.enforcement.fields import ACCOUNTS, MANIFEST_NAME, SUMS_NAME
from exporters.enforcement.files import files_of
from jobs.batches.store import Store

KEPT = (MANIFEST_NAME, SUMS_NAME)
"""What stays of an old batch: its counts and checksums; no row of an account."""

SUBJECTS = ("account_id", "network_id", "decision_id")


def folders(store: Store) -> Iterator[Path]:
    """The folders of all batches, wherever they are."""
    for place in (store.proposed, store.staged, store.released):
        yield from sorted(path for path in place.glob("*-*") if (path / MANIFEST_NAME).is_file())


def carries(folder: Path, subjects: Set[str]) -> bool:
    """Whether a row of a batch is about one of these; a row that cannot be read may be."""
    path = folder / ACCOUNTS.name
    if not subjects or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        return any(_is_about(line, subjects) for line in lines)


def _is_about(line: str, subjects: Set[str]) -> bool:
    try:
        row = json.loads(line)
        return any(row[name] in subjects for name in SUBJECTS)
    except (ValueError, KeyError, TypeError):
        return True


def rows_of_accounts(folder: Path) -> list[Path]:
    """The files of a batch that tell of accounts, in every format; none once they are gone."""
    return sorted(path for name, path in files_of(folder).items() if name not in KEPT)
