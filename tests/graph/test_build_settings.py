"""Which settings may differ between the build of a graph and the search for networks in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from graph.build_settings import build_settings, unlike_the_build
from graph.config import Config

COPIES = {
    "entity": "content",
    "family": "content",
    "events": ["post", "share"],
    "window": "10m",
    "exclude_originator": True,
}
BUILT: dict[str, Any] = {
    "events": {"path": "events", "columns": {"account_id": "a", "event_time": "t", "ip": "i"}},
    "lookback": "3d",
    "hubs": {"content": {"soft": 100, "hard": 20000}},
    "traces": {"copies": COPIES},
}


def told(**changes: Any) -> list[str]:
    """What is said of a detection whose settings differ so from those of the build."""
    built = json.loads(json.dumps(build_settings(Config.model_validate(BUILT))))
    return unlike_the_build(Config.model_validate(BUILT | changes), built)


def copies(**changes: Any) -> dict[str, Any]:
    return {"copies": COPIES | changes}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"max_burst": "none"},
        {"hubs": {"content": {"soft": 1, "hard": 20000}}},
        {"traces": copies(filter={"surprise": 2}, min_entities=3, weight="idf", fusion_weight=2)},
        {"traces": copies(events=["share", "post"])},
        {"traces": copies(window="none", events=["like"], entity="device")},
        {"traces": copies(exclude_originator=False)},
        {"traces": {"copies": "none", "phones": {"entity": "device", "family": "device"}}},
    ],
)
def test_what_the_graph_does_not_depend_on_may_differ(changes: dict[str, Any]) -> None:
    assert told(**changes) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lookback": "7d"}, "lookback was 3d and is 7d"),
        ({"hubs": {}}, "hubs.content.hard was 20000 and is none"),
        ({"hubs": {"content": {"soft": 1, "hard": 2}}}, "hubs.content.hard was 20000 and is 2"),
        ({"traces": copies(window="20m")}, "traces.copies.window was 10m and is 20m"),
        (
            {"traces": copies(events="none")},
            "traces.copies.events was [post, share] and is none",
        ),
        ({"traces": copies(entity="target")}, "traces.copies.entity was content and is target"),
        ({"traces": copies() | {"more": COPIES}}, "traces.more.window was none and is 10m"),
    ],
)
def test_what_the_graph_depends_on_is_named_where_it_differs(
    changes: dict[str, Any], message: str
) -> None:
    others = {"hubs": BUILT["hubs"]} | changes
    assert told(**others) == [message]


def test_originators_are_known_only_where_events_of_all_types_were_kept() -> None:
    built = build_settings(
        Config.model_validate(BUILT | {"traces": copies(exclude_originator=False)})
    )
    assert unlike_the_build(Config.model_validate(BUILT), built) == [
        "traces.copies.exclude_originator was false and is true"
    ]
