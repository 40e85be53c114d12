"""Millionths: exact from settings, rounded up where they must not look small."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from math import ceil

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from graph.engines.base import Engine
from graph.fixed_point import micro_above, shown, to_micro
from graph.frames import F


@given(st.integers(0, 10**12), st.integers(0, 9))
def test_settings_become_millionths_as_they_are_written(digits: int, places: int) -> None:
    """0.1 is 100,000 of them, whatever its double is."""
    value = float(f"{digits}e-{places}")
    written = Decimal(str(value)) * 1_000_000
    assert to_micro(value) == int(written.quantize(Decimal(1), ROUND_HALF_UP))


def test_halves_are_rounded_up() -> None:
    assert [to_micro(value) for value in (0.0000005, 0.00000049, 2.5, 0.3)] == [
        1,
        0,
        2_500_000,
        300_000,
    ]


def test_columns_are_rounded_up_and_shown(engine: Engine) -> None:
    values = [0.0, 1e-9, 0.25, 1.0, 3.0000001, 123_456.789, 1e9]
    frame = engine.from_arrow(pa.table({"value": values})).select(
        "value", micro_above(F.col("value")).alias("units")
    )
    rows = engine.to_arrow(frame.withColumn("shown", shown(F.col("units")))).to_pylist()
    assert {row["value"]: row["units"] for row in rows} == {
        value: ceil(value * 1e6) for value in values
    }
    assert all(row["shown"] == row["units"] / 1e6 for row in rows)
