"""Which batches carry a subject, and what of an old batch is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from exporters.enforcement.fields import ACCOUNTS, EVIDENCE, MANIFEST_NAME, SUMS_NAME
from exporters.enforcement.files import files_of
from jobs.batches.store import Store

KEPT = (MANIFEST_NAME, SUMS_NAME)
"""What stays of an old batch: its counts and checksums; no row of an account."""

USER = re.compile(rb'"user_id":("(?:[^"\\]|\\.)*")')
"""An account in a STIX bundle; within a text the first quotes would have a backslash."""

USER_KEY = b'"user_id":"'
BLOCK = 1 << 20


def folders(store: Store) -> Iterator[Path]:
    """The folders of all batches, wherever they are."""
    for place in (store.proposed, store.staged, store.released):
        yield from sorted(path for path in place.glob("*-*") if (path / MANIFEST_NAME).is_file())


def carries(folder: Path, subjects: Set[str]) -> bool:
    """Whether a file of a batch names one of these, by its whole id.

    Evidence and STIX bundles name more accounts than those that something is done to: targets, and
    who stands beside somebody that is taken back. What cannot be read may name anybody. Memory
    holds a line or a block.
    """
    if not subjects:
        return False
    rows = (folder / ACCOUNTS.name, folder / EVIDENCE.name)
    bundles = (path for name, path in files_of(folder).items() if "stix" in name)
    return any(_in_rows(path, subjects) for path in rows if path.is_file()) or any(
        _in_bundle(path, subjects) for path in bundles
    )


def _in_rows(path: Path, subjects: Set[str]) -> bool:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        return any(_names(line, subjects) for line in lines)


def _names(line: str, subjects: Set[str]) -> bool:
    try:
        row: Mapping[str, Any] = json.loads(line)
        named = {row["account_id"], row["decision_id"], row.get("network_id")}
        if row.get("entity_type") == "target":
            named.add(row["entity_ref"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return True
    return not named.isdisjoint(subjects)


def _in_bundle(path: Path, subjects: Set[str]) -> bool:
    try:
        return any(user in subjects for user in _users(path))
    except ValueError:
        return True


def _users(path: Path) -> Iterator[str]:
    """The accounts in a STIX bundle, which is one line of any length."""
    rest = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            rest += block
            end = 0
            for found in USER.finditer(rest):
                end = found.end()
                yield json.loads(found[1])
            begun = rest.rfind(USER_KEY, end)
            rest = rest[begun if begun >= 0 else max(end, len(rest) - len(USER_KEY)) :]


def rows_of_accounts(folder: Path) -> list[Path]:
    """The files of a batch that tell of accounts, in every format; none once they are gone."""
    return sorted(path for name, path in files_of(folder).items() if name not in KEPT)
