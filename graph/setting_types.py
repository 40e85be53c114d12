"""What the models of settings are made of: durations, shares, `none`, and their common base."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

UNITS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000}
"""Microseconds of each unit in which a duration is written, longest first."""


def parse_duration(text: Any) -> int:
    """Turn `60s`, `30m`, `24h` or `28d` into microseconds; raises ValueError for anything else."""
    match = re.fullmatch(r"([0-9]{1,9})([dhms])", text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write a whole number and a unit, e.g. 60s")
    return int(match[1]) * UNITS[match[2]]


def format_duration(microseconds: int) -> str:
    """Write microseconds in the longest unit that keeps them whole; parse_duration's inverse."""
    unit = next(unit for unit, size in UNITS.items() if microseconds % size == 0)
    return f"{microseconds // UNITS[unit]}{unit}" if microseconds else "0s"


def property_text(value: Any) -> Any:
    """A property of an engine as the text that it takes."""
    return str(value).lower() if isinstance(value, bool | int) else value


def none_as_null(value: Any) -> Any:
    """The text `none` as None."""
    return None if value == "none" else value


def several_texts(value: Any) -> Any:
    """One text as a tuple of it."""
    return (value,) if isinstance(value, str) else value


Duration = Annotated[
    int, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str)
]
Ratio = Annotated[float, Field(ge=0, le=1)]
Texts = Annotated[tuple[str, ...], BeforeValidator(several_texts)]
OrNone = BeforeValidator(none_as_null)


class Settings(BaseModel):
    """What all sections share: frozen, no unknown keys, no silent infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
