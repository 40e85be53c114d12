"""Whether a signature matches: in plain Python for one subject, in arrays for many of them.

A comparison with an unknown feature (null or not a number) does not hold, whatever its bounds; the
negation of it therefore does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
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


@dataclass(frozen=True)
class Subjects:
    """Many subjects: one array a feature, all of one length, with NaN where it is unknown.

    Each part of a condition is asked only of those that the parts before it left open. Few subjects
    match, so the first comparison decides nearly all of them; that is what lets hundreds of
    signatures share one scan.
    """

    columns: Mapping[str, Doubles]

    @cached_property
    def everybody(self) -> Rows:
        """The places of all of them."""
        return np.arange(len(next(iter(self.columns.values()))))

    def that_match(self, signature: Signature) -> Rows:
        """Those that a signature matches; all features that it names must be there."""
        return self._that_hold(signature.tree, signature.parts, self.everybody)

    def among(self, rows: Rows, part: Filter) -> Rows:
        """Those of the rows for which a selection or filter holds."""
        for feature, compare, bound in _comparisons(part):
            column = self.columns[feature]
            if rows is self.everybody:
                rows = np.flatnonzero(compare(column, bound))
            else:
                rows = rows[compare(column[rows], bound)]
        return rows

    def _that_hold(self, node: Node, parts: Mapping[str, Filter], rows: Rows) -> Rows:
        match node:
            case Name(name):
                return self.among(rows, parts[name])
            case Not(negated):
                held = np.zeros(len(self.everybody), np.bool_)
                held[self._that_hold(negated, parts, rows)] = True
                return rows[~held[rows]]
            case All(nodes):
                for each in nodes:
                    rows = self._that_hold(each, parts, rows)
                return rows
            case AtLeast(count, nodes):
                counted = np.zeros(len(self.everybody), np.int16)
                for each in nodes:
                    counted[self._that_hold(each, parts, rows)] += 1
                return np.flatnonzero(counted >= count)


def _comparisons(part: Filter) -> Iterator[tuple[str, Any, float]]:
    for feature, comparison in part.features.items():
        for name, bound in comparison.bounds.items():
            yield feature, OPERATORS[name], bound


def _holds(value: float | None, compare: Any, bound: float) -> bool:
    return value is not None and not isnan(value) and bool(compare(value, bound))
