"""What the machine and the engines cannot do is told in the program's own words."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from graph.engines.base import DependencyError
from jobs.errors import as_stop

FULL_DISK = Path("/dev/full")
"""A file of Linux on whose disk there is never room."""


def test_a_disk_that_fills_up_is_no_damaged_file() -> None:
    rows = "SELECT range FROM range(100_000)"
    with pytest.raises(duckdb.IOException) as stopped:
        duckdb.sql(f"COPY ({rows}) TO '{FULL_DISK}' (FORMAT csv, USE_TMP_FILE false)")
    stop = as_stop(stopped.value)
    assert isinstance(stop, DependencyError)
    assert str(stop).startswith("no space is left on the disk of /dev/full: make room")


def test_a_disk_that_fills_up_while_python_writes_is_told_alike() -> None:
    with pytest.raises(OSError, match="No space") as stopped, FULL_DISK.open("wb", 0) as file:
        file.write(b"x")
    stop = as_stop(stopped.value)
    assert isinstance(stop, DependencyError)
    assert str(stop).startswith("no space is left on the disk of the home: make room")
