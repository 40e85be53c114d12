"""Writers side by side, while the next rows are read; what is held does not grow with the rows.

Nodes are written by several writers, relationships by one: two that add to the same node wait for
each other, and even without a node in common they can deadlock, because Neo4j links a node's
relationships to a chain and locks the neighbours in it. Tried: rows divided so that no two writers
shared a node still deadlocked, and the retries cost more than a second writer gained.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

Rows = list[list[Any]]


def write_batches(batches: Iterable[Rows], write: Callable[[Rows], int], workers: int) -> int:
    """Write all batches, at most `workers` at once; returns the sum of what `write` returned.

    One batch more than there are workers is held. The first error ends it.
    """
    written = 0
    with ThreadPoolExecutor(workers) as pool:
        under_way: deque[Future[int]] = deque()
        try:
            for batch in batches:
                under_way.append(pool.submit(write, batch))
                if len(under_way) > workers:
                    written += under_way.popleft().result()
            return written + sum(each.result() for each in under_way)
        finally:
            for each in under_way:
                each.cancel()
