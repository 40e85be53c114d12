"""One writer a warehouse: a lock that ends with its process, and a note that says who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from graph.engines.base import DependencyError

NAME = "_lock.json"


@contextmanager
def exclusive(warehouse: Path, command: str) -> Iterator[None]:
    """Hold the warehouse's lock; raises DependencyError, naming the holder, when it is taken.

    The same error says so when the warehouse cannot be written.

    The operating system gives the lock up when its process ends, however it ends, so a dead
    process never keeps it. The file itself stays.
    """
    with _opened(warehouse) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DependencyError(
                f"{warehouse} is in use by {_holder(warehouse)}: wait until it has ended"
            ) from None
        file.truncate(0)
        json.dump(
            {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "command": command,
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
            },
            file,
        )
        file.flush()
        yield
        file.truncate(0)


def _opened(warehouse: Path) -> TextIO:
    try:
        return (warehouse / NAME).open("a+", encoding="utf-8")
    except OSError as error:
        raise DependencyError(
            f"cannot write to {warehouse}: {error.strerror}; set `home` to a folder that can be "
            "written"
        ) from None


def _holder(warehouse: Path) -> str:
    """Say who holds the lock; a holder that has not signed yet is only "another command"."""
    with suppress(OSError, ValueError, KeyError):
        note = json.loads((warehouse / NAME).read_text(encoding="utf-8"))
        return (
            f"`{note['command']}` (process {note['pid']} on {note['host']}, since {note['since']})"
        )
    return "another command"
