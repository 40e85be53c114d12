"""The features' values: hand-made examples, and the rules read literally beside both engines."""

from __future__ import annotations

import math
import warnings
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis.errors import HypothesisWarning

from graph.engines.base import Engine
from graph.feature import Feature
from graph.features import ACCOUNT_FEATURES, FEATURES
from graph.features.computed import (
    NETWORK_FEATURES_TABLE,
    compute_features,
    long_form,
    network_feature_names,
    wide_form,
)
from graph.features.shape import own_traces, trace_feature
from graph.features.tables import member_tables
from graph.frames import engine_api
from tests.graph.feature_days import (
    INPUTS,
    TRACES,
    Day,
    Fact,
    Values,
    apart,
    computed,
    day_of,
    day_tables,
)
from tests.graph.feature_examples import EXAMPLES
from tests.graph.feature_examples.example import Example, members
from tests.graph.features_oracle import ACCOUNT_RULES, expected
from tests.graph.network_rules import NETWORK_RULES
from tests.graph.random_days import days

OF_SITE = [*FEATURES, *map(trace_feature, own_traces(TRACES))]
"""The declared features, and that of the trace co_anything."""

NAMED = {f"{place} {each.feature}: {each.because}": each for place, each in enumerate(EXAMPLES)}


@pytest.fixture(scope="module")
def day() -> Day:
    """All examples and a random day in one, so that each engine computes once."""
    facts = [fact for name, each in NAMED.items() for fact in apart(each.facts, name)]
    return day_of(facts + apart(random_facts(), "random"))


def random_facts() -> list[Fact]:
    """A random day that has all inputs and enough to do; the same in each run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)  # that the day is too long to print
        found = find(
            days(4, tuple(INPUTS)),
            lambda day: len(day["edges"]) > 100 and len(day["sightings"]) > 100,
            random=Random(1),
            settings=settings(
                database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
            ),
        )
    return [(name, row) for name in found.rows if name != "networks" for row in found[name]]


@pytest.fixture(scope="module")
def values(any_engine: Engine, day: Day) -> Values:
    """The features of the day; on Spark with every table in three partitions."""
    with engine_api(any_engine.api_root):
        return computed(any_engine, day_tables(any_engine, day, lambda f: f.repartition(3)))


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
    ranges = {each.name: (each.low, each.high) for each in OF_SITE}
    return [
        (*subject, name, value)
        for subject, row in values.items()
        for name, value in row.items()
        if value is not None and not ranges[name][0] <= value <= ranges[name][1]
    ]


def test_the_oracle_knows_every_declared_feature() -> None:
    assert sorted(NETWORK_RULES) == sorted(network_feature_names(TRACES))
    assert sorted(ACCOUNT_RULES) == sorted(feature.name for feature in ACCOUNT_FEATURES)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_every_feature_has_an_example_of_its_subject(feature: Feature) -> None:
    of_accounts = [isinstance(e.value, dict) for e in EXAMPLES if e.feature == feature.name]
    assert of_accounts
    assert set(of_accounts) == {feature.subject == "account"}


@pytest.mark.parametrize("name", NAMED)
def test_example(name: str, values: Values) -> None:
    example: Example = NAMED[name]
    for subject, value in example.subjects(name).items():
        assert same(values[subject][example.feature], value)


def test_values_are_those_of_the_rules_and_possible(day: Day, values: Values) -> None:
    assert differences(values, expected(day)) == {}
    assert out_of_range(values) == []
    known = {name for row in values.values() for name, value in row.items() if value is not None}
    assert known == {feature.name for feature in OF_SITE}


def test_values_are_the_same_to_the_last_digit_on_the_other_engine_and_in_any_order(
    duckdb_engine: Engine, day: Day, values: Values
) -> None:
    shuffled = {name: Random(1).sample(rows, len(rows)) for name, rows in day.rows.items()}
    with engine_api(duckdb_engine.api_root):
        assert computed(duckdb_engine, day_tables(duckdb_engine, Day(shuffled))) == values


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(days())
def test_random_days_have_the_values_of_the_rules(duckdb_engine: Engine, random_day: Day) -> None:
    with engine_api(duckdb_engine.api_root):
        found = computed(duckdb_engine, day_tables(duckdb_engine, random_day))
    assert differences(found, expected(random_day)) == {}
    assert out_of_range(found) == []


def test_unknown_features_are_not_published_and_come_back_as_unknown(
    duckdb_engine: Engine,
) -> None:
    """Here what rests on inputs that the site does not have, and on activity."""
    day = day_of(members("a b"), inputs=[])
    engine, names = duckdb_engine, network_feature_names(TRACES)
    with engine_api(engine.api_root):
        networks, _ = compute_features(engine, member_tables(engine, day_tables(engine, day)))
        long = long_form(engine, networks, NETWORK_FEATURES_TABLE, names)
        published = {row["feature"]: row["value"] for row in engine.to_arrow(long).to_pylist()}
        wanted = expected(day)["n",]
        assert published == {name: value for name, value in wanted.items() if value is not None}
        assert not {"abusive_label_ratio", "declared_ratio", "median_age_days"} & published.keys()
        [back] = engine.to_arrow(wide_form(long, ["network_id"], names)).to_pylist()
        assert back == {"network_id": "n", **wanted}
