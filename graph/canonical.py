"""Canonical JSON and the hashes over it: the same content has the same bytes everywhere."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(content: Any) -> str:
    """Write content as JSON with sorted keys and no spaces; raises ValueError for NaN and infinity.

    Text stays as it is (UTF-8), so that the bytes can be compared with those of other programs.
    """
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def canonical_sha256(content: Any) -> str:
    """The SHA-256 of content's canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()
