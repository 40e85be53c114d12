"""Account ids for bulk tools: files of at most 1,000, each for one action under one policy.

JSON, because an id may hold any sign; the ids are text, so that 00123 and 1.2E18 stay what they
are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from exporters.enforcement.fields import ACTIONS, OPERATIONS
from exporters.enforcement.files import HashedFile
from exporters.enforcement.formats import Carried
from exporters.enforcement.keyed import KEYED
from exporters.enforcement.manifest import BatchId, Strict
from exporters.enforcement.rows import Decided, RowMaker

A_FILE = 1000
"""Ids that bulk tools take at once."""


Text = Annotated[str, Field(min_length=1)]


class IdList(Strict):
    """A list of ids for a bulk tool; ids are texts."""

    batch_id: BatchId
    operation: Literal[OPERATIONS]  # type: ignore[valid-type]
    action: Literal[ACTIONS]  # type: ignore[valid-type]
    policy_id: Text
    account_ids: Annotated[list[Text], Field(min_length=1, max_length=1000)]


class IdLists:
    """Writes `ids-00001.json`, ...; memory holds one unfinished file an action and policy."""

    def __init__(self, folder: Path, maker: RowMaker) -> None:
        self._folder = folder
        self._maker = maker
        self._waiting: dict[tuple[str, str], list[str]] = {}
        self._entries: list[dict[str, Any]] = []

    def add(self, carried: Carried) -> None:
        """Take an account; of one that was forgotten, a tool has no use for the hash."""
        if re.fullmatch(KEYED, carried.account["account_id"]):
            return
        key = (carried.account["action"], carried.account["policy_id"])
        ids = self._waiting.setdefault(key, [])
        ids.append(carried.account["account_id"])
        if len(ids) == A_FILE:
            self._write(key)

    def keep(self, decided: Decided) -> None:
        """Lists have what is to be done."""

    def end_network(self, network: Mapping[str, Any]) -> None:
        """Lists are of accounts, not of networks."""

    def close(self) -> list[dict[str, Any]]:
        """Write what waits."""
        for key in sorted(self._waiting):
            self._write(key)
        return self._entries

    def _write(self, key: tuple[str, str]) -> None:
        action, policy = key
        content = {
            "batch_id": self._maker.batch_id,
            "operation": self._maker.operation,
            "action": action,
            "policy_id": policy,
            "account_ids": self._waiting.pop(key),
        }
        file = HashedFile(self._folder, f"ids-{len(self._entries) + 1:05d}.json")
        file.write(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
        file.rows = len(content["account_ids"])
        file.close()
        self._entries.append(file.entry())


def open_format(folder: Path, maker: RowMaker) -> IdLists:
    """Begin the lists of a batch."""
    return IdLists(folder, maker)
