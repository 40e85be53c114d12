"""Which events pair: small worlds of one content each, with the pairs that they make."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest

from graph.config import Config
from graph.engines.base import Engine
from graph.frames import engine_api
from graph.traces import TraceLinks, trace_links
from tests.graph.tables import graph_tables

SECOND = 1_000_000
WINDOW = 10 * SECOND
MAX_BURST = 3
LOG_COLUMNS = ("account_id", "event_time", "event_type", "event_id", "content_hash", "ip")


@dataclass(frozen=True)
class Act:
    """An account's post of the world's content, or of another one."""

    account: str
    at: int
    event_id: str | None = None
    event_type: str = "post"
    content: str = "it"


@dataclass(frozen=True)
class World:
    """Acts, and how often each two accounts pair by each trace named.

    `near` and `at_once` find nothing in a world that does not name them.
    """

    acts: list[Act]
    pairs: dict[str, dict[str, int]] = field(default_factory=dict)
    bursts: set[tuple[int, int, int]] = field(default_factory=set)


def crowd(accounts: str, at: int, events: int = 1) -> list[Act]:
    return [Act(account, at + n) for account in accounts for n in range(events)]


WORLDS = {
    "the window's end is inside": World([Act("a", 0), Act("b", WINDOW)], {"near": {"ab": 1}}),
    "a microsecond later is outside": World([Act("a", 0), Act("b", WINDOW + 1)]),
    "buckets are no borders": World(
        [Act("a", WINDOW - 1), Act("b", 2 * WINDOW - 1), Act("c", 2 * WINDOW)],
        {"near": {"ab": 1, "bc": 1}},
    ),
    "time before 1970 goes on": World(
        [Act("a", -WINDOW - 1), Act("b", -1), Act("c", WINDOW - 1), Act("d", -2 * WINDOW - 2)],
        {"near": {"ab": 1, "bc": 1}},
    ),
    "a window of nothing pairs equal moments": World(
        [Act("a", 5), Act("b", 5), Act("c", 6)],
        {"near": {"ab": 1, "ac": 1, "bc": 1}, "at_once": {"ab": 1}},
    ),
    "nobody pairs with themselves": World([Act("a", 0), Act("a", 0), Act("a", 1)]),
    "one event is no pair": World(
        [Act("a", 0, "e"), Act("b", 0, "e"), Act("c", 0, "f")],
        {"near": {"ac": 1, "bc": 1}, "at_once": {"ac": 1, "bc": 1}},
    ),
    "the content itself is no share of it": World(
        [Act("a", 0, "it"), Act("b", 0, "e"), Act("c", 1, "f")], {"near": {"bc": 1}}
    ),
    "every pair of events counts": World(
        [Act("a", 0), Act("a", 1), Act("b", 2), Act("b", 3), Act("b", WINDOW + 1)],
        {"near": {"ab": 5}},
    ),
    "as many accounts as may be in a moment": World(
        crowd("abc", 0),
        {"near": {"ab": 1, "ac": 1, "bc": 1}, "at_once": {"ab": 1, "ac": 1, "bc": 1}},
    ),
    "one account more makes no pairs": World(
        [*crowd("abcd", 3), Act("e", WINDOW + 2)],
        bursts={(3, 4, 4)},
    ),
    "a moment is an entity and a bucket": World(
        [*crowd("abc", WINDOW - 1), *crowd("d", WINDOW)],
        {
            "near": {"ab": 1, "ac": 1, "ad": 1, "bc": 1, "bd": 1, "cd": 1},
            "at_once": {"ab": 1, "ac": 1, "bc": 1},
        },
    ),
    "as many events as may be in a moment": World(
        crowd("ab", 0, events=15), {"near": {"ab": 225}, "at_once": {"ab": 15}}
    ),
    "one event more makes no pairs": World(
        [*crowd("ab", 0, events=15), Act("a", 99)],
        {"at_once": {"ab": 15}},
        bursts={(0, 2, 31)},
    ),
    "who was first is copied": World(
        [Act("b", 0), Act("a", 1), Act("c", 2)],
        {"near": {"ab": 1, "ac": 1, "bc": 1}, "copies": {"ac": 1}},
    ),
    "of two who were first it is the smaller": World(
        [Act("b", 0), Act("a", 0), Act("c", 1)],
        {"near": {"ab": 1, "ac": 1, "bc": 1}, "at_once": {"ab": 1}, "copies": {"bc": 1}},
    ),
    "the first may have done something else": World(
        [Act("c", -WINDOW, event_type="upload"), Act("a", 1), Act("b", 2), Act("c", 3)],
        {"near": {"ab": 1, "ac": 1, "bc": 1}, "copies": {"ab": 1}},
    ),
    "one who takes part once is not there": World(
        [Act("a", 0), Act("a", 1), Act("b", 2), Act("c", 3), Act("c", 1, content="other")],
        {"near": {"ab": 2, "ac": 2, "bc": 1}, "steady": {"ac": 2}},
    ),
    "a pair needs one who still takes part": World(
        [Act("a", 0), Act("a", 1, content="lonely"), Act("b", 1), Act("b", 2, content="mine")],
        {"near": {"ab": 1}, "steady": {}},
    ),
    "rows without an id are not one event": World(
        [Act("a", 7), Act("a", 7, content="lonely"), Act("b", 7), Act("b", 7, content="mine")],
        {"near": {"ab": 1}, "at_once": {"ab": 1}, "steady": {}},
    ),
}


CONTENT = {"entity": "content", "family": "content", "events": ["post"]}
NETWORKS: list[dict[str, object]] = [
    {"cidr": "8.0.0.0/16", "asn": 1, "kind": "residential"},
    {"cidr": "8.1.0.0/16", "asn": 2, "kind": None},
    {"cidr": "8.2.0.0/16", "asn": 3, "kind": "mobile"},
    {"cidr": "8.3.0.0/16", "asn": 4, "kind": "vpn"},
    {"cidr": "8.4.0.0/16", "asn": 5, "kind": "education"},
    {"cidr": "8.5.0.0/16", "asn": 6, "kind": "tor"},
]
ADDRESSES = {
    "two networks": ["8.0.0.1", "8.1.0.1"],
    "two addresses of one network": ["8.0.0.2", "8.0.0.3"],
    "two unknown networks": ["9.0.0.1", "9.0.1.1"],
    "one unknown network": ["9.0.2.1", "9.0.2.2"],
    "one of a carrier": ["8.0.0.4", "8.2.0.1"],
    "one of a VPN": ["8.0.0.5", "8.3.0.1"],
    "one of a school": ["8.0.0.6", "8.4.0.1"],
    "one of Tor": ["8.0.0.7", "8.5.0.1"],
    "three with a carrier": ["8.0.0.8", "8.1.0.8", "8.2.0.8"],
}
SHARED = {"a": ["x", "y", "z"], "b": ["x", "y", "b1"], "c": ["z", "c1", "c2"]}
CONTENT = {"entity": "content", "family": "content", "events": ["post"]}
ADDRESS = {"entity": "ip", "family": "network", "min_entities": 2}
CONFIG = Config.model_validate(
    {
        "events": {
            "path": "-",
            "time_unit": "us",
            "columns": {name: name for name in LOG_COLUMNS},
        },
        "max_burst": MAX_BURST,
        "traces": {
            "near": {**CONTENT, "window": "10s"},
            "at_once": {**CONTENT, "window": "0s"},
            "copies": {**CONTENT, "window": "10s", "exclude_originator": True},
            "steady": {**CONTENT, "window": "10s", "min_participation": 2},
            "few": {**CONTENT, "min_participation": 3, "min_entities": 2},
            "addresses": ADDRESS,
            "addresses_near": {**ADDRESS, "window": "10s"},
        },
    }
)


def row(**given: Any) -> dict[str, Any]:
    return {**dict.fromkeys(LOG_COLUMNS), "event_type": "post", **given}


@pytest.fixture(scope="module")
def found(any_engine: Engine) -> dict[str, TraceLinks]:
    """All worlds in one log: the ids of accounts begin with their world's name."""
    rows = [
        row(
            account_id=f"{name}/{act.account}",
            event_time=act.at,
            event_type=act.event_type,
            event_id=act.event_id and f"{name}/{act.event_id}",
            content_hash=f"{name}/{act.content}",
        )
        for name, world in WORLDS.items()
        for act in world.acts
    ]
    rows += [
        row(account_id=f"{name}/{account}", event_time=place, ip=address)
        for name, addresses in ADDRESSES.items()
        for account in "ab"
        for place, address in enumerate(addresses)
    ]
    rows += [
        row(account_id=f"few/{account}", event_time=place, content_hash=content)
        for account, contents in SHARED.items()
        for place, content in enumerate(contents)
    ]
    kinds = {column: pa.string() for column in LOG_COLUMNS} | {"event_time": pa.int64()}
    log = pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))
    with engine_api(any_engine.api_root):
        tables = graph_tables(any_engine, log, CONFIG, "1970-01-01", NETWORKS, "pairs")
        return {
            name: trace_links(any_engine, name, trace, tables, CONFIG)
            for name, trace in CONFIG.active_traces.items()
        }


