"""A large graph of links, written as parquet: skewed, clustered, with a hub and long paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 7
FILES = 8
RECURSIVE, PLANTED, STAR, PATHS = 0.45, 0.45, 0.08, 0.02

Pairs = npt.NDArray[np.int64]


def write_links(folder: Path, links: int, text: bool) -> None:
    """Write about `links` rows account_a, account_b, weight; ids are sparse integers or text.

    Orientations are mixed; links of an account to itself and repeated links are kept.
    """
    random = np.random.default_rng(SEED)
    parts = (
        _recursive(random, int(RECURSIVE * links)),
        _planted(random, int(PLANTED * links)),
        _star(random, int(STAR * links)),
        _paths(int(PATHS * links)),
    )
    first, pairs = 0, []
    for part in parts:
        pairs.append(part + first)
        first += int(part.max()) + 1
    rows = np.concatenate(pairs)
    rows = rows[random.permutation(len(rows))]
    flipped = random.random(len(rows)) < 0.5
    rows[flipped] = rows[flipped][:, ::-1]
    ids = random.integers(-(2**62), 2**62, first)[rows]
    folder.mkdir(parents=True)
    weights = random.integers(1, 1_000_000, len(ids))
    for number, part in enumerate(np.array_split(np.arange(len(ids)), FILES)):
        columns = [pa.array(np.ascontiguousarray(ids[part, end])) for end in (0, 1)]
        if text:
            columns = [column.cast(pa.string()) for column in columns]
        table = pa.table([*columns, weights[part]], names=["account_a", "account_b", "weight"])
        pq.write_table(table, folder / f"part-{number}.parquet")


def _recursive(random: np.random.Generator, links: int) -> Pairs:
    """R-MAT with a = .57, b = c = .19: degrees as skewed as those of a social network."""
    bits = max(1, int(np.log2(links)) - 2)
    pairs = np.zeros((links, 2), np.int64)
    for _ in range(bits):
        corner = np.searchsorted([0.57, 0.76, 0.95], random.random(links), side="right")
        pairs = 2 * pairs + np.column_stack([corner >> 1, corner & 1])
    return pairs


def _planted(random: np.random.Generator, links: int) -> Pairs:
    """Communities of 4 to 400 accounts, sizes by a power law, two links an account; 4% bridged."""
    sizes = np.minimum(4 * random.random(links // 8) ** (-1 / 2), 400).astype(np.int64)
    sizes = sizes[: np.searchsorted(np.cumsum(2 * sizes), links) + 1]
    starts = np.cumsum(sizes) - sizes
    home = np.repeat(np.arange(len(sizes)), 2 * sizes)[:links]
    pairs = starts[home][:, None] + (random.random((len(home), 2)) * sizes[home][:, None]).astype(
        np.int64
    )
    first_links = 2 * starts[random.random(len(sizes)) < 0.04]
    pairs[first_links, 1] = random.integers(0, starts[-1], len(first_links))
    return pairs


def _star(random: np.random.Generator, links: int) -> Pairs:
    leaves = 1 + random.permutation(links)
    return np.column_stack([np.zeros(links, np.int64), leaves])


def _paths(links: int) -> Pairs:
    """One path of half of the links, and short ones of ten."""
    ends = np.ones(links, np.int64)
    ends[links // 2 :: 10] = 2
    starts = np.cumsum(ends) - 1
    return np.column_stack([starts, starts + 1])
