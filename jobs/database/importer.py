"""Neo4j's offline importer, run on a local server that is stopped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from graph.engines.base import DependencyError
from jobs.database.artifacts import server_class_path
from jobs.database.runtime import java_executable
from jobs.files import remove

DATABASE = "neo4j"
_MEMORY = ["-XX:+UseParallelGC", "-XX:NewRatio=1", "-XX:MetaspaceSize=128m"]
"""What it reads is garbage at once, so half of the heap is for what is young. Its classes fill the
default metaspace twice, with a full collection each time."""
_FEW = 2_000_000
"""Elements up to which it does without the optimising compiler: one million took 28 to 29 processor
seconds without and 32 to 39 with it."""


def run_importer(
    folder: Path, arguments: Sequence[str], heap: str = "1g", elements: int = 0
) -> str:
    """Replace the database of a server's folder by files; returns the importer's last lines.

    `elements`, their number, decides only which compiler runs. Raises DependencyError, with what
    the importer says, when it fails; the database is then empty.
    """
    java, class_path = java_executable(), os.pathsep.join(map(str, server_class_path()))
    where = {"NEO4J_HOME": str(folder.absolute()), "NEO4J_CONF": str((folder / "conf").absolute())}
    listed = folder / "import-arguments"
    lines = ["database", "import", "full", DATABASE, *arguments]
    listed.write_text("".join(f'"{_escaped(line)}"\n' for line in lines), encoding="utf-8")
    compiled = ["-XX:TieredStopAtLevel=1"] if elements <= _FEW else []
    command = [java, *_MEMORY, *compiled, f"-Xms{heap}", f"-Xmx{heap}", "-cp", class_path]
    command += ["org.neo4j.cli.AdminTool"]
    done = subprocess.run(
        [*command, f"@{listed.absolute()}"],
        env={**os.environ, **where},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    remove(listed)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        told = [line for line in said if not line.lstrip().startswith(("at ", "... "))]
        raise DependencyError(f"Neo4j's importer failed: {' '.join(told[:3])}")
    return done.stdout[-2000:]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
