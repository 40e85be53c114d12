"""Loops over arrays, compiled by numba on first use and kept on disk for the next process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from numba import njit

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """Compile a function of numpy arrays and numbers; it may call others of its own file only.

    The machine code is kept beside the source, and made anew when that file changes. Where there
    is no such place (the source is in a zip, the folder is read-only), every process compiles.
    """
    if Path(loop.__code__.co_filename).is_file():
        try:
            return cast("Loop", njit(nogil=True, cache=True)(loop))
        except RuntimeError:
            pass
    return cast("Loop", njit(nogil=True)(loop))
