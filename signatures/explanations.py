"""What the model says of a mistake, as a place in the file and a sentence that helps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from graph.model_paths import model_at
from graph.suggestions import nearest
from graph.yaml_files import KeyPath
from signatures.model import Signature

LONGEST_SHOWN = 80

SYMBOLS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
"""How people write comparisons elsewhere."""


def explain(error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    """The place and the explanation of each mistake that the model found."""
    mistakes = error.errors(include_url=False)
    for mistake in mistakes:
        path = tuple(str(part) for part in mistake["loc"] if part != "[key]")
        # A list that lost an entry to a mistake is not too short on its own account.
        follows = mistake["type"] == "too_short" and any(
            other["loc"][: len(path)] == mistake["loc"] and other is not mistake
            for other in mistakes
        )
        if not follows:
            yield path, _reason(mistake, path)


def _reason(mistake: Any, path: KeyPath) -> str:
    given, message = mistake["input"], str(mistake["msg"]).removeprefix("Value error, ")
    match mistake["type"]:
        case "extra_forbidden":
            return f"unknown field{_hint(path)}"
        case "missing":
            return "is required"
        case "value_error":
            return message
        case "literal_error":
            known = mistake["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            hint = nearest(str(_shown(given)), known)
            return f"{_shown(given)!r} is not one of {', '.join(known)}{hint}"
    if isinstance(given, dict | list | tuple):
        return message
    return f"{message}, got {_shown(given)!r}"


def _hint(path: KeyPath) -> str:
    """What an unknown field may have been meant to be, or where it belongs."""
    *place, name = path
    known = list(model_at(Signature, place).model_fields)
    if (meant := SYMBOLS.get(name)) in known:
        return f"; did you mean {meant!r}?"
    for section in known:
        if name in model_at(Signature, [*place, section]).model_fields:
            return f"; it belongs under {section!r}"
    return nearest(_shown(name), known) or f"; known: {', '.join(known)}"


def _shown(given: Any) -> Any:
    """The given value, cut short where it would fill the screen."""
    if isinstance(given, str) and len(given) > LONGEST_SHOWN:
        return given[:LONGEST_SHOWN] + "..."
    return given
