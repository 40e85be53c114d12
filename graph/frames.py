"""The DataFrame API of whichever engine is active: `F`, `T`, `Window`, `Column`, `DataFrame`.

Relational code imports these names from here and runs unchanged on every engine; nothing is
imported from an engine before the first attribute is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Window
    from pyspark.sql import functions as F
    from pyspark.sql import types as T

__all__ = ["Column", "DataFrame", "F", "T", "Window", "engine_api"]

_api_root: ContextVar[str] = ContextVar("api_root")


@contextmanager
def engine_api(root: str) -> Iterator[None]:
    """Make `F`, `T` and `Window` those of the package `root`, e.g. `pyspark.sql`, in this context.

    Outside of such a context, and in threads that did not inherit one, any use raises LookupError.
    """
    token = _api_root.set(root)
    try:
        yield
    finally:
        _api_root.reset(token)


class _ActiveEngine:
    """Looks its attributes up in the active engine's module, at call time."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        root = import_module(f"{_api_root.get()}{self._module}")
        return getattr(root, name)


class _ActiveWindow:
    """Stands for the active engine's `Window` class."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(_api_root.get()).Window, name)


if not TYPE_CHECKING:
    F = _ActiveEngine(".functions")
    T = _ActiveEngine(".types")
    Window = _ActiveWindow()
    Column = DataFrame = Any
