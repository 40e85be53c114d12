"""Quantiles equal numpy's linear ones, R's type 7, on integers of any size."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from graph.engines.base import Engine
from graph.quantiles import quantile

RANDOM = Random(7)
SAMPLES = {
    "few_values": [RANDOM.randrange(4) for _ in range(101)],
    "negative": [RANDOM.randrange(-1_000, 1_000) for _ in range(64)],
    "millionths": [RANDOM.randrange(10**12) for _ in range(37)],
    "two": [5, 2],
    "one": [7],
}
PROBABILITIES = (0.0, 0.25, 0.5, 0.995, 1.0)


@pytest.mark.parametrize("name", SAMPLES)
def test_equal_to_numpy(engine: Engine, name: str) -> None:
    values = SAMPLES[name]
    frame = engine.from_arrow(pa.table({"weight": pa.array(values, pa.int64())}))
    chosen = PROBABILITIES if name == "few_values" else (0.0, 0.9, 1.0)
    for probability in chosen:
        found = quantile(engine, frame, "weight", probability, f"quantiles-{name}")
        assert found is not None
        assert float(found) == pytest.approx(np.quantile(values, probability), rel=1e-12)


def test_the_formula_is_exact(engine: Engine) -> None:
    """0.1 of the way from 0 to 10 is 1, not a little more: strict comparisons rest on it."""
    frame = engine.from_arrow(pa.table({"weight": [0, 10]}))
    assert quantile(engine, frame, "weight", 0.1, "quantiles-exact") == Fraction(1)


def test_no_rows_have_no_quantile(engine: Engine) -> None:
    frame = engine.from_arrow(pa.table({"weight": pa.array([], pa.int64())}))
    assert quantile(engine, frame, "weight", 0.5, "quantiles-none") is None
