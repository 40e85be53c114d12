"""Devices and addresses leave as keyed HMACs: equal values stay equal, and cannot be guessed."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from pathlib import Path

from graph.errors import ConfigError

PERSONAL = ("device", "ip", "ip_network", "phone", "payout", "client")
"""Entity types whose values say who or where somebody is."""

LEAST_BYTES = 32

KEYED = "^hmac-sha256:[0-9a-f]{64}$"
"""The form of a keyed hash, e.g. of what stands for an account that was forgotten."""


def read_key(path: Path | None) -> bytes:
    """Read the key; raises ConfigError for none, a short one, or one that others can read."""
    if path is None:
        raise ConfigError(
            "enforcement.key_file: name a file with at least 32 random bytes, e.g. made by "
            "`head -c 32 /dev/urandom > key && chmod 600 key`"
        )
    try:
        key = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"enforcement.key_file: cannot read {path}: {error.strerror}") from None
    if len(key) < LEAST_BYTES:
        raise ConfigError(f"enforcement.key_file: {path} has {len(key)} bytes, 32 are needed")
    if mode & 0o077:
        raise ConfigError(f"enforcement.key_file: others may read {path}: chmod 600 {path}")
    return key


@lru_cache(1 << 12)  # members of a network share what they are linked by
def keyed(key: bytes, kind: str, value: str) -> str:
    """The keyed hash of a value of a kind, e.g. of a device id: `hmac-sha256:<64 digits>`."""
    digest = hmac.new(key, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()
    return f"hmac-sha256:{digest}"


def reference(key: bytes, entity_type: str, entity_id: str, sensitive: bool) -> str:
    """How an entity is named outside: keyed where it is personal or sensitive, else as it is."""
    if sensitive or entity_type in PERSONAL:
        return keyed(key, entity_type, entity_id)
    return entity_id
