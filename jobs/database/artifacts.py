"""The files that a local Neo4j server runs on, from Maven Central, each checked by its hash.

`python -m jobs.database.artifacts VERSION` resolves a newer server and writes the list anew.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from graph.conf_files import conf_file
from graph.jvm_artifacts import Artifact, cache_folder, checked_jar

FILE = "neo4j/server_artifacts.txt"
BROWSER_VERSION = "5.24.0"
OTHERWISE = "let NEO4J_URI name a server of your own"


def server_artifacts() -> list[Artifact]:
    """What the recorded list names, in its order."""
    lines = conf_file(FILE).read_text(encoding="utf-8").splitlines()
    return [_artifact(line) for line in lines if line and not line.startswith("#")]


def _artifact(line: str) -> Artifact:
    coordinates, size, sha256 = line.split(" ")
    group, artifact, version, *classifier = coordinates.split(":")
    return Artifact(group, artifact, version, int(size), sha256, *classifier)


def server_class_path() -> list[Path]:
    """The checked files, fetched where they are missing; raises DependencyError when that fails."""
    artifacts = server_artifacts()
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda each: checked_jar(each, OTHERWISE), artifacts))


def main(argv: Sequence[str]) -> int:
    """Write the list of a server's files with their hashes to the standard output."""
    from jgo.maven import Dependency, MavenContext, PythonResolver

    (version,) = argv
    wanted = [
        ("org.neo4j", "neo4j", version),
        ("org.neo4j.app", "neo4j-server", version),
        ("org.neo4j", "neo4j-import-tool", version),
        ("org.neo4j.client", "neo4j-browser", BROWSER_VERSION),
    ]
    context = MavenContext(repo_cache=cache_folder())
    roots = [
        Dependency(context.project(group, name).at_version(number).artifact(), scope="compile")
        for group, name, number in wanted
    ]
    _, found = PythonResolver().get_dependency_list(roots)
    lines = []
    for each in [*(root.artifact for root in roots), *(node.dep.artifact for node in found)]:
        content = each.resolve().read_bytes()
        parts = (each.groupId, each.artifactId, each.version, each.classifier)
        coordinates = ":".join(part for part in parts if part)
        lines.append(f"{coordinates} {len(content)} {hashlib.sha256(content).hexdigest()}\n")
    sys.stdout.writelines(sorted(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
