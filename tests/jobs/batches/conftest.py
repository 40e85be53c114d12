from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.batches.sites import Site


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def site(tmp_path: Path, keys: Path) -> Site:
    return Site(tmp_path, keys)
