"""Fixed-point numbers: int64 millionths, whose sums do not depend on the order of the rows."""

from __future__ import annotations

from fractions import Fraction

from graph.frames import Column, F

MICRO = 1_000_000


def micro_above(value: Column) -> Column:
    """A double as micro-units, rounded up."""
    return F.ceil(value * F.lit(float(MICRO))).cast("bigint")


def shown(units: Column) -> Column:
    """Micro-units as the double that people read."""
    return units / F.lit(float(MICRO))


def to_micro(value: float) -> int:
    """A setting as micro-units, rounded half up."""
    return int((Fraction(str(value)) * MICRO + Fraction(1, 2)) // 1)