@pytest.mark.parametrize("trace", ["near", "at_once", "copies", "steady"])
def test_pairs_of_every_world(engine: Engine, found: dict[str, TraceLinks], trace: str) -> None:
    pairs: dict[str, dict[str, int]] = defaultdict(dict)
    for link in engine.to_arrow(found[trace].evidence).to_pylist():
        name, a = link["account_a"].split("/")
        pairs[name][a + link["account_b"].split("/")[1]] = link["co_actions"]
        assert name not in WORLDS or link["entity_id"] == f"{name}/it"
    told = {name for name, world in WORLDS.items() if trace in world.pairs}
    if trace in ("near", "at_once"):
        told = set(WORLDS)
    for name in told:
        assert pairs[name] == WORLDS[name].pairs.get(trace, {}), name


def test_moments_that_made_no_pairs_are_told(engine: Engine, found: dict[str, TraceLinks]) -> None:
    bursts = found["near"].bursts
    assert bursts is not None
    told = defaultdict(set)
    for burst in engine.to_arrow(bursts).to_pylist():
        at = pa.scalar(burst["moment_at"], pa.timestamp("us", "UTC")).cast(pa.int64()).as_py()
        assert burst["entity_type"] == "content"
        told[burst["entity_id"].split("/")[0]].add((at, burst["accounts"], burst["events"]))
    assert told == {name: world.bursts for name, world in WORLDS.items() if world.bursts}


@pytest.mark.parametrize("trace", ["addresses", "addresses_near"])
def test_addresses_count_as_the_networks_they_are_in(
    engine: Engine, found: dict[str, TraceLinks], trace: str
) -> None:
    """Twice one network is once; networks that strangers share do not count, but are evidence."""
    counted = {
        link["account_a"].split("/")[0]: link["entities"]
        for link in engine.to_arrow(found[trace].links).to_pylist()
    }
    assert counted == {
        "two networks": 2,
        "two unknown networks": 2,
        "one of Tor": 2,
        "three with a carrier": 2,
    }
    carrier = [
        each["entity_id"]
        for each in engine.to_arrow(found[trace].evidence).to_pylist()
        if each["account_a"].startswith("three")
    ]
    assert sorted(carrier) == ADDRESSES["three with a carrier"]


def test_accounts_with_few_entities_count_when_others_take_part(
    engine: Engine, found: dict[str, TraceLinks]
) -> None:
    """a takes part by what it shares with c, which shares too little to be linked itself."""
    links = engine.to_arrow(found["few"].links).to_pylist()
    assert [(link["account_a"], link["account_b"], link["entities"]) for link in links] == [
        ("few/a", "few/b", 2)
    ]
