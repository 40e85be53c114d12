"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any


def write_json(path: Path, content: Any) -> None:
    """Replace a file by `content` as JSON; a reader sees the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, closed to other users."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make all files below a folder, and the folders themselves, outlast a power cut."""
    for parent, _, names in os.walk(folder):
        for name in names:
            sync_folder(Path(parent, name))
        sync_folder(Path(parent))


def remove(path: Path) -> None:
    """Delete a file or a whole folder; what does not exist is fine."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
