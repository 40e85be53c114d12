"""A batch in every format, and one that takes a part of it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exporters.enforcement.builders import many, write


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("batches"), many(12))[0]


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("back"), many(5), "20261123-r1", "reverse")[0]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where people's SSH keys are."""
    return tmp_path_factory.mktemp("keys")
