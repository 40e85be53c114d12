"""Several frames of equal columns as one."""

from collections.abc import Sequence
from functools import reduce

from graph.frames import DataFrame


def union_all(frames: Sequence[DataFrame]) -> DataFrame:
    """Put the rows of all frames together, by column name; raises TypeError without a frame."""
    return reduce(lambda left, right: left.unionByName(right), frames)
