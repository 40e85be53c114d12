"""The evidence that is frozen with a snapshot: the strongest shared entities, for and against."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from graph.canonical import canonical_json


@dataclass(frozen=True)
class FrozenEntity:
    """An entity that an account shared with other members; times are ISO 8601 in UTC, or null."""

    trace: str
    family: str
    entity_type: str
    entity_id: str
    co_actions: int
    first_at: str | None
    last_at: str | None
    direction: Literal["for", "against"] = "for"


def frozen(entities: Iterable[FrozenEntity]) -> str:
    """Entities as the text that SNAPSHOTS keeps in `evidence`."""
    return canonical_json([asdict(entity) for entity in entities])


def thawed(text: str | None) -> list[FrozenEntity]:
    """The entities of such a text; none where there is no text."""
    return [FrozenEntity(**entry) for entry in json.loads(text or "[]")]
