"""The note beside a released batch, by which an importer tells it from one that only waits.

Approvals alone do not let a batch out: at its release all guards run once more, it may be frozen,
or leave in stages. Without a signature the note tells an importer only that somebody who can write
there put it there. One of a releaser's key, where the approvers file has such a key, tells that the
releasing job did.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from exporters.enforcement.approvals import RELEASE_NAMESPACE, Approvers, signed_by
from graph.canonical import canonical_json

NOT_RELEASED = "NOT RELEASED, do not import"


def release_path(folder: Path) -> Path:
    """Where the note of a batch in this folder stands: beside it."""
    return folder.absolute().parent / f"{folder.name}.release.json"


def release_note(
    batch_id: str, sums_sha256: str, released_by: str, at: datetime, signature: str | None = None
) -> str:
    """The text of the note: which content of a batch was released, when and by whom.

    `signature` is one over `sums_sha256`, or None.
    """
    told = {
        "batch_id": batch_id,
        "released_at": at.isoformat(timespec="seconds"),
        "released_by": released_by,
        "signature": signature,
        "sums_sha256": sums_sha256,
    }
    return f"{canonical_json(told)}\n"


def release_problems(
    folder: Path, sums_sha256: str, approvers: Approvers, now: datetime
) -> list[str]:
    """Why a batch does not count as released.

    Nothing where its note is about this content and, where there are releasers, signed by one.
    """
    path = release_path(folder)
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        about = (note["batch_id"], note["sums_sha256"])
    except FileNotFoundError:
        return [f"{NOT_RELEASED}: {path.name}, which a release writes, is not beside it"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        return [f"{NOT_RELEASED}: {path.name} cannot be read: {error}"]
    if about != (folder.name, sums_sha256):
        return [f"{NOT_RELEASED}: {path.name} is about other content"]
    keys = [each for each in approvers.releasers if each.valid_to >= now.date()]
    signature = str(note.get("signature"))
    if approvers.releasers and not any(
        signed_by(signature, sums_sha256, each, RELEASE_NAMESPACE) for each in keys
    ):
        return [f"{NOT_RELEASED}: {path.name} has no signature of a releaser's key over this batch"]
    return []
