"""The JVM half of GraphFrames: where it is kept, and that a wrong file is never used."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from graph.engines.base import DependencyError
from graph.jvm_artifacts import (
    cache_folder,
    cached_graphframes,
    graphframes,
    graphframes_jar,
    verify,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of fetched files."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "actorgraph" / "maven"


def test_the_cache_is_the_users(cache: Path) -> None:
    assert cache_folder() == cache
    assert cached_graphframes() is None


def test_the_coordinates_are_those_that_spark_submit_takes() -> None:
    assert graphframes().coordinates == "org.apache.sedona:sedona-spark-shaded-4.0_2.13:1.8.0"


def test_a_file_with_the_wrong_hash_is_deleted_and_named(cache: Path) -> None:
    jar = graphframes().path(cache)
    jar.parent.mkdir(parents=True)
    jar.write_bytes(b"not a jar")
    wrong = hashlib.sha256(b"not a jar").hexdigest()
    with pytest.raises(DependencyError, match=f"has SHA-256 {wrong}, expected c847cec67cd0"):
        graphframes_jar()
    assert not jar.exists()


def test_a_file_with_the_right_hash_is_used(tmp_path: Path) -> None:
    file = tmp_path / "file.jar"
    file.write_bytes(b"a jar")
    verify(file, replace(graphframes(), sha256=hashlib.sha256(b"a jar").hexdigest()))
    assert file.exists()


def test_without_a_network_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(DependencyError, match=r"cannot fetch .* or set spark.jars to a copy"):
        graphframes_jar()
