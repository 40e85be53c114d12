"""Writers side by side: everything is written once, and little is held."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.neo4j_writers import Rows, write_batches


@settings(max_examples=20)
@given(sizes=st.lists(st.integers(0, 5), max_size=20), workers=st.integers(1, 4))
def test_every_row_is_written_once(sizes: list[int], workers: int) -> None:
    batches = [[[place, number] for number in range(size)] for place, size in enumerate(sizes)]
    seen: Rows = []

    def write(rows: Rows) -> int:
        seen.extend(rows)
        return len(rows)

    assert write_batches(batches, write, workers) == sum(sizes)
    assert sorted(seen) == [row for batch in batches for row in batch]


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_as_allowed_write_at_once_and_one_batch_waits(workers: int) -> None:
    busy, most, read, written = 0, 0, 0, 0
    lock = threading.Lock()

    def batches() -> Iterator[Rows]:
        nonlocal read
        for _ in range(20):
            read += 1
            assert read - written <= workers + 2
            yield [[1]]

    def write(rows: Rows) -> int:
        nonlocal busy, most, written
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.005)
        with lock:
            busy -= 1
            written += 1
        return len(rows)

    assert write_batches(batches(), write, workers) == 20
    assert most == workers


def test_an_error_of_one_writer_ends_all() -> None:
    written = 0

    def write(rows: Rows) -> int:
        nonlocal written
        written += 1
        if written == 3:
            raise KeyError("third")
        return 1

    with pytest.raises(KeyError, match="third"):
        write_batches(([[number]] for number in range(1_000)), write, 2)
    assert written < 10
