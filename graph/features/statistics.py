"""Statistics that engines compute differently, done once in numpy: medians by group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.tables import columns

Doubles = npt.NDArray[np.float64]
Statistic = Callable[[Doubles], float | None]
"""A number of one group's values, which are sorted and never empty; None: unknown."""


def statistics(
    engine: Engine, rows: DataFrame, key: str, wanted: Mapping[str, tuple[str, Statistic]]
) -> DataFrame:
    """Reduce number columns by group: `key` (the key), one double column a wanted statistic.

    `wanted` names the column and the statistic of each result. Nulls are left out; a group without
    values is null. All rows of a group are in memory at once, 16 bytes a value.
    """
    sources = sorted({column for column, _ in wanted.values()})
    schema = columns(**{key: "string"}, **dict.fromkeys(wanted, "float64"))

    def reduce(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = list(batches)
        if held:
            yield from _reduced(pa.Table.from_batches(held), key, wanted, schema).to_batches()

    numbers = [F.col(name).cast("double").alias(name) for name in sources]
    return engine.map_arrow(rows.select(key, *numbers), reduce, schema, together=[key])


def _reduced(
    table: pa.Table, key: str, wanted: Mapping[str, tuple[str, Statistic]], schema: pa.Schema
) -> pa.Table:
    encoded = table.column(key).combine_chunks().dictionary_encode()
    groups = len(encoded.dictionary)
    codes = encoded.indices.to_numpy()
    found: dict[str, list[float | None]] = {}
    sorted_values: dict[str, Sequence[Doubles]] = {}
    for name, (column, statistic) in wanted.items():
        if column not in sorted_values:
            sorted_values[column] = _by_group(codes, table.column(column), groups)
        found[name] = [
            statistic(values) if len(values) else None for values in sorted_values[column]
        ]
    arrays = [pa.array(found[name], pa.float64()) for name in wanted]
    return pa.Table.from_arrays([encoded.dictionary, *arrays], schema=schema)


def _by_group(codes: npt.NDArray[np.int32], column: pa.ChunkedArray, groups: int) -> list[Doubles]:
    """Each group's values that are not null, sorted."""
    values = column.to_numpy()
    known = ~np.isnan(values)
    codes, values = codes[known], values[known]
    order = np.lexsort((values, codes))
    cuts = np.searchsorted(codes[order], np.arange(1, groups))
    return np.split(values[order], cuts)


def lower_median(values: Doubles) -> float:
    """The middle of sorted values, the smaller of two."""
    return float(values[(len(values) - 1) // 2])


def spread(values: Doubles) -> float | None:
    """The largest less the smallest; None of a single value."""
    return float(values[-1] - values[0]) if len(values) > 1 else None


def shortest_span(share: float, least: int) -> Statistic:
    """Make the statistic: length of the shortest interval that holds `share` of the values.

    It is None of fewer than `least` values.
    """

    def span(values: Doubles) -> float | None:
        if len(values) < least:
            return None
        held = int(np.ceil(round(share * len(values), 9)))
        return float((values[held - 1 :] - values[: len(values) - held + 1]).min())

    return span


def densest_share(width: float, least: int) -> Statistic:
    """Make the statistic: largest share of values in an interval of `width`, ends included.

    It is None of fewer than `least` values.
    """

    def densest(values: Doubles) -> float | None:
        if len(values) < least:
            return None
        ends = np.searchsorted(values, values + width, side="right")
        return float((ends - np.arange(len(values))).max() / len(values))

    return densest
