"""Putting batches and freezes where they belong, as part of a command's changes."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from exporters.enforcement.approvals import RELEASE_NAMESPACE, sign
from exporters.enforcement.fields import MANIFEST_NAME, SUMS_NAME
from exporters.enforcement.files import files_of
from exporters.enforcement.guards import Freeze, Lifted
from exporters.enforcement.release_note import release_note, release_path
from exporters.enforcement.verify import PARENT, sums_sha256_of
from jobs.batches.changes import Changes
from jobs.batches.store import FOLDER, FREEZES, LIFTED, Store, approvals_path


def set_freezes(changes: Changes, freezes: list[Freeze]) -> None:
    """Replace the list of what is frozen."""
    changes.text(f"../{FREEZES}", json.dumps([asdict(each) for each in freezes], indent=2) + "\n")


def lift_hold(changes: Changes, lifted: Lifted) -> None:
    """Remember that a hold was lifted, in place of an earlier time of the same."""
    name = (lifted.kind, lifted.name)
    kept = [each for each in Store(changes.home).lifted() if (each.kind, each.name) != name]
    rows = [asdict(each) for each in [*kept, lifted]]
    changes.text(f"../{LIFTED}", json.dumps(rows, indent=2) + "\n")


def stage_release(changes: Changes, folder: Path, approved: Path, person: str) -> None:
    """Stage a batch's folder as released, with what its approvals were given for, and the note.

    `approved` is the folder of the batch that people signed: the same, or the one it is a stage of.
    """
    link_files(folder, changes.folder(f"../{FOLDER}/released/{folder.name}"))
    approvals = approvals_path(approved).read_text(encoding="utf-8")
    changes.text(f"../{FOLDER}/released/{folder.name}.approvals.jsonl", approvals)
    sums_sha256, key, signature = (
        sums_sha256_of(folder),
        changes.config.enforcement.release_key,
        None,
    )
    if key is not None:
        signature = sign(sums_sha256, person, key, changes.now, RELEASE_NAMESPACE).signature
    note = release_note(folder.name, sums_sha256, person, changes.now, signature)
    changes.text(f"../{FOLDER}/released/{release_path(folder).name}", note)
    if approved != folder:
        beside = changes.folder(f"../{FOLDER}/released/{folder.name}.{PARENT}")
        for name in (MANIFEST_NAME, SUMS_NAME):
            os.link(approved / name, beside / name)


def link_files(folder: Path, target: Path) -> None:
    """Give the files of a batch a second name in another folder, without copying them."""
    for name, path in files_of(folder).items():
        (target / name).parent.mkdir(mode=0o700, exist_ok=True)
        os.link(path, target / name)
