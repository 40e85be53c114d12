"""Links of whole traces, from raw rows on, equal the rules read literally, pair of rows by pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import poisson

from graph.config import Config
from graph.engines.base import Engine
from graph.frames import engine_api
from graph.ip_networks import SHARED_KINDS
from graph.links import published_links
from graph.traces import GraphTables, TraceLinks, trace_links
from tests.graph.link_rules import Burst, TraceRules, digits_of, disparity, surprise
from tests.graph.random_logs import (
    COLUMNS,
    FIRST_DAY,
    Row,
    arrow,
    log_with_repeats,
    random_log,
    sightings_of,
)
from tests.graph.tables import graph_tables

KINDS = ("mobile", "vpn", "education", "residential", "hosting", None)
NETWORKS = [
    {"cidr": f"8.{world}.0.0/24", "asn": 64_500 + world, "kind": KINDS[world % len(KINDS)]}
    for world in range(30)
]
HUBS = {
    "content": {"soft": 4, "hard": 6},
    "device": "none",
    "ip": {"soft": 5, "hard": 6},
    "ip_network": {"soft": 6, "hard": 6},
}
CONTENT = {"entity": "content", "family": "content"}
IP = {"entity": "ip", "family": "network", "min_entities": 2}
TRACES: dict[str, dict[str, Any]] = {
    "window": {**CONTENT, "window": "10s", "filter": {"quantile": 0.5}},
    "no_time_at_all": {**CONTENT, "window": "0s", "min_participation": 2},
    "participation": {
        **CONTENT,
        "window": "10s",
        "min_participation": 4,
        "events": ["post", "share"],
        "weight": "idf",
        "filter": {"at_least": 5.0},
    },
    "reshare": {
        **CONTENT,
        "window": "10s",
        "exclude_originator": True,
        "events": ["share", "like"],
        "weight": "cosine",
        "filter": {"surprise": 1.5},
    },
    "cosine": {
        **CONTENT,
        "window": "20s",
        "min_co_actions": 2,
        "min_entities": 2,
        "weight": "cosine",
        "filter": {"alpha": 0.4, "at_least": 0.3},
    },
    "any_time": {**CONTENT, "weight": "idf", "filter": {"quantile": 0.9}},
    "any_time_often": {
        **CONTENT,
        "min_participation": 5,
        "min_entities": 2,
        "min_co_actions": 3,
        "weight": "cosine",
        "filter": {"alpha": 0.5},
    },
    "any_time_reshare": {**CONTENT, "exclude_originator": True, "events": ["post"]},
    "devices": {"entity": "device", "family": "device", "weight": "idf"},
    "addresses": {**IP, "filter": {"surprise": 2.5}},
    "addresses_in_time": {**IP, "window": "30s", "weight": "idf"},
    "networks": {**IP, "entity": "ip_network", "min_co_actions": 4},
}
REPEATING_TRACES: dict[str, dict[str, Any]] = {
    "repeats": {**CONTENT, "window": "10s", "min_participation": 2},
    "repeats_often": {**CONTENT, "window": "20s", "min_participation": 5, "min_co_actions": 2},
    "lists_any_time": {"entity": "device", "family": "device", "min_participation": 3},
}


@dataclass(frozen=True)
class Day:
    """A log, the tables made of it, and what they were made by."""

    engine: Engine
    log: list[Row]
    config: Config
    tables: GraphTables

    def links(self, name: str) -> TraceLinks:
        return trace_links(self.engine, name, self.config.traces[name], self.tables, self.config)

    def rules(self, name: str) -> TraceRules:
        trace = self.config.traces[name]
        column = {"content": "content_hash", "device": "device_id"}.get(trace.entity, "ip")
        return TraceRules(
            trace,
            sightings_of(self.log, column, network if trace.entity == "ip_network" else str),
            self.config.hubs[trace.entity],
            self.config.max_burst,
            {"ip": counted_network, "ip_network": counted_itself}.get(trace.entity, str),
        )


def network(address: str) -> str:
    """The network of an address by the list above: each world's first /24 is known to it."""
    _, world, third, _ = address.split(".")
    return f"AS{64_500 + int(world)}" if third == "0" else f"8.{world}.{third}.0/24"


def counted_network(address: str) -> str | None:
    return counted_itself(network(address))


def counted_itself(name: str) -> str | None:
    if name.startswith("AS") and KINDS[(int(name[2:]) - 64_500) % len(KINDS)] in SHARED_KINDS:
        return None
    return name


def make_day(engine: Engine, log: list[Row], traces: dict[str, Any], deduplicate: bool) -> Day:
    config = Config.model_validate(
        {
            "events": {
                "path": "-",
                "time_unit": "us",
                "deduplicate": deduplicate,
                "columns": COLUMNS,
            },
            "hubs": HUBS,
            "max_burst": 4,
            "traces": traces,
        }
    )
    name = f"traces-{deduplicate}"
    with engine_api(engine.api_root):
        tables = graph_tables(engine, arrow(log), config, FIRST_DAY, NETWORKS, name)
    return Day(engine, log, config, tables)


