"""The settings' own rules: what is accepted, what is refused and what the message says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graph.config import Config, Filter, Trace, format_duration, parse_duration

BARE = {"account_id": "user", "event_time": "ts"}
EVENTS: dict[str, Any] = {"path": "events/", "columns": {**BARE, "ip": "ip"}}


def config(**settings: Any) -> Config:
    return Config.model_validate({"events": EVENTS, **settings})


def refused(**settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        config(**settings)
    return str(caught.value)


def test_durations_are_whole_microseconds() -> None:
    assert parse_duration("60s") == 60_000_000
    assert parse_duration("0s") == 0
    assert parse_duration("28d") == 28 * 24 * 3600 * 1_000_000


@pytest.mark.parametrize("text", ["60", "60 s", "1.5h", "-1s", "s", "", 60, None, True, "1w", "٣s"])
def test_a_duration_without_a_whole_number_and_unit_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="write a whole number and a unit"):
        parse_duration(text)


@given(st.integers(0, 10**6), st.sampled_from("dhms"))
def test_durations_survive_being_written(number: int, unit: str) -> None:
    microseconds = parse_duration(f"{number}{unit}")
    assert parse_duration(format_duration(microseconds)) == microseconds


def test_a_config_survives_being_written() -> None:
    trace = {"entity": "content", "family": "content", "window": "60s", "filter": {"quantile": 0.5}}
    before = config(traces={"co_post": trace}, hubs={"ip": {"soft": 50, "hard": 2000}})
    assert Config.model_validate(before.model_dump(mode="json")) == before
    assert before.traces["co_post"] == Trace(**trace)  # type: ignore[arg-type]


def test_none_switches_off() -> None:
    settings = config(
        hubs={"content": "none"},
        max_burst="none",
        traces={"co_post": "none"},
        inputs={"accounts": "none"},
    )
    assert settings.hubs == {"content": None}
    assert settings.max_burst is None
    assert settings.active_traces == {}
    assert settings.inputs.accounts is None


def test_an_alpha_that_would_be_rounded_to_nothing_is_refused() -> None:
    """Significances are compared in millionths."""
    trace = {"entity": "content", "family": "content"}
    assert "greater than or equal to 0.000001" in refused(
        traces={"t": trace | {"filter": {"alpha": 1e-7}}}
    )
    assert config(traces={"t": trace | {"filter": {"alpha": 1e-6}}}).active_traces


def test_active_traces_are_sorted_and_leave_out_what_is_disabled() -> None:
    trace = {"entity": "content", "family": "content"}
    traces = {"b": trace, "a": trace, "c": {**trace, "enabled": False}, "d": "none"}
    assert list(config(traces=traces).active_traces) == ["a", "b"]


@pytest.mark.parametrize("entity", ["ip", "ip_network"])
def test_one_shared_address_is_never_a_link(entity: str) -> None:
    trace = {"entity": entity, "family": "network", "min_entities": 1}
    assert "min_entities of at least 2" in refused(traces={"shared": trace})
    config(traces={"shared": {**trace, "min_entities": 2}})


def test_a_filter_is_exactly_one_rule() -> None:
    assert Filter(quantile=0.5).quantile == 0.5
    trace = {"entity": "content", "family": "content"}
    for rules in ({}, {"quantile": 0.5, "at_least": 1}):
        assert "exactly one of" in refused(traces={"t": {**trace, "filter": rules}})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hubs": {"ip": {"soft": 3, "hard": 2}}}, "soft (3) must not be above hard (2)"),
        ({"lookback": "36h"}, "36h is not a whole number of days"),
        ({"lookback": "0d"}, "not a whole number of days"),
        ({"home": "s3://bucket/home"}, "must be a local or mounted folder"),
        ({"lokback": "1d"}, "Extra inputs are not permitted"),
        ({"max_quarantine_ratio": float("nan")}, "finite number"),
        ({"events": {**EVENTS, "columns": {"event_time": "ts"}}}, "column for account_id"),
        ({"events": {**EVENTS, "columns": {**EVENTS["columns"], "ipp": "ip"}}}, "no ipp; known: "),
        ({"events": {**EVENTS, "columns": BARE}}, "at least one column of entities"),
        ({"traces": {"t": {"entity": "content", "family": "content", "min_entities": -1}}}, "-1"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings: dict[str, Any], message: str) -> None:
    assert message in refused(**settings)


def test_an_unknown_entity_names_the_known_ones() -> None:
    message = refused(traces={"t": {"entity": "contnt", "family": "content"}})
    assert "'contnt' is not an entity type; known: " in message
    assert "not entity types; known: " in refused(hubs={"contnt": "none"})


def test_spark_properties_are_text() -> None:
    spark = config(spark={"spark.ui.enabled": False, "spark.sql.shuffle.partitions": 8}).spark
    assert spark == {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "8"}
