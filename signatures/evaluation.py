"""Whether a signature matches: in plain Python for one subject, in arrays for many of them.

A comparison with an unknown feature (null or not a number) does not hold, whatever its bounds; the
negation of it therefore does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt

from signatures.conditions import All, AtLeast, Name, Node, Not, combine
from signatures.model import Compared, Filter, Signature

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
"""Places of subjects in their columns, in order and each once."""

Asked = Rows | slice
"""Of whom something is asked: rows, or all by a slice, which copies no column."""

Truths = npt.NDArray[np.bool_]

FEW = 0.05
"""The share of subjects below which asking only them is cheaper than asking all again."""

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

    Each part of a condition is asked only of those that the parts before it left open. Few subjects
    match, so the first comparisons decide nearly all of them; that is what lets hundreds of
    signatures share one scan.
    """

    columns: Mapping[str, Doubles]

    @cached_property
    def everybody(self) -> Rows:
        """The places of all of them."""
        return np.arange(len(next(iter(self.columns.values()))))

    def that_match(self, signature: Signature) -> Rows:
        """Those that a signature matches; all features that it names must be there."""
        return np.flatnonzero(self._truths(signature.tree, signature.parts, slice(None)))

    def _truths(self, part: Node | Compared, parts: Mapping[str, Filter], rows: Asked) -> Truths:
        """Whether a condition or a comparison holds, for each of the rows."""
        held: Truths
        match part:
            case (feature, compare, bound):
                held = compare(self.columns[feature][rows], bound)
            case Name(name):
                held = self._all_hold(parts[name].comparisons, parts, rows)
            case Not(negated):
                held = ~self._truths(negated, parts, rows)
            case All(nodes):
                held = self._all_hold(nodes, parts, rows)
            case AtLeast(count, nodes):
                truths = [self._truths(each, parts, rows) for each in nodes]
                held = np.add.reduce(truths, dtype=np.int16) >= count
        return held

    def _all_hold(
        self, conditions: Sequence[Node | Compared], parts: Mapping[str, Filter], rows: Asked
    ) -> Truths:
        """Whether all hold, for each of the rows; the later are asked only where few are left."""
        held = self._truths(conditions[0], parts, rows)
        for place, condition in enumerate(conditions[1:], start=1):
            count = np.count_nonzero(held)
            if count < FEW * len(held):
                if count:
                    left = np.flatnonzero(held)
                    rest = self.everybody[rows][left]
                    held[left] = self._all_hold(conditions[place:], parts, rest)
                break
            held &= self._truths(condition, parts, rows)
        return held


def _holds(value: float | None, compare: Any, bound: float) -> bool:
    return value is not None and not isnan(value) and bool(compare(value, bound))
