"""A published file or folder: its old content is renamed aside, then the new one into its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobs.files import remove, sync_folder


@dataclass(frozen=True)
class FileTarget:
    """A path, where its new content waits, and where its old content goes; see journal.Target."""

    path: Path
    new: Path
    old: Path

    def prepare(self) -> bool:
        """See Target.prepare."""
        return self.path.exists()

    def is_lost(self) -> bool:
        """See Target.is_lost; content that is not staged any more has been moved already."""
        return not self.new.exists() and not self.path.exists()

    def finish(self) -> None:
        """See Target.finish."""
        if self.new.exists():
            _move(self.path, self.old)
            _move(self.new, self.path)

    def settle(self) -> None:
        """See Target.settle; all is in the staging folder."""

    def undo(self, was_there: bool) -> None:
        """See Target.undo."""
        if self.old.exists():
            remove(self.path)
            _move(self.old, self.path)
        elif not was_there:
            remove(self.path)

    def discard(self) -> None:
        """See Target.discard; all is in the staging folder."""


def _move(source: Path, destination: Path) -> None:
    if source.exists():
        destination.parent.mkdir(parents=True, exist_ok=True)
        source.rename(destination)
        sync_folder(destination.parent)
