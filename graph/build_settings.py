"""What a day's graph was built for, so that nobody looks in it for what it does not hold.

Counts by time bin, sightings and hubs are made for the settings that the build had. Found with
others, an absent count would be read as zero, and every link as impossible by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graph.config import Config
from graph.setting_types import format_duration


def build_settings(config: Config) -> dict[str, Any]:
    """What the graph depends on, as JSON: lookback, hard limits of hubs, traces with a window.

    Traces without a window rest on edges, which are kept of every entity and event type.
    """
    hubs = config.hubs.items()
    return {
        "lookback": format_duration(config.lookback),
        "hubs": {name: limits.hard for name, limits in sorted(hubs) if limits is not None},
        "traces": {
            name: {
                "entity": trace.entity,
                "events": None if trace.events is None else sorted(set(trace.events)),
                "window": format_duration(trace.window),
                "exclude_originator": trace.exclude_originator,
            }
            for name, trace in config.active_traces.items()
            if trace.window is not None
        },
    }


def unlike_the_build(config: Config, built: Mapping[str, Any]) -> list[str]:
    """Name the settings that ask of a graph what it was not built for; none for all is well.

    `built` is build_settings of the build. A trace that is switched off asks for nothing.
    """
    return [
        f"{key} was {_shown(before)} and is {_shown(now)}"
        for key, before, now in _differences(build_settings(config), built)
    ]


def _differences(
    now: Mapping[str, Any], built: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    if now["lookback"] != built["lookback"]:
        yield "lookback", built["lookback"], now["lookback"]
    for name in sorted({*now["hubs"], *built["hubs"]}):
        limits = built["hubs"].get(name), now["hubs"].get(name)
        if limits[0] != limits[1]:
            yield f"hubs.{name}.hard", *limits
    for name, trace in now["traces"].items():
        before = built["traces"].get(name)
        if before is None:
            yield f"traces.{name}.window", None, trace["window"]
            continue
        for key, value in trace.items():
            if value != before[key] and not _holds_more(key, trace):
                yield f"traces.{name}.{key}", before[key], value


def _holds_more(key: str, trace: Mapping[str, Any]) -> bool:
    """Whether the build has all that a trace needs, although a setting of it differs.

    Originators are looked for among events of all types; without them fewer are needed.
    """
    return key == "exclude_originator" and (trace["events"] is None or not trace[key])


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)
