"""Union-find over links that arrive batch by batch; the links themselves are never kept.

Memory grows with the distinct accounts, not with the links. Any way of splitting the links among
several forests gives the same components, because a union of spanning forests connects what the
links connect.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from graph.compiled import compiled
from graph.id_index import id_index, record_batches
from graph.id_kernels import Int32s


class Forest:
    """A spanning forest of all links seen so far, over int64 or string ids."""

    def __init__(self, id_type: pa.DataType) -> None:
        self.id_type = id_type
        self._index = id_index(id_type)
        self._parents = np.empty(0, np.int32)

    def add(self, account_a: pa.Array, account_b: pa.Array) -> None:
        """Join both ends of each link; an account linked to itself is only made known."""
        left = self._index.positions(account_a)
        right = self._index.positions(account_b)
        if len(self._index) > len(self._parents):
            self._parents = _extended(self._parents, len(self._index))
        unite(self._parents, left, right)

    def links(self) -> Iterable[pa.RecordBatch]:
        """The forest as links account_a, account_b; a lone account links itself."""
        roots = self._roots()
        lone = np.bincount(roots, minlength=len(roots))[roots] == 1
        member = np.flatnonzero(lone | (roots != np.arange(len(roots))))
        ids = self._index.ids()
        schema = pa.schema([("account_a", self.id_type), ("account_b", self.id_type)])
        return record_batches([ids.take(member), ids.take(roots[member])], schema)

    def components(self) -> pa.Table:
        """Each account once: account_id, component_id (its smallest member), size (int64)."""
        roots = self._roots()
        ids = self._index.ids()
        sizes = np.bincount(roots, minlength=len(roots))[roots].astype(np.int64)
        schema = pa.schema(
            [("account_id", self.id_type), ("component_id", self.id_type), ("size", pa.int64())]
        )
        arrays = [ids, ids.take(self._index.smallest(roots)), sizes]
        return pa.Table.from_batches(record_batches(arrays, schema), schema)

    def _roots(self) -> Int32s:
        parents = self._parents[: len(self._index)]
        flatten(parents)
        return parents


def _extended(parents: Int32s, count: int) -> Int32s:
    larger = np.arange(max(count, 2 * len(parents)), dtype=np.int32)
    larger[: len(parents)] = parents
    return larger


@compiled
def unite(parents: Int32s, left: Int32s, right: Int32s) -> None:
    """Join the trees of left[i] and right[i]; the smaller position becomes the root."""
    for link in range(len(left)):
        a, b = left[link], right[link]
        while parents[a] != a:
            parents[a] = parents[parents[a]]
            a = parents[a]
        while parents[b] != b:
            parents[b] = parents[parents[b]]
            b = parents[b]
        if a < b:
            parents[b] = a
        else:
            parents[a] = b


@compiled
def flatten(parents: Int32s) -> None:
    """Make every position point to its root; parents never stand after their children."""
    for position in range(len(parents)):
        parents[position] = parents[parents[position]]
