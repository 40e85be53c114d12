"""Ids that stand for sensitive entities where people look: steady, and not to be undone."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from graph.config import Config
from graph.engines.base import Engine
from graph.frames import engine_api
from jobs.files import make_private
from jobs.inputs import read_sensitive_entities
from jobs.sessions import engine_session

KEY_FILE = "masking.key"

MASKS = pa.schema([(name, pa.string()) for name in ("entity_type", "entity_id", "masked_id")])


def masks(entries: pa.Table, key: bytes) -> pa.Table:
    """The masked id of each listed entity; columns of MASKS.

    `entries` has entity_type, entity_id (cleaned) and kind. A list of known hashes does not tell
    which of them a masked id stands for, unless one has the key.
    """
    rows = {}
    for entry in entries.to_pylist():
        kind, entity_type, entity_id = (entry[name] for name in ("kind", *MASKS.names[:2]))
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


def masked_ids(config: Config, engine: Engine | None = None) -> dict[tuple[str, str], str]:
    """The masked id of each entity that a site lists, by type and id.

    `engine` is one that is open already and stays open; else one is opened where there is a list.
    """
    if config.inputs.sensitive_entities is None:
        return {}
    with ExitStack() as stack:
        if engine is None:
            scratch = Path(stack.enter_context(TemporaryDirectory(prefix="actorgraph-")))
            engine = stack.enter_context(engine_session("duckdb", "masking", config, scratch))
        stack.enter_context(engine_api(engine.api_root))
        listed = read_sensitive_entities(engine, config)
    rows = masks(listed, masking_key(config.home.absolute())).to_pylist()
    return {(row["entity_type"], row["entity_id"]): row["masked_id"] for row in rows}


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
