"""What a trace keeps: weights at or above a number, strictly above a quantile, significant ones."""

from __future__ import annotations

from math import log10
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from graph.config import Filter
from graph.engines.base import Engine
from graph.link_filters import mark_kept
from tests.graph.link_rules import disparity

MICRO = 1_000_000
Weights = dict[tuple[str, str], int]


def kept(
    engine: Engine, name: str, weights: Weights, rule: Filter | None, surprise: int = 0
) -> set[tuple[str, str]]:
    """Which links stay, by weights in millionths."""
    links = pa.table(
        {
            "account_a": pa.array([a for a, _ in weights], pa.string()),
            "account_b": pa.array([b for _, b in weights], pa.string()),
            "weight": pa.array(weights.values(), pa.int64()),
            "surprise": pa.array([surprise + n for n, _ in enumerate(weights)], pa.int64()),
        }
    )
    rows = engine.to_arrow(mark_kept(engine, name, engine.from_arrow(links), rule)).to_pylist()
    assert len(rows) == len(weights)
    for row in rows:
        assert row["weight"] == weights[row["account_a"], row["account_b"]]
    return {(row["account_a"], row["account_b"]) for row in rows if row["kept"]}


def chain(*weights: int) -> Weights:
    return {(f"a{n:03}", f"a{n + 1:03}"): weight for n, weight in enumerate(weights)}


def random_weights(seed: int, graphs: int = 40) -> Weights:
    """Small graphs of all densities, with many equal weights and single links apart."""
    random = Random(seed)
    weights: Weights = {}
    for graph in range(graphs):
        accounts = random.randrange(2, 9)
        for _ in range(random.randrange(1, 20)):
            a, b = sorted(random.sample(range(accounts), 2)) if accounts > 1 else (0, 1)
            weights[f"g{graph}.{a}", f"g{graph}.{b}"] = random.choice([1, 1, 2, 5, 40]) * MICRO
    return weights


def test_no_rule_keeps_all(engine: Engine) -> None:
    assert len(kept(engine, "filters-none", chain(0, 1), None)) == 2


def test_at_least_is_inclusive(engine: Engine) -> None:
    weights = chain(299_999, 300_000, 300_001)
    assert kept(engine, "filters-least", weights, Filter(at_least=0.3)) == set(list(weights)[1:])


def test_surprise_is_inclusive(engine: Engine) -> None:
    weights = chain(1, 1, 1)
    found = kept(engine, "filters-surprise", weights, Filter(surprise=6.0), surprise=6 * MICRO - 1)
    assert found == set(list(weights)[1:])


@pytest.mark.parametrize("quantile", [0.0, 0.5, 0.9, 1.0])
def test_a_quantile_is_strict(engine: Engine, quantile: float) -> None:
    """Equal weights fall together; nothing is above the largest."""
    weights = random_weights(3)
    threshold = np.quantile(list(weights.values()), quantile)
    expected = {ends for ends, weight in weights.items() if weight > threshold}
    assert kept(engine, "filters-quantile", weights, Filter(quantile=quantile)) == expected


def test_a_quantile_between_two_weights(engine: Engine) -> None:
    """The median of 1 and 2 millionths is 1.5: one stays."""
    assert kept(engine, "filters-between", chain(1, 2), Filter(quantile=0.5)) == {("a001", "a002")}
    assert kept(engine, "filters-nothing", {}, Filter(quantile=0.5)) == set()


@pytest.mark.parametrize("at_least", [None, 3.0])
def test_disparity_equals_its_formula(engine: Engine, at_least: float | None) -> None:
    """Significant for either end; a link that stands alone has nothing to be compared with."""
    alpha, weights = 0.2, random_weights(4)
    alphas = disparity({ends: float(weight) for ends, weight in weights.items()})
    alone = {ends for ends, value in alphas.items() if value is None}
    expected = {ends for ends, value in alphas.items() if value is not None and value < alpha} | {
        ends for ends in alone if at_least is not None and weights[ends] >= at_least * MICRO
    }
    rule = Filter(alpha=alpha, at_least=at_least)
    found = kept(engine, "filters-disparity", weights, rule)
    assert found == expected
    assert (found & alone != set()) == (at_least is not None) and alone - found


def test_a_leaf_does_not_make_its_link_significant(engine: Engine) -> None:
    """The hub of a star of equal links says nothing of any, and its leaves have no other link."""
    star: dict[Any, int] = {("hub", f"leaf{n}"): 7 * MICRO for n in range(9)}
    star["hub", "friend"] = 100 * MICRO
    assert kept(engine, "filters-star", star, Filter(alpha=0.05)) == {("hub", "friend")}
    assert log10((1 - 100 / 163) ** 9) < log10(0.05) < log10((1 - 7 / 163) ** 9)
