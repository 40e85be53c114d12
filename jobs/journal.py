"""Replacing many tables at once: what is staged becomes current, all of it or nothing.

A publication is committed by one atomic rename, that of its journal. The journal names every
target; each target's new content waits in `_staging/<run_id>/new`, its old content goes to
`_staging/<run_id>/old`. Whoever finds a journal finishes it, from wherever its writer died; only if
staged content was lost is the old state brought back instead. The caller holds the lock.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from graph.published import JOURNAL as NAME
from jobs.errors import DataStop
from jobs.files import remove, sync_folder, sync_tree, write_json

STAGING = "_staging"


@dataclass(frozen=True)
class Journal:
    """A committed publication: its targets, relative to the warehouse, and which were there."""

    run_id: str
    targets: tuple[str, ...]
    replaced: tuple[str, ...]
    undo: bool = False


def staged(warehouse: Path, run_id: str, target: str) -> Path:
    """Where a target's new content waits to be published; one beside the warehouse begins `../`."""
    return warehouse / STAGING / run_id / "new" / _inside(target)


def _aside(warehouse: Path, run_id: str, target: str) -> Path:
    return warehouse / STAGING / run_id / "old" / _inside(target)


def _inside(target: str) -> str:
    return target.replace("../", "beside/", 1) if target.startswith("../") else target


def publish(warehouse: Path, run_id: str, targets: list[str]) -> None:
    """Make the staged content of all targets current."""
    replaced = tuple(target for target in targets if (warehouse / target).exists())
    sync_tree(warehouse / STAGING / run_id)
    journal = Journal(run_id, tuple(targets), replaced)
    write_json(warehouse / NAME, asdict(journal))
    _finish(warehouse, journal)


def recover(warehouse: Path) -> str | None:
    """Finish or undo what a dead writer left, and say what was done; None if nothing was left."""
    journal = _read(warehouse)
    if journal is None:
        leftovers = (warehouse / STAGING).exists()
        remove(warehouse / STAGING)
        return "removed the staged tables of a run that did not end" if leftovers else None
    if not journal.undo and _lost(warehouse, journal):
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


def _lost(warehouse: Path, journal: Journal) -> bool:
    """Whether a target has neither staged nor current content; never so unless files were lost."""
    return any(
        not staged(warehouse, journal.run_id, target).exists() and not (warehouse / target).exists()
        for target in journal.targets
    )


def _finish(warehouse: Path, journal: Journal) -> None:
    for target in journal.targets:
        new = staged(warehouse, journal.run_id, target)
        if new.exists():
            _move(warehouse / target, _aside(warehouse, journal.run_id, target))
            _move(new, warehouse / target)
    _close(warehouse)


def _undo(warehouse: Path, journal: Journal) -> None:
    for target in journal.targets:
        old = _aside(warehouse, journal.run_id, target)
        if old.exists():
            remove(warehouse / target)
            _move(old, warehouse / target)
        elif target not in journal.replaced:
            remove(warehouse / target)
    _close(warehouse)


def _move(source: Path, destination: Path) -> None:
    if source.exists():
        destination.parent.mkdir(parents=True, exist_ok=True)
        source.rename(destination)
        sync_folder(destination.parent)


def _close(warehouse: Path) -> None:
    (warehouse / NAME).unlink()
    sync_folder(warehouse)
    remove(warehouse / STAGING)
