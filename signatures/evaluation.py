"""Whether a signature matches: in plain Python for one subject, in arrays for many of them.

A comparison with an unknown feature (null or not a number) does not hold, whatever its bounds; the
negation of it therefore does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan
from operator import ge, gt, lt
from typing import Any

import numpy as np
import numpy.typing as npt

from signatures.conditions import All, AtLeast, Name, Node, Not, combine
from signatures.model import Compared, Filter, Signature

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
"""Places of subjects in their columns, each once."""

Truths = npt.NDArray[np.bool_]

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
            for feature, compare, bound in part.comparisons
        )
        for name, part in signature.parts.items()
    }


@dataclass(frozen=True)
class Subjects:
    """Many subjects: one array a feature, all of one length, with NaN where it is unknown.

    The rarest part of a condition is looked up in sorted values; each further part is asked only of
    those that are left. Few subjects match, so that hundreds of signatures share one scan.
    """

    columns: Mapping[str, Doubles]
    _sorted: dict[str, tuple[Doubles, Rows]] = field(default_factory=dict, init=False)
    _held: dict[Compared, tuple[int, int]] = field(default_factory=dict, init=False)

    @cached_property
    def everybody(self) -> Rows:
        """The places of all of them."""
        return np.arange(len(next(iter(self.columns.values()))))

    def that_match(self, signature: Signature) -> Rows:
        """Those that a signature matches, in order; all features that it names must be there."""
        return np.sort(self._among(None, signature.tree, signature.parts))

    def holds(self, part: Filter, rows: Rows) -> Truths:
        """Whether a selection or filter holds, for each of the rows."""
        held: Truths = np.logical_and.reduce(
            [compare(self.columns[name][rows], bound) for name, compare, bound in part.comparisons]
        )
        return held

    def _among(self, rows: Rows | None, part: Node | Compared, parts: Mapping[str, Filter]) -> Rows:
        """Those of the rows, or of everybody, for whom a condition or a comparison holds."""
        match part:
            case Name(name):
                return self._among_all(rows, parts[name].comparisons, parts)
            case All(nodes):
                return self._among_all(rows, nodes, parts)
            case AtLeast(count, nodes):
                held = [self._among(rows, each, parts) for each in nodes]
                found, times = np.unique(np.concatenate(held), return_counts=True)
                return found[times >= count]
            case Not(negated):
                rows = self.everybody if rows is None else rows
                return np.setdiff1d(rows, self._among(rows, negated, parts), assume_unique=True)
            case (feature, compare, bound):
                if rows is not None:
                    return rows[compare(self.columns[feature][rows], bound)]
                return self._by_value(feature)[1][slice(*self._where(part))]

    def _among_all(
        self, rows: Rows | None, conditions: Sequence[Node | Compared], parts: Mapping[str, Filter]
    ) -> Rows:
        """Those for whom all hold; the rarest is asked first, and so of most."""
        for each in sorted(conditions, key=lambda each: self._most(each, parts)):
            rows = self._among(rows, each, parts)
        return self.everybody if rows is None else rows

    def _most(self, part: Node | Compared, parts: Mapping[str, Filter]) -> int:
        """A number of subjects that those for whom a condition holds do not exceed."""
        match part:
            case Name(name):
                return min(self._most(each, parts) for each in parts[name].comparisons)
            case All(nodes):
                return min(self._most(each, parts) for each in nodes)
            case AtLeast(_, nodes):
                return sum(self._most(each, parts) for each in nodes)
            case Not():
                return len(self.everybody)
            case comparison:
                first, end = self._where(comparison)
                return end - first

    def _where(self, comparison: Compared) -> tuple[int, int]:
        """Where in a feature's sorted values those begin and end for which a comparison holds."""
        if comparison not in self._held:
            feature, compare, bound = comparison
            values, _ = self._by_value(feature)
            place = int(values.searchsorted(bound, "left" if compare in (ge, lt) else "right"))
            is_least = compare in (ge, gt)
            self._held[comparison] = (place, len(values)) if is_least else (0, place)
        return self._held[comparison]

    def _by_value(self, feature: str) -> tuple[Doubles, Rows]:
        """The known values of a feature in order, and whose they are."""
        if feature not in self._sorted:
            column = self.columns[feature]
            known = np.flatnonzero(~np.isnan(column))
            places = known[np.argsort(column[known])]
            self._sorted[feature] = column[places], places
        return self._sorted[feature]


def _holds(value: float | None, compare: Any, bound: float) -> bool:
    return value is not None and not isnan(value) and bool(compare(value, bound))
