"""Parallel writers that cannot deadlock: no two write to the same node at the same time.

Rows are put into blocks by hashes of the ids at their ends. Blocks without a node in common are
written side by side; a hub's rows are all in blocks of one group, and so never meet themselves.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Row = list[Any]
Rows = list[Row]
Block = tuple[int, ...]
Write = Callable[[Rows], int]

FULL = 5_000
"""Rows of a block at which it is written."""


def write_batches(
    batches: Iterable[Rows], labels: Sequence[str], write: Write, workers: int
) -> int:
    """Write all rows; returns the sum of what `write` returned.

    A row begins with one id for each of `labels`. At most `FULL` rows of each of
    (2 x workers)^len(labels) blocks are held, whatever the number of rows.
    """
    groups = 1 if workers == 1 else 2 * workers
    blocks: dict[Block, Rows] = {}
    written = 0
    with ThreadPoolExecutor(workers) as pool:
        for rows in batches:
            for row in rows:
                block = tuple(zlib.crc32(row[end].encode()) % groups for end in range(len(labels)))
                blocks.setdefault(block, []).append(row)
            while any(len(held) >= FULL for held in blocks.values()):
                written += _round(blocks, labels, write, pool, workers)
        while blocks:
            written += _round(blocks, labels, write, pool, workers)
    return written


def _round(
    blocks: dict[Block, Rows], labels: Sequence[str], write: Write, pool: Any, workers: int
) -> int:
    """Write the fullest blocks that have no node in common, each by one writer."""
    taken: list[Rows] = []
    touched: set[tuple[str, int]] = set()
    for block in sorted(blocks, key=lambda each: (-len(blocks[each]), each)):
        groups = set(zip(labels, block, strict=True))
        if len(taken) < workers and not groups & touched:
            touched |= groups
            taken.append(blocks.pop(block))
    return sum(pool.map(write, taken))
