"""The settings of everything after a proposal: caps, approvals, keys, how long things are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from graph.setting_types import UNITS, Duration, OrNone, Ratio, Settings

OptionalPath = Annotated[Path | None, OrNone]


class Caps(Settings):
    """Most accounts that may be restricted at once; a guard stops the whole batch above."""

    batch: PositiveInt = 5_000
    signature: PositiveInt = 2_000
    market: PositiveInt = 2_000
    population: Ratio = 0.005
    baseline_factor: NonNegativeFloat = 3.0
    baseline_least: NonNegativeInt = 200


class Hold(Settings):
    """Overturned appeals from which on a network's, batch's or signature's releases wait."""

    overturned: PositiveInt = 2
    share: Ratio = 0.05


class EnforcementSettings(Settings):
    """Batches: where they are meant for, who approves them, what limits them."""

    environment: Literal["demo", "shadow", "production"] = "shadow"
    contact: Annotated[str, Field(min_length=1)] = "trust-and-safety"
    valid_for: Duration = 72 * UNITS["h"]
    approvers: OptionalPath = None
    release_key: OptionalPath = None
    key_file: OptionalPath = None
    policies: OptionalPath = None
    texts: OptionalPath = None
    stages: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (0.01, 0.1, 1.0)
    staged_from: PositiveInt = 1_000
    caps: Caps = Caps()
    list_change: Ratio = 0.1
    hold: Hold = Hold()
    receipt_due: Duration = 24 * UNITS["h"]
    entity_half_life: Duration = 30 * UNITS["d"]
    device_gap: Duration = 7 * UNITS["d"]

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if list(self.stages) != sorted(set(self.stages)) or self.stages[-1:] != (1.0,):
            raise ValueError("stages must rise and end with 1.0")
        return self


class Retention(Settings):
    """How long each kind of record is kept (DECISIONS, Keeping and forgetting)."""

    sightings: Duration = 35 * UNITS["d"]
    edges: Duration = 60 * UNITS["d"]
    evidence: Duration = 400 * UNITS["d"]
    enforced_entities: Duration = 365 * UNITS["d"]
    audit: Duration = 2557 * UNITS["d"]
