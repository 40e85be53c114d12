"""Which of many address blocks an address is in: longest prefix wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.addresses import AddressNumbers, Network, block_numbers


@dataclass(frozen=True)
class _Intervals:
    """Disjoint ranges of address numbers of one IP version; `block` is -1 in the gaps."""

    first: npt.NDArray[np.uint64]
    block: npt.NDArray[np.int64]


@dataclass(frozen=True)
class AddressBlocks:
    """An index of blocks by their place in the sequence that they were given in."""

    intervals: Mapping[int, _Intervals]

    def find(self, addresses: AddressNumbers) -> npt.NDArray[np.int64]:
        """Give the place of the smallest block around each address, -1 where there is none."""
        blocks = np.full(len(addresses.number), -1, np.int64)
        for version, intervals in self.intervals.items():
            rows = addresses.version == version
            numbers = addresses.number[rows]
            places = np.searchsorted(intervals.first, numbers, side="right") - 1
            blocks[rows] = intervals.block[places]
        return blocks


def index_blocks(blocks: Sequence[Network]) -> AddressBlocks:
    """Index distinct blocks of both IP versions."""
    return AddressBlocks({version: _flatten(blocks, version) for version in (4, 6)})


def _flatten(blocks: Sequence[Network], version: int) -> _Intervals:
    """Cut nested blocks into disjoint intervals; CIDR blocks are nested or disjoint, never torn."""
    ranges = [
        (*block_numbers(block), index)
        for index, block in enumerate(blocks)
        if block.version == version
    ]
    ranges.sort(key=lambda entry: (entry[0], -entry[1]))
    cuts: dict[int, int] = {0: -1}
    open_blocks: list[tuple[int, int]] = []
    for first, last, index in [*ranges, (1 << 64, 1 << 64, -1)]:
        while open_blocks and open_blocks[-1][0] < first:
            ended, _ = open_blocks.pop()
            cuts[ended + 1] = open_blocks[-1][1] if open_blocks else -1
        cuts[first] = index
        open_blocks.append((last, index))
    starts = sorted(start for start in cuts if start < 1 << 64)
    return _Intervals(
        np.array(starts, np.uint64), np.array([cuts[start] for start in starts], np.int64)
    )
