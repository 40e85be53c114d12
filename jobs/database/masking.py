"""Ids that stand for sensitive entities where people look: steady, and not to be undone."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import pyarrow as pa

from graph.entities import ENTITY_TYPES
from jobs.files import make_private

KEY_FILE = "masking.key"

MASKS = pa.schema([(name, pa.string()) for name in ("entity_type", "entity_id", "masked_id")])


def masks(entries: pa.Table, key: bytes) -> pa.Table:
    """The masked id of each listed entity; columns of MASKS.

    `entries` has entity_type, entity_id and kind. A list of known hashes does not tell which of
    them a masked id stands for, unless one has the key.
    """
    cleaners = {each.name: each.clean for each in ENTITY_TYPES}
    rows = {}
    for entry in entries.to_pylist():
        kind, entity_type = entry["kind"], entry["entity_type"]
        clean = cleaners.get(entity_type)
        given = pa.array([entry["entity_id"]], pa.string())
        entity_id = clean(given).ids[0].as_py() if clean else entry["entity_id"]
        if entity_id is None:  # identifies nobody, so no node has it
            continue
        message = f"{entity_type}\0{entity_id}".encode()
        digest = hmac.new(key, message, hashlib.sha256).hexdigest()[:16]
        rows[entity_type, entity_id] = f"masked {kind} {digest}"
    return pa.Table.from_pylist(
        [
            {"entity_type": entity_type, "entity_id": entity_id, "masked_id": masked}
            for (entity_type, entity_id), masked in rows.items()
        ],
        schema=MASKS,
    )


def masking_key(home: Path) -> bytes:
    """The key of a home, made once, readable by its owner only."""
    path = home / KEY_FILE
    make_private(home)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text(encoding="utf-8"))
    key = secrets.token_bytes(32)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(key.hex())
    return key
