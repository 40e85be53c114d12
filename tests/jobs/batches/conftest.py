"""A site before anything was exported, and one whose batch was carried out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from graph.engines.base import Engine
from tests.jobs.batches.sites import Site


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def site(tmp_path: Path, keys: Path, duckdb_engine: Engine) -> Site:
    return Site(tmp_path, keys, duckdb_engine)


@pytest.fixture(scope="session")
def applied_home(
    tmp_path_factory: pytest.TempPathFactory, keys: Path, duckdb_engine: Engine
) -> Path:
    """The home of a site where three accounts were suspended; made once, for copying."""
    site = Site(tmp_path_factory.mktemp("applied"), keys, duckdb_engine)
    site.decide(["a1", "a2", "a3"])
    desk = site.desk()
    desk.import_batch(
        site.release_all("--format", "stix", "--format", "dsa", "--format", "signals")
    )
    site.receipts(desk)
    return site.home


@pytest.fixture
def applied(tmp_path: Path, keys: Path, applied_home: Path, duckdb_engine: Engine) -> Site:
    """Three accounts, suspended."""
    shutil.copytree(applied_home, tmp_path / "home")
    return Site(tmp_path, keys, duckdb_engine)
