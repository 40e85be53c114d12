"""Writing a batch's files row by row, and the checksums over them."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from exporters.enforcement.csv_cells import cell
from exporters.enforcement.fields import (
    CSV_NAME,
    INTERNAL,
    MANIFEST_NAME,
    ROW_FILES,
    SUMS_NAME,
    RowFile,
)

BLOCK = 1 << 20


def named(folder: Path) -> Path:
    """A batch's folder by its whole path, so that its name is the batch's where `.` was given."""
    return Path(os.path.abspath(folder))  # not resolve(): the name that a link has counts


LINE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""A row as its line of JSON."""


class HashedFile:
    """A new file of a batch, closed to others: SHA-256, bytes and rows are known once it is closed.

    Its name may be in a folder of the batch's.
    """

    def __init__(self, folder: Path, name: str) -> None:
        path = folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self.name = name
        self.bytes = 0
        self.rows = 0
        self._hash = hashlib.sha256()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "wb", buffering=0)
        self._waiting: list[str] = []
        self._size = 0

    def write(self, text: str) -> int:
        """Add text; what csv.writer calls."""
        self._waiting.append(text)
        self._size += len(text)
        if self._size >= BLOCK:
            self._flush()
        return len(text)

    def _flush(self) -> None:
        block = "".join(self._waiting).encode()
        self._waiting, self._size = [], 0
        self._hash.update(block)
        self.bytes += len(block)
        while block:
            block = block[self._file.write(block) :]

    def close(self) -> None:
        """Write what waits."""
        self._flush()
        self._file.close()

    def abandon(self) -> None:
        """Close after an error, without writing more."""
        self._file.close()

    def entry(self) -> dict[str, Any]:
        """What the manifest says of the file."""
        return {
            "name": self.name,
            "sha256": self._hash.hexdigest(),
            "bytes": self.bytes,
            "rows": self.rows,
        }


@dataclass
class BatchFiles:
    """The open row files of a batch."""

    files: Mapping[str, HashedFile]
    table: Any = field(repr=False)  # the csv module's writer

    def add(self, file: RowFile, row: Mapping[str, Any]) -> None:
        """Write a row of a file, whose fields are in their order; accounts go to the CSV too."""
        _write_line(self.files[file.name], row)
        if file is ROW_FILES[0]:
            self.table.writerow(list(map(cell, row.values())))
            self.files[CSV_NAME].rows += 1

    def entries(self) -> list[dict[str, Any]]:
        """What the manifest says of the files, in the order of their names."""
        return [self.files[name].entry() for name in sorted(self.files)]


def _write_line(file: HashedFile, row: Mapping[str, Any]) -> None:
    # In ASCII no reader takes a sign within a text for the end of a line.
    file.write(LINE(row) + "\n")
    file.rows += 1


@contextmanager
def batch_files(folder: Path) -> Iterator[BatchFiles]:
    """Open all row files of a new batch in an empty folder, and close them whole."""
    names = [CSV_NAME, *(file.name for file in ROW_FILES)]
    files = {name: HashedFile(folder, name) for name in names}
    with ExitStack() as stack:
        for file in files.values():
            stack.callback(file.abandon)
        table = csv.writer(files[CSV_NAME], quoting=csv.QUOTE_ALL, lineterminator="\n")
        table.writerow(ROW_FILES[0].names)
        yield BatchFiles(files, table)
        for file in files.values():
            file.close()


def write_private(path: Path, text: str) -> None:
    """Write a small new file, closed to others."""
    file = HashedFile(path.parent, path.name)
    try:
        file.write(text)
        file.close()
    finally:
        file.abandon()


def write_sums(folder: Path, entries: Iterable[Mapping[str, Any]]) -> str:
    """Write SHA256SUMS, for `sha256sum -c`, over the manifest and the files that it names.

    Returns its SHA-256. What was hashed as it was written is not read again.
    """
    sums = {str(entry["name"]): str(entry["sha256"]) for entry in entries}
    sums[MANIFEST_NAME] = sha256_of(folder / MANIFEST_NAME)
    lines = [f"{sums[name]}  {name}\n" for name in sorted(sums)]
    write_private(folder / SUMS_NAME, "".join(lines))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest for people and programs: indented, sorted keys."""
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    write_private(folder / MANIFEST_NAME, text + "\n")


def files_of(folder: Path) -> dict[str, Path]:
    """What a batch's folder holds, by the names that SHA256SUMS has: no folder but `internal`."""
    found = {path.name: path for path in folder.iterdir()}
    inside = found.get(INTERNAL)
    if inside is not None and inside.is_dir() and not inside.is_symlink():
        del found[INTERNAL]
        found |= {f"{INTERNAL}/{path.name}": path for path in inside.iterdir()}
    return found


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
