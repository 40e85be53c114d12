"""Which Java is taken, and what is said when none fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.engines.base import DependencyError
from jobs import java


def install(home: Path, version: str) -> Path:
    """A Java that can do nothing but tell its version, as the real ones do."""
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    program.chmod(0o755)
    return home


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any Java."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}/default/bin")
    monkeypatch.setattr(java, "FOLDERS", (f"{tmp_path}/jvm/*",))
    return tmp_path


def test_the_default_java_is_taken_when_spark_runs_on_it(machine: Path) -> None:
    install(machine / "default", "21.0.2")
    install(machine / "jvm" / "java-17", "17.0.15")
    assert java.find_java() == java.Java(machine / "default", 21)


def test_another_installed_java_is_taken_when_the_default_is_too_old(machine: Path) -> None:
    install(machine / "default", "1.8.0_402")
    install(machine / "jvm" / "java-17", "17.0.15")
    assert java.require_java() == java.Java(machine / "jvm" / "java-17", 17)


def test_java_home_is_a_decision(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(machine / "jvm" / "java-17", "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(install(machine / "mine", "1.8.0_402")))
    with pytest.raises(DependencyError, match=r"Java 8 at .*/mine is not supported: install Java"):
        java.require_java()


def test_a_machine_without_java_is_told_what_to_install(machine: Path) -> None:
    with pytest.raises(DependencyError, match="no Java found: install Java 17"):
        java.require_java()
    assert java.main() == 1
