"""Fixtures of the integration tests: sites, and one simulated day that several files look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.engines.base import Engine
from tests.integration.sites import Site


@pytest.fixture
def site(tmp_path: Path, spark_engine: Engine) -> Site:
    """An empty site."""
    return Site(tmp_path, spark_engine)
