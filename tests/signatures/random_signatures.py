"""Random signatures and subjects, and what plain Python says of them: the oracle of conditions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from uuid import NAMESPACE_OID, uuid5

from hypothesis import strategies as st

from signatures.model import Signature
from tests.signatures.signature_files import SOUND

BOUNDS = [0.0, 0.25, 0.5, 1.0]
VALUES = [None, math.nan, -0.0, 0.1, 0.75, 2.0, *BOUNDS]

NAMES = [*(f"selection_{sign}" for sign in "abc"), "filter_x", "filter_y"]
QUANTIFIED = {
    "all of selection_*": "(selection_a and selection_b and selection_c)",
    "2 of selection_*": "(selection_a + selection_b + selection_c >= 2)",
    "1 of filter_*": "(filter_x or filter_y)",
    "all of filter_*": "(filter_x and filter_y)",
    "1 of selection_b": "selection_b",
}
"""What counts names, and the same in Python."""

HOLDS = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}

CONDITIONS = st.recursive(
    st.sampled_from([*NAMES, *QUANTIFIED]),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda three: f"({three[0]}) {three[1]} ({three[2]})"
        ),
        st.tuples(inner, inner).map(lambda two: f"{two[0]} or {two[1]} and not {two[0]}"),
    ),
    max_leaves=8,
)
"""Texts of all words and up to a dozen levels, with and without parentheses."""


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, float]:
    """Bounds of a feature: one, or one from below and one from above."""
    low, high = sorted(draw(st.tuples(st.sampled_from(BOUNDS), st.sampled_from(BOUNDS))))
    from_below = {draw(st.sampled_from(["gt", "gte"])): low}
    from_above = {draw(st.sampled_from(["lt", "lte"])): high}
    return draw(st.sampled_from([from_below, from_above, from_below | from_above]))


def libraries(
    features: list[str], count: int, subject: str = "network"
) -> st.SearchStrategy[list[Signature]]:
    """So many random signatures of a subject over the features."""
    return st.tuples(*(_signatures(features, number, subject) for number in range(count))).map(list)


@st.composite
def _signatures(draw: st.DrawFn, features: list[str], number: int, subject: str) -> Signature:
    """A signature of five random parts under a random condition."""
    chosen = st.dictionaries(st.sampled_from(features), comparisons(), min_size=1, max_size=3)
    parts = {name: {"because": "It is random.", "features": draw(chosen)} for name in NAMES}
    detection = {
        "selections": {name: part for name, part in parts.items() if name.startswith("sel")},
        "filters": {name: part for name, part in parts.items() if name.startswith("fil")},
        "condition": draw(CONDITIONS),
    }
    made = {
        "id": str(uuid5(NAMESPACE_OID, f"{subject} {number}")),
        "subject": subject,
        "detection": detection,
    }
    return Signature.model_validate({**SOUND, "evidence": features[:1], **made})


def subjects(features: list[str]) -> st.SearchStrategy[dict[str, float | None]]:
    """The features of a subject: unknown, no number, on a bound, or beside it."""
    return st.fixed_dictionaries({name: st.sampled_from(VALUES) for name in features})


def says(signature: Signature, values: Mapping[str, float | None]) -> bool:
    """Whether a signature matches, by Python's own comparisons, `and`, `or` and `not`.

    A comparison with what is unknown does not hold.
    """
    return bool(eval(_in_python(signature.detection.condition), {}, held(signature, values)))


def held(signature: Signature, values: Mapping[str, float | None]) -> dict[str, bool]:
    """Of each part, whether all of its comparisons hold."""
    return {
        name: all(
            _compared(values.get(feature), word, bound)
            for feature, bounds in part.features.items()
            for word, bound in bounds.model_dump(exclude_none=True).items()
        )
        for name, part in signature.parts.items()
    }


def _compared(value: float | None, word: str, bound: float) -> bool:
    return value is not None and not math.isnan(value) and HOLDS[word](value, bound)


def _in_python(condition: str) -> str:
    quantified = re.compile("|".join(map(re.escape, QUANTIFIED)))
    return quantified.sub(lambda found: QUANTIFIED[found[0]], condition)
