"""One home a store, and one store a home: each names the other, and neither is taken for another.

Two homes that publish to one place would delete each other's runs, since each has a lock of its
own; a home whose days are elsewhere would look empty, and its networks would get new names.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from graph.filesystems import exists, put, read_bytes
from graph.local_tables import LocalTables
from jobs.errors import ConfigError
from jobs.files import write_json

HOME_NAMES = "_store.json"
"""The file in a home's warehouse folder that names its store, and itself."""

STORE_NAMES = "_home.json"
"""The object on a store that names the home."""


def check_store(folder: Path, url: str | None) -> None:
    """Raise ConfigError where a home's tables are elsewhere than its config says."""
    known = _known(folder)
    if "warehouse" not in known or known["warehouse"] == url:
        return
    raise ConfigError(
        f"the tables of {folder.parent} are in {known['warehouse']}: set `warehouse` to that, or "
        "`home` to another folder"
    )


def bind_store(folder: Path, url: str) -> None:
    """Make a store the home's own; raises ConfigError where one of both has tables elsewhere.

    The same error says so when the home's tables were there and are gone.
    """
    known = _known(folder)
    place = f"{url}/{STORE_NAMES}"
    if "warehouse" not in known:
        if LocalTables(folder).names():
            raise ConfigError(
                f"{folder} has tables already, which nobody would see any more: set `home` to "
                "another folder, or `warehouse` to none"
            )
        known = {"home": secrets.token_hex(16)} | known
        write_json(folder / HOME_NAMES, known)
        if not exists(place):
            put(place, json.dumps(known).encode())
    if not exists(place):
        raise ConfigError(
            f"{place} is gone, so the tables of {folder.parent} may be, too: bring the bucket "
            "back, or set `home` and `warehouse` to new places"
        )
    if json.loads(read_bytes(place))["home"] != known["home"]:
        raise ConfigError(
            f"{url} has the tables of another home: give this one a place of its own, or use that "
            f"home; if it is lost, and its ledgers with it, delete {place}"
        )
    if "warehouse" not in known:
        write_json(folder / HOME_NAMES, known | {"warehouse": url})


def _known(folder: Path) -> dict[str, str]:
    path = folder / HOME_NAMES
    if not path.exists():
        return {}
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return known
