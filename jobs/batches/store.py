"""Where batches are: `<home>/batches/proposed`, `staged` and `released`, and what is frozen."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from exporters.enforcement.approvals import Approval, read_approvals
from exporters.enforcement.fields import MANIFEST_NAME
from exporters.enforcement.guards import Freeze, Lifted
from exporters.enforcement.ledgers import BATCHES
from exporters.enforcement.manifest import Manifest, read_manifest
from graph.ledger import read_ledger
from jobs.errors import ConfigError, DataStop
from jobs.files import make_private, remove, write_json

FOLDER = "batches"
FREEZES = "freezes.json"
ASKED = "freezes_asked"
"""A folder of freezes that were given while another command held the lock: they hold, too."""

LIFTED = "lifted_holds.json"


class Store:
    """The batches under a home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.proposed = home / FOLDER / "proposed"
        self.staged = home / FOLDER / "staged"
        self.released = home / FOLDER / "released"

    def tidy(self) -> None:
        """Remove what was released and still stands where it was before its writer died."""
        for before in (self.proposed, self.staged):
            for folder in before.glob("*-*"):
                if folder.is_dir() and (self.released / folder.name).exists():
                    remove(folder)
                    remove(approvals_path(folder))

    def waiting(self, batch_id: str) -> Path:
        """The folder of a proposed batch; raises ConfigError where there is none."""
        folder = self.proposed / batch_id
        if "/" in batch_id or not folder.is_dir():
            ended = pc.field("event").isin(["released", "void"])
            over = {*read_ledger(self.home, BATCHES, ended).column("batch_id").to_pylist()}
            here = {path.name for path in self.proposed.glob("*") if path.is_dir()}
            known = ", ".join(sorted(here - over))
            raise ConfigError(f"no batch {batch_id!r} is proposed; proposed: {known or 'none'}")
        return folder

    def find(self, batch_id: str) -> Path | None:
        """The folder of a batch, released or not."""
        places = (self.released, self.proposed, self.staged)
        found = (place / batch_id for place in places if (place / batch_id).is_dir())
        return next(found, None)

    def manifests(self) -> list[Manifest]:
        """The manifests of all batches that are released or wait, in the order of their ids."""
        folders = [*self.proposed.glob("*-*"), *self.released.glob("*-*")]
        found = [read(folder) for folder in folders if (folder / MANIFEST_NAME).exists()]
        named = {manifest.batch_id: manifest for manifest in found}
        return [named[name] for name in sorted(named)]

    def freezes(self) -> list[Freeze]:
        """What is frozen, each scope once."""
        asked = [json.loads(path.read_text(encoding="utf-8")) for path in self.asked()]
        found = [Freeze(**entry) for entry in [*self._listed(FREEZES), *asked]]
        return list({each.signature: each for each in found}.values())

    def asked(self) -> list[Path]:
        """The files of freezes that could not be made yet, oldest first."""
        return sorted((self.home / ASKED).glob("*.json"))

    def ask(self, freeze: Freeze) -> Path:
        """Freeze without the lock, and at once; the file stands until the freeze is made."""
        make_private(self.home)
        make_private(self.home / ASKED)
        path = self.home / ASKED / f"{freeze.at.replace(':', '')}-{secrets.token_hex(3)}.json"
        write_json(path, asdict(freeze))
        path.chmod(0o600)
        return path

    def lifted(self) -> list[Lifted]:
        """The holds that were lifted, each of a network, batch or signature once."""
        return [Lifted(**entry) for entry in self._listed(LIFTED)]

    def _listed(self, name: str) -> list[dict[str, Any]]:
        path = self.home / name
        if not path.exists():
            return []
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return found


def read(folder: Path) -> Manifest:
    """A batch's manifest; raises DataStop for one that cannot be read."""
    try:
        return read_manifest(folder)
    except ValueError as error:
        raise DataStop(f"{folder}: {error}") from None


def approvals_path(folder: Path) -> Path:
    """Where the approvals of the batch in a folder stand: beside it."""
    return folder.parent / f"{folder.name}.approvals.jsonl"


def approvals_of(folder: Path) -> list[Approval]:
    """The approvals beside a batch; raises DataStop for a file that is none of approvals."""
    try:
        return read_approvals(approvals_path(folder))
    except ValueError as error:
        raise DataStop(str(error)) from None
