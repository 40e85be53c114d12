"""Hints in error messages: what a mistyped name was meant to be, and many problems in one line."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

SHOWN = 10


def nearest(name: str, known: Iterable[str]) -> str:
    """Say `; did you mean 'x'?` for the nearest known name, or nothing."""
    matches = get_close_matches(name, list(known), n=1)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def several(problems: Sequence[str]) -> str:
    """The first problems in one line, and how many more there are."""
    more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    return "; ".join([*problems[:SHOWN], *more])
