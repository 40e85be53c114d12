"""The ways in which a run stops on purpose, each with its exit code.

A missing or unreadable input is an InputError (exit 3), something outside that is missing, busy or
down a DependencyError (exit 5); both come from graph/engines/base.py, because engines raise them.
A ConfigError (exit 2) comes from graph/errors.py, because every layer reads YAML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from errno import ENOSPC
from typing import Any

from graph.engines.base import DependencyError, InputError
from graph.errors import ConfigError as ConfigError

DONE = 0
UNEXPECTED = 1
INTERRUPTED = 130

UNREADABLE = "FAILED_READ_FILE"
"""Spark's error class for files that it cannot make sense of."""

NO_SPACE = "No space left on device"

OTHER_HEADER = "CSV header"
"""What Spark says of a CSV file whose header is not that of the others."""


class DataStop(Exception):
    """Data that must not be published before a person has looked at it."""


class GuardStop(Exception):
    """A safety limit was reached; a person must decide.

    `aloud` is what that person is told: the same, with the accounts that it is about, whose names
    are stored nowhere, because forgetting an account would not find them there.
    """

    def __init__(self, text: str, aloud: str | None = None) -> None:
        super().__init__(text)
        self.aloud = aloud or text


EXIT_CODES: dict[type[Exception], int] = {
    ConfigError: 2,
    InputError: 3,
    DataStop: 4,
    DependencyError: 5,
    GuardStop: 6,
}
"""The exit code of each deliberate stop; docs/runbook.md has an entry for each."""


def exit_code(error: BaseException) -> int:
    """The code that a process which ended with `error` reports."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), UNEXPECTED)


def all_or_stop(*reads: Callable[[], Any]) -> list[Any]:
    """What each of several reads gives.

    Those that stop on purpose are told in one stop, of the kind with the highest exit code.
    """
    given, stops = [], []
    for read in reads:
        try:
            given.append(read())
        except tuple(EXIT_CODES) as stop:
            stops.append(stop)
    if stops:
        gravest = max(stops, key=exit_code)
        raise type(gravest)("; ".join(map(str, stops)))
    return given


def as_stop(error: BaseException) -> BaseException:
    """The deliberate stop that an engine's error amounts to, else the error itself.

    Engines read lazily, so a damaged input file may show only in the middle of a run.
    """
    kind, module, text = type(error).__name__, type(error).__module__, str(error)
    if text == "Query interrupted":  # so DuckDB tells of Ctrl-C
        return KeyboardInterrupt()
    if module.endswith("duckdb"):
        return _stop_of_duckdb(error, kind, text)
    if module.startswith(("pyspark.", "py4j.")) and UNREADABLE in text:
        file = re.search(r"while reading file (\S+?)\.?\s", text + " ")
        name = file[1].removeprefix("file:").replace("///", "/") if file else "an input file"
        if OTHER_HEADER in text:
            return InputError(
                f"{name} has other columns than the files beside it, or two of one name, or one "
                "without: give all of them the same header"
            )
        return InputError(
            f"{name} is damaged or not of the declared format: replace it or check it"
        )
    if isinstance(error, OSError) and "AWS Error" in text:
        return DependencyError(
            f"the object store does not do what is asked of it: {text.splitlines()[0]}; look at "
            "`warehouse`, and at the store's credentials in the environment"
        )
    if isinstance(error, OSError) and error.errno == ENOSPC:
        return _disk_full(f'"{error.filename}"')
    # What Java reports comes with a trace; an error without one means that no Java is there.
    silent = kind == "Py4JNetworkError" or (kind == "Py4JError" and "Trace:" not in text)
    if silent or isinstance(error, ConnectionRefusedError):
        return DependencyError(
            "Spark's Java process has ended: it was killed, or the machine ran out of memory"
        )
    return error


def _stop_of_duckdb(error: BaseException, kind: str, text: str) -> BaseException:
    if kind == "InterruptException":
        return KeyboardInterrupt()
    from graph.engines.duckdb_files import damaged

    if NO_SPACE in text:
        return _disk_full(text)
    if file := damaged(text):
        return InputError(file)
    if kind == "OutOfMemoryException":
        return DependencyError(
            f"memory or scratch space ran out: raise duckdb.memory_limit or duckdb.temp_directory, "
            f"or use spark-submit ({text.splitlines()[0]})"
        )
    return error


def _disk_full(text: str) -> DependencyError:
    named = re.search(r'"([^"\\]*/[^"\\]*)', text)
    return DependencyError(
        f"no space is left on the disk of {named[1] if named else 'the home'}: make room, or set "
        "`home` or duckdb.temp_directory to a larger one"
    )


def describe(error: BaseException) -> str:
    """One line that says to people what went wrong."""
    return error.aloud if isinstance(error, GuardStop) else recorded(error)


def recorded(error: BaseException) -> str:
    """The same as a manifest keeps it."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, tuple(EXIT_CODES)):
        return str(error)
    first = (str(error).strip().splitlines() or [""])[0]
    return f"unexpected {type(error).__name__}: {first}"
