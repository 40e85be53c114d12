"""Properties of the shared Spark session, changed for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from graph.engines.base import Engine


@contextmanager
def properties(engine: Engine, wanted: Mapping[str, Any]) -> Iterator[None]:
    """Give a session properties, and those from before back at the end."""
    conf = engine.session.conf  # type: ignore[attr-defined]
    before = {name: conf.get(name) for name in wanted}
    try:
        for name, value in wanted.items():
            conf.set(name, str(value))
        yield
    finally:
        for name, value in before.items():
            conf.set(name, value)
