"""What this machine lacks to run actorgraph, and how to mend it: `actorgraph doctor`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from graph.config import Config
from graph.engines.base import DependencyError
from graph.filesystems import has_bucket
from graph.jvm_artifacts import STORE_PACKAGE, cached_graphframes, graphframes, verify
from jobs.arguments import settings_parser
from jobs.commands import run_command
from jobs.configuration import load
from jobs.errors import DONE, EXIT_CODES
from jobs.java import find_java, require_java
from jobs.printing import print_table
from jobs.sessions import GIB, driver_memory_gib, engine_name, machine_memory_gib

PYTHONS = ((3, 11), (3, 13))
NEEDED_MEMORY_GIB = 4
NEEDED_DISK_GIB = 5


@dataclass(frozen=True)
class Finding:
    """What was found of one thing; `mend` says what to do if it is not as it should be."""

    thing: str
    found: str
    mend: str | None = None
    needed: bool = True

    @property
    def state(self) -> str:
        """One word: ok, missing (nothing runs without it) or warning."""
        return "ok" if self.mend is None else "missing" if self.needed else "warning"


def main(argv: Sequence[str] | None = None) -> int:
    """Check as a command; returns 0, or 5 when something needed is missing."""
    parser = settings_parser("doctor", "Say what is missing on this machine and how to mend it.")
    return run_command(parser, argv, _check)


def _check(arguments: argparse.Namespace) -> int:
    findings = list(examine(load(arguments.config, arguments.set, os.environ)))
    rows = [[finding.state, finding.thing, finding.found] for finding in findings]
    print_table("actorgraph doctor", ["state", "what", "found"], rows)
    for finding in findings:
        if finding.mend:
            sys.stdout.write(f"{finding.thing}: {finding.mend}\n")
    broken = any(finding.state == "missing" for finding in findings)
    return EXIT_CODES[DependencyError] if broken else DONE


def examine(config: Config) -> Iterator[Finding]:
    """All that a run needs of this machine, in the order in which to mend it."""
    yield python()
    yield from packages()
    yield java(needed=engine_name(None, config) == "spark")
    yield spark_submit()
    yield graphframes_jar()
    yield memory()
    yield home(config.home.absolute())
    if config.warehouse:
        yield store(config.warehouse)
        yield store_packages()


def python() -> Finding:
    """The interpreter that runs this, and Spark's workers."""
    found = f"{sys.version.split()[0]} at {sys.executable}"
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return Finding("Python", found)
    return Finding("Python", found, "use Python 3.11, 3.12 or 3.13")


def packages() -> Iterator[Finding]:
    """The packages that setup.py declares; only those that are not as declared, or one line."""
    try:
        declared = [Requirement(text) for text in requires("actorgraph") or []]
    except PackageNotFoundError:
        yield Finding("actorgraph", "not installed", "run `make setup`, or pip install it", False)
        return
    wrong = [finding for requirement in declared if (finding := _package(requirement))]
    yield from wrong or [Finding("Python packages", f"actorgraph {version('actorgraph')}")]


def _package(requirement: Requirement) -> Finding | None:
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        return None
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        found = "not installed"
    if found != "not installed" and requirement.specifier.contains(found, prereleases=True):
        return None
    return Finding(requirement.name, found, f"pip install '{requirement}'")


def java(needed: bool) -> Finding:
    """The Java that Spark would run on; the embedded engine does without."""
    try:
        chosen = require_java()
    except DependencyError as error:
        found = find_java()
        return Finding("Java", str(found.version) if found else "none", str(error), needed)
    return Finding("Java", f"{chosen.version} at {chosen.home}")


def spark_submit() -> Finding:
    """The command by which a cluster is used; local runs do without."""
    beside = Path(sys.executable).parent / "spark-submit"
    found = str(beside) if beside.exists() else shutil.which("spark-submit")
    if found:
        return Finding("spark-submit", found)
    return Finding("spark-submit", "none", "pip install pyspark brings it", needed=False)


def graphframes_jar() -> Finding:
    """The JVM half of GraphFrames: whole, damaged, or not fetched yet."""
    artifact, path = graphframes(), cached_graphframes()
    if path is None:
        mend = "it is fetched when first needed; `make setup` fetches it now"
        return Finding("GraphFrames for the JVM", "not fetched", mend, needed=False)
    try:
        verify(path, artifact)
    except DependencyError as error:
        return Finding("GraphFrames for the JVM", "damaged", str(error), needed=False)
    return Finding("GraphFrames for the JVM", f"{artifact.coordinates} in {path.parent}")


def memory() -> Finding:
    """The machine's memory, and what Spark's heap would get of it."""
    total = machine_memory_gib()
    found = f"{total:.1f} GiB, {driver_memory_gib()} of them for Spark's heap"
    if total >= NEEDED_MEMORY_GIB:
        return Finding("memory", found)
    mend = f"{NEEDED_MEMORY_GIB} GiB or more are advised; smaller inputs may do with less"
    return Finding("memory", found, mend, needed=False)


def home(folder: Path) -> Finding:
    """Whether the home folder can be written, is closed to others, and has space."""
    thing = f"home {folder}"
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        return Finding(thing, "cannot be written", "set `home` (or ACTORGRAPH_HOME) to a folder")
    if parent == folder and folder.stat().st_mode & 0o077:
        mend = f"it holds data about people: chmod 700 {folder}"
        return Finding(thing, "open to other users", mend, needed=False)
    free = shutil.disk_usage(parent).free / GIB
    advice = None if free >= NEEDED_DISK_GIB else f"{NEEDED_DISK_GIB} GiB or more are advised"
    return Finding(thing, f"can be written, {free:.1f} GiB free", advice, needed=False)


def store(url: str) -> Finding:
    """Whether this machine may read what is in the warehouse on an object store."""
    thing = f"warehouse {url}"
    try:
        found = "can be read" if has_bucket(url) else "there is no such bucket"
    except OSError as error:
        found = str(error).splitlines()[0]
    if found == "can be read":
        return Finding(thing, found)
    mend = "look at its name, and at AWS_REGION, AWS_ENDPOINT_URL and credentials"
    return Finding(thing, found, mend)


def store_packages() -> Finding:
    """What Spark needs to write there; only a session can tell whether a cluster has it."""
    line = f"spark-submit --packages {STORE_PACKAGE}:{version('pyspark')}"
    return Finding("Spark on the object store", f"{line}, or a cluster image that has it")


if __name__ == "__main__":
    sys.exit(main())
