"""The features' values: hand-made examples, and the rules read literally beside both engines."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis.errors import HypothesisWarning

from graph.engines.base import Engine
from graph.feature import Feature
from graph.features import ACCOUNT_FEATURES, FEATURES, NETWORK_FEATURES
from graph.features.computed import (
    ACCOUNT_FEATURE_NAMES,
    ACCOUNT_FEATURES_TABLE,
    NETWORK_FEATURE_NAMES,
    NETWORK_FEATURES_TABLE,
    compute_features,
    long_form,
    wide_form,
)
from graph.features.tables import member_tables
from graph.frames import engine_api
from tests.graph.feature_days import Day, Values, apart, computed, day_of, day_tables
from tests.graph.feature_examples import EXAMPLES
from tests.graph.feature_examples.example import Example, members
from tests.graph.features_oracle import ACCOUNT_RULES, expected
from tests.graph.network_rules import NETWORK_RULES
from tests.graph.random_days import days

NAMED = {f"{place} {each.feature}: {each.because}": each for place, each in enumerate(EXAMPLES)}


@pytest.fixture(scope="module")
def day_of_examples() -> Day:
    """All examples as one day, so that each engine computes once."""
    return day_of(fact for name, each in NAMED.items() for fact in apart(each.facts, name))


@pytest.fixture(scope="module")
def values_of_examples(any_engine: Engine, day_of_examples: Day) -> Values:
    with engine_api(any_engine.api_root):
        return computed(any_engine, day_tables(any_engine, day_of_examples))


def same(one: float | None, other: float | None) -> bool:
    """Equal but for the last digits: the oracle adds up floats in another order."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=2e-9)


def differences(found: Values, wanted: Values) -> dict[tuple[str, ...], object]:
    """What differs by subject and feature: (found, wanted)."""
    assert found.keys() == wanted.keys()
    return {
        (*subject, name): (value, wanted[subject][name])
        for subject, values in found.items()
        for name, value in values.items()
        if not same(value, wanted[subject][name])
    }


def out_of_range(values: Values) -> list[object]:
    """Values that their feature says are impossible."""
    ranges = {each.name: (each.low, each.high) for each in FEATURES}
    return [
        (*subject, name, value)
        for subject, row in values.items()
        for name, value in row.items()
        if value is not None and not ranges[name][0] <= value <= ranges[name][1]
    ]


def test_the_oracle_knows_every_declared_feature() -> None:
    assert sorted(NETWORK_RULES) == sorted(feature.name for feature in NETWORK_FEATURES)
    assert sorted(ACCOUNT_RULES) == sorted(feature.name for feature in ACCOUNT_FEATURES)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_every_feature_has_an_example_of_its_subject(feature: Feature) -> None:
    of_accounts = [isinstance(e.value, dict) for e in EXAMPLES if e.feature == feature.name]
    assert of_accounts
    assert set(of_accounts) == {feature.subject == "account"}


@pytest.mark.parametrize("name", NAMED)
def test_example(name: str, values_of_examples: Values) -> None:
    example: Example = NAMED[name]
    for subject, value in example.subjects(name).items():
        assert same(values_of_examples[subject][example.feature], value)


def test_the_oracle_agrees_with_the_examples(
    day_of_examples: Day, values_of_examples: Values
) -> None:
    assert differences(values_of_examples, expected(day_of_examples)) == {}
    assert out_of_range(values_of_examples) == []


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(days())
def test_random_days_have_the_values_of_the_rules(duckdb_engine: Engine, day: Day) -> None:
    with engine_api(duckdb_engine.api_root):
        found = computed(duckdb_engine, day_tables(duckdb_engine, day))
    assert differences(found, expected(day)) == {}
    assert out_of_range(found) == []


@pytest.fixture(scope="module")
def rich_day() -> Day:
    """A random day on which every feature is known of somebody."""
    every = NETWORK_RULES.keys() | ACCOUNT_RULES.keys()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)  # that the day is too long to print
        return find(
            days(8),
            lambda day: known(expected(day)).keys() == every,
            random=Random(1),
            settings=settings(
                max_examples=1000, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
            ),
        )


def known(values: Values) -> Counter[str]:
    """How many subjects have a value, by feature."""
    return Counter(
        name for row in values.values() for name, value in row.items() if value is not None
    )


def shuffled(day: Day) -> Day:
    return Day({name: Random(1).sample(rows, len(rows)) for name, rows in day.rows.items()})


@pytest.mark.spark
def test_values_are_the_same_on_both_engines_whatever_the_order_and_the_partitions(
    duckdb_engine: Engine, spark_engine: Engine, rich_day: Day
) -> None:
    with engine_api(duckdb_engine.api_root):
        embedded = computed(duckdb_engine, day_tables(duckdb_engine, rich_day))
        in_disorder = computed(duckdb_engine, day_tables(duckdb_engine, shuffled(rich_day)))
    with engine_api(spark_engine.api_root):
        cut = day_tables(spark_engine, rich_day, lambda frame: frame.repartition(5))
        on_spark = computed(spark_engine, cut)
    assert embedded == in_disorder == on_spark
    assert differences(embedded, expected(rich_day)) == {}


def test_absent_inputs_leave_their_features_unknown(engine: Engine) -> None:
    day = day_of(members("a b"), inputs=[])
    values = computed(engine, day_tables(engine, day))
    assert differences(values, expected(day)) == {}
    assert not {"abusive_label_ratio", "declared_ratio", "age_days"} & known(values).keys()


def test_a_day_without_networks_has_no_features(engine: Engine) -> None:
    wide = compute_features(engine, member_tables(engine, day_tables(engine, day_of([]))))
    tables = (
        (NETWORK_FEATURES_TABLE, NETWORK_FEATURE_NAMES),
        (ACCOUNT_FEATURES_TABLE, ACCOUNT_FEATURE_NAMES),
    )
    for frame, (table, names) in zip(wide, tables, strict=True):
        long = engine.to_arrow(long_form(engine, frame, table, names))
        assert long.num_rows == 0
        assert long.schema.names == table.columns


def test_published_features_are_the_known_ones_and_come_back_wide(engine: Engine) -> None:
    day = day_of(members("a b"))
    networks, _ = compute_features(engine, member_tables(engine, day_tables(engine, day)))
    long = long_form(engine, networks, NETWORK_FEATURES_TABLE, NETWORK_FEATURE_NAMES)
    [wide] = engine.to_arrow(networks).to_pylist()
    rows = engine.to_arrow(long).to_pylist()
    assert {row["feature"]: row["value"] for row in rows} == {
        name: value for name, value in wide.items() if value is not None and name != "network_id"
    }
    back = wide_form(long, ["network_id"], NETWORK_FEATURE_NAMES)
    assert engine.to_arrow(back).to_pylist() == [wide]
