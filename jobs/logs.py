"""Logs: text for people, JSON lines for machines, on the standard error output, times in UTC."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Literal

import structlog

LogFormat = Literal["text", "json"]
LEVELS = ("debug", "info", "warning", "error")
CONTEXT = ("job", "ds", "run_id")

_shown = threading.Lock()


class _Stderr:
    """The standard error output of the moment: progress bars and tests replace sys.stderr."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Forward(logging.Handler):
    """Hands what libraries log to the same output."""

    def emit(self, record: logging.LogRecord) -> None:
        # py4j logs every failed call with a trace, and then raises the error as well.
        if "py4j" not in record.pathname:
            log = structlog.get_logger()
            log.log(record.levelno, record.getMessage(), logger=record.name)


def configure(log_format: LogFormat = "text", level: str = "info") -> None:
    """Set up all logging of the process; a record is one line (text: plus a trace, if any)."""
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%SZ", utc=True),
    ]
    if log_format == "json":
        processors += [
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        processors += [
            _context_last,
            structlog.dev.ConsoleRenderer(
                colors=on_terminal(),
                sort_keys=False,
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=lambda *_: structlog.WriteLogger(_Stderr()),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[_Forward(logging.WARNING)], force=True)


def _context_last(_: Any, __: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What differs between records comes first, what they share last."""
    for key in CONTEXT:
        if key in record:
            record[key] = record.pop(key)
    return record


def on_terminal() -> bool:
    """Whether a person watches."""
    return sys.stderr.isatty()


@contextmanager
def progress(text: str, log_format: LogFormat) -> Iterator[None]:
    """Show on a terminal that something goes on; elsewhere the log has to do.

    Of several things at once the first is shown.
    """
    if log_format == "json" or not on_terminal() or not _shown.acquire(blocking=False):
        yield
        return
    from rich.console import Console

    try:
        with Console(stderr=True).status(text):
            yield
    finally:
        _shown.release()
