"""A log whose tables are counted again in SQL: by tests of activity and of edges and nodes."""

from __future__ import annotations

from typing import Any

from graph.config import Config
from tests.graph.random_logs import COLUMNS, random_log

LOG = random_log(seed=21, worlds=8, events=60)
# Bits are of the days around 2026 only; events of 1969 and 1970 are outside of them.
FIRST_DAY, DAYS = "2025-12-30", 4
CONTENT = {"entity": "content", "family": "content"}


def config(**events: Any) -> Config:
    return Config.model_validate(
        {
            "lookback": f"{DAYS}d",
            "events": {"path": "-", "time_unit": "us", "columns": COLUMNS, **events},
            "hubs": {"content": {"soft": 2, "hard": 5}, "device": "none"},
            "traces": {
                "posts": {**CONTENT, "events": ["post"], "window": "10s"},
                "shares": {**CONTENT, "events": ["share"], "window": "0s"},
                "all_day": {**CONTENT, "window": "1d"},
                "devices": {"entity": "device", "family": "device", "window": "5m"},
                "any_time": {**CONTENT, "events": ["like"]},
            },
        }
    )
