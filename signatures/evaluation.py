"""Whether a signature matches: in plain Python for one subject, in arrays for many of them.

A comparison with an unknown feature (null or not a number) does not hold, whatever its bounds; the
negation of it therefore does.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt

from signatures.conditions import Logic, combine
from signatures.model import OPERATORS, Filter, Signature

Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]

Values = Mapping[str, float | None]
"""The features of one subject by name; what is absent is unknown."""

IN_PYTHON: Logic[bool] = Logic(
    negate=operator.not_,
    all_of=all,
    at_least=lambda count, truths: sum(truths) >= count,
)


def matches(signature: Signature, values: Values) -> bool:
    """Tell whether a signature matches one subject."""
    return combine(signature.tree, parts_that_hold(signature, values), IN_PYTHON)


def parts_that_hold(signature: Signature, values: Values) -> dict[str, bool]:
    """Tell of each selection and filter whether it holds for one subject."""
    return {
        name: all(
            _holds(values.get(feature), compare, bound)
            for feature, compare, bound in _comparisons(part)
        )
        for name, part in signature.parts.items()
    }


def match_array(signature: Signature, columns: Mapping[str, Doubles]) -> Bools:
    """Apply a compiled signature to many subjects at once: whether it matches each.

    `columns` has one array a feature, with NaN where it is unknown; all features that the
    signature names are there.
    """
    return combine(signature.tree, _part_arrays(signature, columns), IN_ARRAYS)


def _part_arrays(signature: Signature, columns: Mapping[str, Doubles]) -> dict[str, Bools]:
    """Tell of each selection and filter whether it holds, by subject; NaN holds for nothing."""
    return {
        name: reduce(
            np.logical_and,
            [compare(columns[feature], bound) for feature, compare, bound in _comparisons(part)],
        )
        for name, part in signature.parts.items()
    }


def _comparisons(part: Filter) -> Iterator[tuple[str, Any, float]]:
    for feature, comparison in part.features.items():
        for name, bound in comparison.bounds.items():
            yield feature, OPERATORS[name], bound


def _holds(value: float | None, compare: Any, bound: float) -> bool:
    return value is not None and not isnan(value) and bool(compare(value, bound))


def _at_least(count: int, truths: Sequence[Bools]) -> Bools:
    if count == 1:
        return reduce(np.logical_or, truths)
    counted = reduce(np.add, (truth.astype(np.int16) for truth in truths))
    return np.asarray(counted >= count)


IN_ARRAYS: Logic[Bools] = Logic(
    negate=np.logical_not,
    all_of=lambda truths: reduce(np.logical_and, truths),
    at_least=_at_least,
)
