"""Finding a Java that Spark can run on, wherever package managers put it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graph.engines.base import DependencyError

SUPPORTED = (17, 21)
"""The versions that Spark 4.0 is tested with; what lies between works too."""

QUICK_COMPILER = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
"""Options to do without the optimising compiler, for what ends before that compiler would.

Without it Java sets aside a fifth of the room for compiled code. Spark fills that in minutes, and
from then on Java throws away code that it has to compile again.
"""

INSTALL = (
    "install Java 17 (Debian, Ubuntu: apt-get install openjdk-17-jre-headless; Fedora: dnf install "
    "java-17-openjdk-headless; macOS: brew install openjdk@17) or set JAVA_HOME to one"
)

# Where packages install Java without putting it on the PATH or as the default.
FOLDERS = (
    "/usr/lib/jvm/*",
    "/opt/homebrew/opt/openjdk@*",
    "/usr/local/opt/openjdk@*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
)


@dataclass(frozen=True)
class Java:
    """An installed Java: its home folder and major version."""

    home: Path
    version: int

    @property
    def is_supported(self) -> bool:
        """Whether Spark 4.0 runs on it."""
        return SUPPORTED[0] <= self.version <= SUPPORTED[-1]


def find_java() -> Java | None:
    """The Java to use: JAVA_HOME's, else the PATH's, else any supported one that is installed.

    JAVA_HOME is a decision and is followed even if it is wrong; None when there is no Java at all.
    """
    if chosen := os.environ.get("JAVA_HOME"):
        return _inspect(Path(chosen))
    found = [java for home in _homes() if (java := _inspect(home))]
    return next((java for java in found if java.is_supported), found[0] if found else None)


def _homes() -> Iterator[Path]:
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parents[1]
    for pattern in FOLDERS:
        yield from sorted(Path("/").glob(pattern.removeprefix("/")))


def _inspect(home: Path) -> Java | None:
    """Ask a Java for its version; None if it cannot be run, as macOS's stub without a Java."""
    try:
        asked = subprocess.run(
            [str(home / "bin" / "java"), "-version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    named = re.search(r'version "(?:1\.)?(\d+)', asked.stderr)
    return Java(home, int(named[1])) if named else None


def require_java() -> Java:
    """The Java to use; raises DependencyError, saying what to install, when there is none."""
    java = find_java()
    if java is None or not java.is_supported:
        found = f"Java {java.version} at {java.home} is not supported" if java else "no Java found"
        raise DependencyError(f"{found}: {INSTALL}")
    return java


def main() -> int:
    """Print the home of a usable Java, or what to do about it, for `make setup`."""
    try:
        sys.stdout.write(f"{require_java().home}\n")
    except DependencyError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
