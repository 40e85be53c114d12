"""The ways in which a run stops on purpose, each with its exit code.

A missing or unreadable input is graph.engines.base.InputError, exit 3.
"""

from __future__ import annotations

from graph.engines.base import InputError

DONE = 0
UNEXPECTED = 1
INTERRUPTED = 130


class ConfigError(Exception):
    """Arguments or settings that cannot be meant; the message says where and what to write."""


class DataStop(Exception):
    """Data that must not be published before a person has looked at it."""


class DependencyDown(Exception):
    """Something outside that the run needs is missing, busy or down; a later try may work."""


class GuardStop(Exception):
    """A safety limit was reached; a person must decide."""


EXIT_CODES: dict[type[Exception], int] = {
    ConfigError: 2,
    InputError: 3,
    DataStop: 4,
    DependencyDown: 5,
    GuardStop: 6,
}
"""The exit code of each deliberate stop; docs/runbook.md has an entry for each."""


def exit_code(error: BaseException) -> int:
    """The code that a process which ended with `error` reports."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), UNEXPECTED)
