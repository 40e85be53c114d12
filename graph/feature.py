"""What a feature is: one number about a network, or about an account in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Subject = Literal["network", "account"]
Unit = Literal[
    "accounts", "entities", "families", "ratio", "flag", "days", "hours", "s", "bits", ""
]
"""What the number counts; a flag is 1 or 0, and an empty unit a number without one."""


@dataclass(frozen=True)
class Feature:
    """A number that signatures may name.

    `meaning` is one sentence for reviewers, `computed` the exact rule over the tables it names,
    `low` and `high` are the bounds of possible values. A value is null where the rule has nothing
    to look at; no comparison of a signature holds for it. `phrase` tells a value as a sentence:
    {value} is the number with its unit, {s} an s where it is not one, and {members}, of a share of
    all members, `41 of 43 accounts`. Without a phrase the meaning is told, with the value.
    """

    name: str
    subject: Subject
    unit: Unit
    meaning: str
    computed: str
    low: float = 0.0
    high: float = math.inf
    phrase: str = ""

    def __post_init__(self) -> None:
        if self.unit in ("ratio", "flag") and math.isinf(self.high):
            object.__setattr__(self, "high", 1.0)
        if not self.low < self.high:
            raise ValueError(f"feature {self.name}: low must be below high")

    @property
    def range(self) -> str:
        """The bounds as people read them, e.g. `0 to 1` or `2 and more`."""
        if math.isinf(self.high):
            return f"{self.low:g} and more"
        return f"{self.low:g} to {self.high:g}"
