"""What runs in Java: fetched once from Maven Central, and used only if its hash fits."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from graph.conf_files import conf_file
from graph.engines.base import DependencyError

FILE = "jvm_artifacts.yaml"

STORE_PACKAGE = "org.apache.spark:spark-hadoop-cloud_2.13"
"""What Spark needs on an object store: a committer, and as dependencies S3A and its SDK.

Its version is Spark's own. It is never fetched here, but given to spark-submit.
"""


@dataclass(frozen=True)
class Artifact:
    """A file in a Maven repository, and what it must be."""

    group: str
    artifact: str
    version: str
    bytes: int
    sha256: str
    classifier: str = ""

    @property
    def coordinates(self) -> str:
        """What spark-submit's --packages takes."""
        return f"{self.group}:{self.artifact}:{self.version}"

    def path(self, cache: Path) -> Path:
        """Where a Maven repository in the folder `cache` keeps the file."""
        parts = [self.artifact, self.version, *([self.classifier] if self.classifier else [])]
        name = f"{'-'.join(parts)}.jar"
        return cache.joinpath(*self.group.split("."), self.artifact, self.version, name)


def graphframes() -> Artifact:
    """The artifact that holds GraphFrames, as conf/jvm_artifacts.yaml names it."""
    text = conf_file(FILE).read_text(encoding="utf-8")
    return Artifact(**yaml.safe_load(text)["graphframes"])


def cache_folder() -> Path:
    """Where fetched files are kept for all checkouts and runs of a user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "actorgraph" / "maven"


def cached_graphframes() -> Path | None:
    """The jar if it was fetched before and is whole; nothing is fetched."""
    artifact = graphframes()
    path = artifact.path(cache_folder())
    return path if path.is_file() and path.stat().st_size == artifact.bytes else None


def graphframes_jar() -> Path:
    """The checked jar, fetched if need be; raises DependencyError when that fails."""
    return checked_jar(graphframes(), "set spark.jars to a copy")


def checked_jar(artifact: Artifact, otherwise: str) -> Path:
    """An artifact's checked file, fetched if need be.

    Raises DependencyError when that fails; `otherwise` says what else one can do then.
    """
    path = artifact.path(cache_folder())
    if not path.is_file():
        _fetch(artifact, otherwise)
    verify(path, artifact)
    return path


def verify(path: Path, artifact: Artifact) -> None:
    """Check a fetched file; a wrong one is deleted and raises DependencyError."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != artifact.sha256:
        path.unlink()
        raise DependencyError(
            f"{artifact.coordinates} has SHA-256 {found}, expected {artifact.sha256}: it was "
            "deleted; try again, and if this stays so, do not use that network or mirror"
        )


def _fetch(artifact: Artifact, otherwise: str) -> None:
    from jgo.maven import MavenContext

    try:
        project = MavenContext(repo_cache=cache_folder()).project(artifact.group, artifact.artifact)
        project.at_version(artifact.version).artifact(artifact.classifier).resolve()
    except Exception as error:
        raise DependencyError(
            f"cannot fetch {artifact.coordinates} into {cache_folder()}: {error}; fetch it where "
            f"there is a network, or {otherwise}"
        ) from None


def main() -> int:
    """Fetch the jar, for `make setup`."""
    sys.stdout.write(f"{graphframes_jar()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
