"""Content hashes as signals in ThreatExchange style: JSON lines, once a network and content.

Nothing that is flagged as sensitive leaves here. Unreviewed hashes are seeds for an investigation;
only what people judged is offered as a positive class.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from exporters.enforcement.files import HashedFile
from exporters.enforcement.formats import Carried
from exporters.enforcement.manifest import Strict, Time
from exporters.enforcement.rows import REVERSE, Decided, RowMaker, iso

SIGNAL_TYPES = (
    ("HASH_MD5", re.compile("[0-9a-f]{32}")),
    ("HASH_SHA1", re.compile("[0-9a-f]{40}")),
    ("HASH_SHA256", re.compile("[0-9a-f]{64}")),
)
"""By the form of a hash; others are CONTENT_HASH, because a form alone does not tell more."""


class Signal(Strict):
    """A line of signals: a content hash, what is thought of it, and whether that still holds."""

    signal_type: Literal["HASH_MD5", "HASH_SHA1", "HASH_SHA256", "CONTENT_HASH"]
    signal_str: Annotated[str, Field(min_length=1)]
    opinion: Literal["INVESTIGATION_SEED", "POSITIVE_CLASS"]
    tags: list[str]
    owner: Annotated[str, Field(min_length=1)]
    added_on: Time
    withdrawn: bool


def signal_type(content_hash: str) -> str:
    """The type under which a hash is shared."""
    found = (name for name, form in SIGNAL_TYPES if form.fullmatch(content_hash))
    return next(found, "CONTENT_HASH")


class Signals:
    """Writes `signals.jsonl`, or of a retraction `signals_withdrawn.jsonl`."""

    def __init__(self, folder: Path, maker: RowMaker) -> None:
        self._maker = maker
        self._withdrawn = maker.operation == REVERSE
        name = "signals_withdrawn.jsonl" if self._withdrawn else "signals.jsonl"
        self._file = HashedFile(folder, name)
        self._found: dict[str, dict[str, Any]] = {}  # of a network, by content

    def add(self, carried: Carried) -> None:
        """Take the contents that an account shared with others."""
        for entity in carried.decided.evidence.shared:
            kind, name = entity.entity_type, entity.entity_id
            sensitive = (kind, name) in self._maker.sensitive
            if kind != "content" or sensitive or name in self._found:
                continue
            reviewed = carried.account["reviewer"] is not None
            self._found[name] = {
                "signal_type": signal_type(name),
                "signal_str": name,
                "opinion": "POSITIVE_CLASS" if reviewed else "INVESTIGATION_SEED",
                "tags": [carried.account["policy_id"], f"network:{carried.account['network_id']}"],
                "owner": "actorgraph",
                "added_on": iso(self._maker.created_at),
                "withdrawn": self._withdrawn,
            }

    def keep(self, decided: Decided) -> None:
        """What an account that stands shared is not withdrawn."""
        for entity in decided.evidence.shared:
            if entity.entity_type == "content":
                self._found.pop(entity.entity_id, None)

    def end_network(self, network: Mapping[str, Any]) -> None:
        """Write the network's contents; another may share the same."""
        for signal in self._found.values():
            self._file.write(json.dumps(signal, separators=(",", ":")) + "\n")
            self._file.rows += 1
        self._found = {}

    def close(self) -> list[dict[str, Any]]:
        """Finish the file."""
        self._file.close()
        return [self._file.entry()]


def open_format(folder: Path, maker: RowMaker) -> Signals:
    """Begin the signals of a batch."""
    return Signals(folder, maker)