@pytest.fixture(scope="module")
def day(any_engine: Engine) -> Day:
    return make_day(any_engine, random_log(seed=1), TRACES, deduplicate=True)


@pytest.fixture(scope="module")
def repeating_day(any_engine: Engine) -> Day:
    return make_day(any_engine, log_with_repeats(seed=2), REPEATING_TRACES, deduplicate=False)


@pytest.mark.parametrize("name", TRACES)
def test_links_equal_the_rules(engine: Engine, day: Day, name: str) -> None:
    check(day, name)


@pytest.mark.parametrize("name", REPEATING_TRACES)
def test_links_of_repeated_ids_and_lists_equal_the_rules(
    engine: Engine, repeating_day: Day, name: str
) -> None:
    check(repeating_day, name)


def check(day: Day, name: str) -> None:
    found = day.links(name)
    rules = day.rules(name)
    expected = rules.links()
    assert len(expected) > 5, "the log must be able to tell right from wrong"
    rows = rows_of(day.engine, published_links(name, found.links))
    assert rows.keys() == expected.keys()
    in_windows = rules.trace.window is not None
    for ends, link in expected.items():
        row = rows[ends]
        assert (row["co_actions"], row["entities"]) == (link.co_actions, link.entities)
        assert [micros(row["first_at"]), micros(row["last_at"])] == [
            min(link.times),
            max(link.times),
        ]
        average = link.time_delta_us / link.co_actions / 1_000_000 if in_windows else None
        assert row["avg_time_delta_s"] == pytest.approx(average)
        # Terms of a cosine are thousandths, other weights whole millionths.
        tolerance = 2e-3 if rules.trace.weight == "cosine" else 1e-5
        assert row["weight"] == pytest.approx(link.weight, abs=tolerance)
        assert_surprise(row["surprise"], link.found, link.expected)
    assert_kept(rows, rules)
    assert_evidence(day.engine, found, rules)
    assert_bursts(day.engine, found, rules)


def rows_of(engine: Engine, frame: Any) -> dict[tuple[str, str], dict[str, Any]]:
    rows = engine.to_arrow(frame).to_pylist()
    by_ends = {(row["account_a"], row["account_b"]): row for row in rows}
    assert len(by_ends) == len(rows)
    return by_ends


def micros(time: Any) -> int:
    return pa.scalar(time, pa.timestamp("us", "UTC")).cast(pa.int64()).as_py()


def assert_surprise(found: float, k: int, expected: float) -> None:
    """Equal to the formula, but lambda is whole millionths, rounded up in each of some bins."""
    assert found <= surprise(k, expected) + 1e-9
    assert found >= surprise(k, expected + 2e-5) - 1e-5
    assert found <= digits_of(poisson.sf(k - 1, expected)), "overstated"


def assert_kept(rows: dict[tuple[str, str], dict[str, Any]], rules: TraceRules) -> None:
    """The filter, on the weights and the surprise that were published."""
    weights = {ends: row["weight"] for ends, row in rows.items()}
    rule = rules.trace.filter
    if rule is None:
        kept = set(rows)
    elif rule.quantile is not None:
        threshold = np.quantile(list(weights.values()), rule.quantile)
        kept = {ends for ends, weight in weights.items() if weight > threshold}
    elif rule.surprise is not None:
        kept = {ends for ends, row in rows.items() if row["surprise"] >= rule.surprise}
    elif rule.alpha is not None:
        heavy = float("inf") if rule.at_least is None else rule.at_least
        kept = {
            ends
            for ends, alpha in disparity(weights).items()
            if (weights[ends] >= heavy if alpha is None else alpha < rule.alpha)
        }
    else:
        kept = {ends for ends, weight in weights.items() if weight >= (rule.at_least or 0)}
    assert {ends for ends, row in rows.items() if row["kept"]} == kept
    assert rule is None or 0 < len(kept) < len(rows), "the filter must have something to decide"


def assert_evidence(engine: Engine, found: TraceLinks, rules: TraceRules) -> None:
    rows = engine.to_arrow(found.evidence).to_pylist()
    by_key = {(row["account_a"], row["account_b"], row["entity_id"]): row for row in rows}
    expected = {
        (*ends, entity): count
        for ends, link in rules.links().items()
        for entity, count in link.evidence.items()
    }
    assert len(rows) == len(by_key)
    assert {key: row["co_actions"] for key, row in by_key.items()} == expected
    for (*_, entity), row in by_key.items():
        assert row["rarity"] / 1e6 == pytest.approx(rules.rarity(entity), abs=1e-6)


def assert_bursts(engine: Engine, found: TraceLinks, rules: TraceRules) -> None:
    if found.bursts is None:
        assert not rules.bursts
        return
    rules.bursts.clear()
    rules.pairs()
    assert {
        Burst(row["entity_id"], micros(row["moment_at"]), row["accounts"], row["events"])
        for row in engine.to_arrow(found.bursts).to_pylist()
    } == set(rules.bursts)


@pytest.fixture(autouse=True)
def _api(engine: Engine) -> Iterator[None]:
    yield
