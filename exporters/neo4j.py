"""The connection to Neo4j: the only file that imports its driver."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import neo4j
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    TransientError,
)

from graph.engines.base import DependencyError

URI, USER, PASSWORD, PASSWORD_FILE, DATABASE = (
    "NEO4J_URI",
    "NEO4J_USERNAME",
    "NEO4J_PASSWORD",
    "NEO4J_PASSWORD_FILE",
    "NEO4J_DATABASE",
)
"""The environment's names for a site's own server, those that Neo4j's own tools use."""

RETRY_FOR_S = 30.0


@dataclass(frozen=True, repr=False)
class Address:
    """Where a database is and how to log in."""

    uri: str
    user: str
    password: str
    database: str = "neo4j"

    def __repr__(self) -> str:
        return f"Address({self.uri}, {self.user}, {self.database})"


def address_from(environment: Mapping[str, str]) -> Address | None:
    """The site's own server, if the environment names one.

    Raises DependencyError where it names no password, or a file that cannot be read.
    """
    if not (uri := environment.get(URI)):
        return None
    password = environment.get(PASSWORD)
    if password is None and (file := environment.get(PASSWORD_FILE)):
        password = read_password(Path(file))
    if password is None:
        raise DependencyError(f"{URI} is set: set {PASSWORD} or {PASSWORD_FILE} as well")
    return Address(
        uri, environment.get(USER, "neo4j"), password, environment.get(DATABASE, "neo4j")
    )


def read_password(path: Path) -> str:
    """The password in a file; raises DependencyError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DependencyError(f"cannot read the password of Neo4j from {path}: {error}") from None


class Database:
    """An open connection; errors of the driver become DependencyErrors that say what to do."""

    def __init__(self, address: Address) -> None:
        self.address = address
        # The host's proxy settings never apply: Bolt is no HTTP.
        with self._told():
            self._driver = neo4j.GraphDatabase.driver(
                address.uri,
                auth=(address.user, address.password),
                max_transaction_retry_time=RETRY_FOR_S,
                notifications_min_severity="OFF",
                user_agent=f"actorgraph/{os.getpid()}",
            )

    def __enter__(self) -> Self:
        with self._told():
            self._driver.verify_connectivity()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._driver.close()

    def read(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run a statement that reads; its records. A transient error is retried."""
        return self._run("execute_read", statement, parameters)

    def write(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run a statement in a transaction of its own; its records. Retried like `read`."""
        return self._run("execute_write", statement, parameters)

    def write_all(self, statements: list[tuple[str, dict[str, Any]]]) -> None:
        """Run statements in one transaction."""

        def work(transaction: neo4j.ManagedTransaction) -> None:
            for statement, parameters in statements:
                transaction.run(statement, parameters).consume()

        with self._told(), self._driver.session(database=self.address.database) as session:
            session.execute_write(work)

    def define(self, statement: str) -> None:
        """Run a statement that changes the schema."""
        with self._told(), self._driver.session(database=self.address.database) as session:
            session.run(statement).consume()

    def plan(self, statement: str, **parameters: Any) -> dict[str, Any]:
        """The plan that the server makes for a statement; nothing runs."""
        with self._told(), self._driver.session(database=self.address.database) as session:
            summary = session.run(f"EXPLAIN {statement}", parameters).consume()
        plan: dict[str, Any] = summary.plan or {}
        return plan

    def graph(self, statement: str, **parameters: Any) -> neo4j.graph.Graph:
        """Run a statement that reads, and return the nodes and relationships it found."""

        def work(transaction: neo4j.ManagedTransaction) -> neo4j.graph.Graph:
            return transaction.run(statement, parameters).graph()

        with self._told(), self._driver.session(database=self.address.database) as session:
            return session.execute_read(work)

    def _run(self, how: str, statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        def work(transaction: neo4j.ManagedTransaction) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = transaction.run(statement, parameters).data()
            return found

        with self._told(), self._driver.session(database=self.address.database) as session:
            records: list[dict[str, Any]] = getattr(session, how)(work)
            return records

    def _told(self) -> _Told:
        return _Told(self.address)


class _Told:
    """Turns the driver's errors into ours."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if message := _explain(error, self._address):
            raise DependencyError(message) from None


def _explain(error: BaseException | None, address: Address) -> str | None:
    """What an error of the driver means and what to do; None for other errors."""
    if isinstance(error, AuthError):
        return (
            f"Neo4j at {address.uri} refuses user {address.user}: check {USER} and {PASSWORD}, or "
            "the password file of the local server"
        )
    if isinstance(error, Neo4jError) and _no_space(error):
        return (
            f"Neo4j at {address.uri} cannot write, its disk may be full ({error.message}): free "
            "space, restart it and load again"
        )
    if isinstance(error, TransientError):
        return f"Neo4j at {address.uri} is too busy ({error.message}): nothing is lost, load again"
    if isinstance(error, ClientError) and "Forbidden" in str(error.code):
        return f"Neo4j at {address.uri} does not let {address.user} do this: {error.message}"
    if isinstance(error, ServiceUnavailable | ConfigurationError) or _is_address_error(error):
        return (
            f"cannot reach Neo4j at {address.uri}: {error}; start it (actorgraph neo4j start) or "
            f"set {URI}; an interrupted load is completed by the next one"
        )
    if isinstance(error, DriverError):
        return f"the connection to Neo4j at {address.uri} broke: {error}; load again"
    return None


def _is_address_error(error: BaseException | None) -> bool:
    return isinstance(error, ValueError) and "URI" in str(error)


def _no_space(error: Neo4jError) -> bool:
    text = f"{error.code} {error.message}"
    return any(
        sign in text for sign in ("No space left", "DatabaseUnavailable", "read-only", "panic")
    )
