"""A published day on an object store: the object that names its run is put over the old one.

Nothing is renamed. The new object stays staged until all of a publication is put, so that it can be
put again; then the day's other runs are deleted, as a folder's old content is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graph.filesystems import put, read_bytes, remove_file
from graph.remote_tables import remove_draft, remove_other_runs


@dataclass(frozen=True)
class ObjectTarget:
    """A URL, the file with its new content, and the one for its old content; see journal.Target."""

    url: str
    new: Path
    old: Path

    def prepare(self) -> bool:
        """See Target.prepare."""
        try:
            content = read_bytes(self.url)
        except FileNotFoundError:
            return False
        self.old.parent.mkdir(parents=True, exist_ok=True)
        self.old.write_bytes(content)
        return True

    def is_lost(self) -> bool:
        """See Target.is_lost."""
        return not self.new.exists()

    def finish(self) -> None:
        """See Target.finish."""
        put(self.url, self.new.read_bytes())

    def settle(self) -> None:
        """See Target.settle."""
        remove_other_runs(self.url, self.new.read_bytes())

    def undo(self, was_there: bool) -> None:
        """See Target.undo."""
        content = self.old.read_bytes() if was_there else None
        if content is None:
            remove_file(self.url)
        else:
            put(self.url, content)
        remove_other_runs(self.url, content)

    def discard(self) -> None:
        """See Target.discard; whoever died between the journal's end and here has published."""
        remove_draft(self.url, self.new.read_bytes())
