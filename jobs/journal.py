"""Replacing many tables at once: what is staged becomes current, all of it or nothing.

A publication is committed by one atomic rename, that of its journal. The journal names every
target; each target's new content waits in `_staging/<run_id>/new`, its old content goes to
`_staging/<run_id>/old`. Whoever finds a journal finishes it, from wherever its writer died; only if
staged content was lost is the old state brought back instead. The caller holds the lock.

A target is a file or folder, by its path from the warehouse (jobs/renaming.py), or an object on a
store, by its URL (jobs/putting.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from graph.filesystems import SCHEME, is_remote
from graph.published import JOURNAL as NAME
from graph.remote_tables import CURRENT
from jobs.errors import DataStop
from jobs.files import remove, sync_folder, sync_tree, write_json
from jobs.putting import ObjectTarget
from jobs.renaming import FileTarget

STAGING = "_staging"
BESIDE = "beside/"
STORE = "store/"


@dataclass(frozen=True)
class Journal:
    """A committed publication: its targets, and which of them were there before."""

    run_id: str
    targets: tuple[str, ...]
    replaced: tuple[str, ...]
    undo: bool = False


class Target(Protocol):
    """One thing that a publication replaces; every step may be taken again after a crash."""

    def prepare(self) -> bool:
        """Before the commit: whether there is current content; what `undo` needs is kept."""

    def is_lost(self) -> bool:
        """Whether there is no new content to be made current; never so unless files were lost."""

    def finish(self) -> None:
        """Make the new content current."""

    def settle(self) -> None:
        """Once all is current: delete old content that is elsewhere than in the staging folder."""

    def undo(self, was_there: bool) -> None:
        """Make the old content current again."""

    def discard(self) -> None:
        """Without a commit: delete what the run wrote elsewhere than in the staging folder."""


def staged(warehouse: Path, run_id: str, target: str) -> Path:
    """Where a target's new content waits to be published; one beside the warehouse begins `../`."""
    return warehouse / STAGING / run_id / "new" / _inside(target)


def _inside(target: str) -> str:
    return target.replace("../", BESIDE, 1).replace(SCHEME, STORE, 1)


def _target(warehouse: Path, run_id: str, target: str) -> Target:
    new = staged(warehouse, run_id, target)
    old = warehouse / STAGING / run_id / "old" / _inside(target)
    if is_remote(target):
        return ObjectTarget(target, new, old)
    return FileTarget(warehouse / target, new, old)


def publish(warehouse: Path, run_id: str, targets: list[str]) -> None:
    """Make the staged content of all targets current."""
    replaced = [each for each in targets if _target(warehouse, run_id, each).prepare()]
    sync_tree(warehouse / STAGING / run_id)
    journal = Journal(run_id, tuple(targets), tuple(replaced))
    write_json(warehouse / NAME, asdict(journal))
    _finish(warehouse, journal)


def recover(warehouse: Path) -> str | None:
    """Finish or undo what a dead writer left, and say what was done; None if nothing was left."""
    journal = _read(warehouse)
    if journal is None:
        leftovers = (warehouse / STAGING).exists()
        discard(warehouse)
        return "removed the staged tables of a run that did not end" if leftovers else None
    if not journal.undo and any(each.is_lost() for each in _targets(warehouse, journal)):
        journal = Journal(journal.run_id, journal.targets, journal.replaced, undo=True)
        write_json(warehouse / NAME, asdict(journal))
    if journal.undo:
        _undo(warehouse, journal)
        return f"undid the publication of run {journal.run_id}: its staged tables were lost"
    _finish(warehouse, journal)
    return f"finished the publication of run {journal.run_id}"


def is_pending(warehouse: Path) -> bool:
    """Whether a publication is under way, or was when its writer died."""
    return (warehouse / NAME).exists()


def discard(warehouse: Path) -> None:
    """Delete what was staged and is in no journal, here and on the store."""
    for store in (warehouse / STAGING).glob(f"*/new/{STORE}"):
        for path in store.rglob(CURRENT):
            url = SCHEME + path.relative_to(store).as_posix()
            _target(warehouse, store.parents[1].name, url).discard()
    remove(warehouse / STAGING)


def _read(warehouse: Path) -> Journal | None:
    path = warehouse / NAME
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Journal(
            fields["run_id"], tuple(fields["targets"]), tuple(fields["replaced"]), fields["undo"]
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DataStop(
            f"{path} is damaged ({error}), so the tables may be half published: compare "
            f"{warehouse / STAGING} with the tables, then delete the journal"
        ) from None


def _targets(warehouse: Path, journal: Journal) -> list[Target]:
    return [_target(warehouse, journal.run_id, target) for target in journal.targets]


def _finish(warehouse: Path, journal: Journal) -> None:
    targets = _targets(warehouse, journal)
    for target in targets:
        target.finish()
    for target in targets:
        target.settle()
    _close(warehouse)


def _undo(warehouse: Path, journal: Journal) -> None:
    for name, target in zip(journal.targets, _targets(warehouse, journal), strict=True):
        target.undo(was_there=name in journal.replaced)
    _close(warehouse)


def _close(warehouse: Path) -> None:
    (warehouse / NAME).unlink()
    sync_folder(warehouse)
    remove(warehouse / STAGING)
