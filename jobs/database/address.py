"""Which Neo4j a command speaks to."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from exporters.neo4j import Address, address_from, read_password
from graph.engines.base import DependencyError
from jobs.database.server import USER, find_server

FOLDER = "neo4j"
"""The local server's folder under a home."""


def database_address(home: Path, environment: Mapping[str, str]) -> Address:
    """The site's own server if the environment names one, else the local one of a home.

    Raises DependencyError when there is neither.
    """
    if own := address_from(environment):
        return own
    if server := find_server(home / FOLDER):
        return Address(server.uri, USER, read_password(server.password_file))
    raise DependencyError(
        f"no Neo4j runs in {home / FOLDER}: {start_command(home)}, or set NEO4J_URI"
    )


def start_command(home: Path) -> str:
    """What a person types to start the local server of a home."""
    return f"actorgraph neo4j start --set {shlex.quote(f'home={home}')}"
