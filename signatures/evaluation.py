"""Whether a signature matches: in plain Python for one subject, in arrays for many of them.

A comparison with an unknown feature (null or not a number) does not hold, whatever its bounds; the
negation of it therefore does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt

from signatures.conditions import All, AtLeast, Name, Node, Not, combine
from signatures.model import OPERATORS, Filter, Signature

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
"""Places of subjects in their columns, in order and each once."""

Values = Mapping[str, float | None]
"""The features of one subject by name; what is absent is unknown."""


def matches(signature: Signature, values: Values) -> bool:
    """Tell whether a signature matches one subject."""
    return combine(signature.tree, parts_that_hold(signature, values))


def parts_that_hold(signature: Signature, values: Values) -> dict[str, bool]:
    """Tell of each selection and filter whether it holds for one subject."""
    return {
        name: all(
            _holds(values.get(feature), compare, bound)
            for feature, compare, bound in _comparisons(part)
        )
        for name, part in signature.parts.items()
    }


def matching_rows(signature: Signature, columns: Mapping[str, Doubles]) -> Rows:
    """Apply a compiled signature to many subjects at once: the places of those it matches.

    `columns` has one array a feature, with NaN where it is unknown; all features that the
    signature names are there.
    """
    size = len(next(iter(columns.values())))
    return _Subjects(signature, columns, size).that_hold(signature.tree, np.arange(size))


@dataclass(frozen=True)
class _Subjects:
    """Many subjects of one signature; each part of a condition is asked of those it may decide.

    Few subjects match, so nearly all of them are decided by the first comparison of a condition.
    That is what lets hundreds of signatures share one scan.
    """

    signature: Signature
    columns: Mapping[str, Doubles]
    size: int

    def that_hold(self, node: Node, rows: Rows) -> Rows:
        """Those of the rows for which a condition holds."""
        match node:
            case Name(name):
                return self._compared(self.signature.parts[name], rows)
            case Not(part):
                return self._without(rows, self.that_hold(part, rows))
            case All(parts):
                for part in parts:
                    rows = self.that_hold(part, rows)
                return rows
            case AtLeast(count, parts):
                return self._at_least(count, parts, rows)

    def _compared(self, part: Filter, rows: Rows) -> Rows:
        for feature, compare, bound in _comparisons(part):
            column = self.columns[feature]
            values = column if len(rows) == self.size else column[rows]
            rows = rows[compare(values, bound)]
        return rows

    def _at_least(self, count: int, parts: Sequence[Node], rows: Rows) -> Rows:
        held = np.zeros(self.size, np.int16)
        for part in parts:
            open_rows = rows[held[rows] < count]
            held[self.that_hold(part, open_rows)] += 1
        return rows[held[rows] >= count]

    def _without(self, rows: Rows, some: Rows) -> Rows:
        rest = np.ones(self.size, np.bool_)
        rest[some] = False
        return rows[rest[rows]]


def _comparisons(part: Filter) -> Iterator[tuple[str, Any, float]]:
    for feature, comparison in part.features.items():
        for name, bound in comparison.bounds.items():
            yield feature, OPERATORS[name], bound


def _holds(value: float | None, compare: Any, bound: float) -> bool:
    return value is not None and not isnan(value) and bool(compare(value, bound))
