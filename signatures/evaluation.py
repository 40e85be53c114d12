"""Whether a signature matches: in plain Python for one subject, as columns for a table of them.

A comparison with an unknown feature (null or not a number) does not hold, whatever its bounds; the
negation of it therefore does.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from math import isnan
from typing import Any

from graph.frames import Column, F
from signatures.conditions import Logic, combine
from signatures.model import OPERATORS, Filter, Signature

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


def match_column(signature: Signature) -> Column:
    """Compile a signature to one boolean column, never null: whether it matches the row.

    Rows are subjects, one double column a feature; all features that the signature names are there.
    """
    return combine(signature.tree, part_columns(signature), IN_COLUMNS)


def part_columns(signature: Signature) -> dict[str, Column]:
    """Compile each selection and filter to a boolean column, never null: whether it holds."""
    return {
        name: _all_columns(
            [
                F.coalesce(compare(F.col(feature), F.lit(bound)), F.lit(False))
                & ~F.coalesce(F.isnan(F.col(feature)), F.lit(False))
                for feature, compare, bound in _comparisons(part)
            ]
        )
        for name, part in signature.parts.items()
    }


def _comparisons(part: Filter) -> Iterator[tuple[str, Any, float]]:
    for feature, comparison in part.features.items():
        for name, bound in comparison.bounds.items():
            yield feature, OPERATORS[name], bound


def _holds(value: float | None, compare: Any, bound: float) -> bool:
    return value is not None and not isnan(value) and bool(compare(value, bound))


def _all_columns(columns: Sequence[Column]) -> Column:
    return reduce(lambda a, b: a & b, columns)


def _at_least_columns(count: int, columns: Sequence[Column]) -> Column:
    if count == 1:
        return reduce(lambda a, b: a | b, columns)
    return reduce(lambda a, b: a + b, [each.cast("int") for each in columns]) >= F.lit(count)


IN_COLUMNS: Logic[Column] = Logic(
    negate=lambda column: ~column,
    all_of=_all_columns,
    at_least=_at_least_columns,
)
