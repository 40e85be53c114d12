"""Parallel writers: everything is written once, and no two touch a node at the same time."""

from __future__ import annotations

import threading
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exporters import neo4j_writers
from exporters.neo4j_writers import write_batches

IDS = st.integers(0, 30).map(str)


class Witness:
    """Notes what is being written, and by how many at once."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self.rows: list[tuple[Any, ...]] = []
        self.most = 0
        self.clash = False
        self._busy: list[set[tuple[str, str]]] = []
        self._lock = threading.Lock()

    def write(self, rows: list[list[Any]]) -> int:
        touched = {(label, row[end]) for row in rows for end, label in enumerate(self.labels)}
        with self._lock:
            self.clash |= any(touched & other for other in self._busy)
            self._busy.append(touched)
            self.most = max(self.most, len(self._busy))
        time.sleep(0.001)
        with self._lock:
            self._busy.remove(touched)
            self.rows += map(tuple, rows)
        return len(rows)


@settings(max_examples=30)
@given(
    rows=st.lists(st.tuples(IDS, IDS), max_size=200),
    labels=st.sampled_from([("Account", "Device"), ("Account", "Account")]),
    workers=st.integers(1, 4),
)
def test_every_row_is_written_once_and_no_node_by_two_at_once(
    rows: list[tuple[str, str]], labels: tuple[str, str], workers: int
) -> None:
    witness = Witness(labels)
    batches = [[list(row) for row in rows[start : start + 50]] for start in range(0, len(rows), 50)]
    assert write_batches(batches, labels, witness.write, workers) == len(rows)
    assert sorted(witness.rows) == sorted(rows)
    assert not witness.clash


def test_blocks_are_written_side_by_side() -> None:
    witness = Witness(("Account", "Device"))
    rows = [[str(number), str(number)] for number in range(5_000)]
    write_batches([rows], witness.labels, witness.write, 2)
    assert witness.most == 2


def test_what_is_held_does_not_grow_with_the_rows() -> None:
    held = 0
    most = 0

    def batches() -> Any:
        nonlocal held, most
        for batch in range(100):
            held += 1_000
            most = max(most, held)
            yield [[f"{batch}-{number}", f"{number}"] for number in range(1_000)]

    def write(rows: list[list[Any]]) -> int:
        nonlocal held
        held -= len(rows)
        return len(rows)

    assert write_batches(batches(), ("A", "B"), write, 1) == 100_000
    assert most <= neo4j_writers.FULL + 1_000
