"""The connection to Neo4j: the only file that imports its driver."""

from __future__ import annotations

import logging
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import neo4j
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    DatabaseError,
    DriverError,
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

SCHEMES = ("bolt://", "bolt+s://", "bolt+ssc://", "neo4j://", "neo4j+s://", "neo4j+ssc://")
"""How an address begins; Browser's begins otherwise, and is none."""

RETRY_FOR_S = 30.0

# What the driver logs stands in the error that follows.
logging.getLogger("neo4j").setLevel(logging.CRITICAL)


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

    Raises DependencyError where it names no password, a file that cannot be read, a URI that is not
    Bolt's, or one with a password inside, which would be printed.
    """
    if not (uri := environment.get(URI)):
        return None
    if "@" in uri:
        raise DependencyError(f"{URI} must hold no user and no password: set {USER}, {PASSWORD}")
    if not uri.lower().startswith(SCHEMES):
        raise DependencyError(
            f"{URI} is {uri!r}: it must begin with one of {', '.join(SCHEMES)}, e.g. "
            "bolt://127.0.0.1:7687"
        )
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
    if isinstance(error, DatabaseError):
        return (
            f"Neo4j at {address.uri} cannot go on, most likely because its disk is full "
            f"({_one_line(error.message)}): read its debug.log, free space, restart it (actorgraph "
            "neo4j stop, start) and load again; the next load completes this one"
        )
    if isinstance(error, TransientError):
        return (
            f"Neo4j at {address.uri} is too busy, or stops ({_one_line(error.message)}): nothing "
            "is lost, load again: an interrupted load is completed by the next one"
        )
    if isinstance(error, ClientError) and "Forbidden" in str(error.code):
        return f"Neo4j at {address.uri} does not let {address.user} do this: {error.message}"
    if isinstance(error, ClientError) and "DatabaseNotFound" in str(error.code):
        return f"Neo4j at {address.uri} has no database {address.database!r}: check {DATABASE}"
    if isinstance(error, ServiceUnavailable | ConfigurationError | ValueError):
        return _unreachable(error, address) if _is_of_connection(error) else None
    if isinstance(error, DriverError):
        return (
            f"the connection to Neo4j at {address.uri} broke: {_one_line(error)}; load again: an "
            "interrupted load is completed by the next one"
        )
    return None


def _unreachable(error: BaseException, address: Address) -> str:
    """Why there is no connection; what matters stands deep in what the driver wraps."""
    causes = list(_causes(error))
    untrusted = [each for each in causes if isinstance(each, ssl.SSLCertVerificationError)]
    if untrusted:
        return (
            f"Neo4j at {address.uri} shows a certificate that cannot be trusted "
            f"({untrusted[0].verify_message}): let SSL_CERT_FILE name the file of its authority's "
            "certificate, and the address the host that the certificate names"
        )
    reason = _one_line(causes[-1]) or type(causes[-1]).__name__
    return (
        f"cannot reach Neo4j at {address.uri}: {reason}; start it (actorgraph neo4j start) or "
        f"set {URI}, whose scheme ends in +s where the server asks for TLS; an interrupted load is "
        "completed by the next one"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and the errors that led to it."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__


def _is_of_connection(error: BaseException) -> bool:
    """Whether it is the driver's; of the values that are wrong, only an address is its business."""
    return isinstance(error, DriverError) or "URI" in str(error)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
