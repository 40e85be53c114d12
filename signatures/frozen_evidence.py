"""What was frozen of an account when it was judged: the column `evidence` of SNAPSHOTS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from graph.canonical import canonical_json


@dataclass(frozen=True)
class SharedEntity:
    """An entity that links an account to members of its network; times are ISO 8601 in UTC."""

    trace: str
    family: str
    entity_type: str
    entity_id: str
    members: int
    co_actions: int
    rarity: float
    first_at: str
    last_at: str


@dataclass(frozen=True)
class FrozenEvidence:
    """What speaks for a decision: the strongest entities; and against it: reasons in words."""

    shared: Sequence[SharedEntity] = ()
    against: Sequence[str] = ()

    @cached_property
    def families(self) -> list[str]:
        """The families of traces that speak for the decision."""
        return sorted({entity.family for entity in self.shared})

    def text(self) -> str:
        """The evidence as SNAPSHOTS keeps it."""
        shared = [asdict(entity) for entity in self.shared]
        return canonical_json({"for": shared, "against": list(self.against)})


def read_evidence(text: str | None) -> FrozenEvidence:
    """The evidence of such a text; none where there is no text."""
    if text is None:
        return FrozenEvidence()
    content = json.loads(text)
    shared = [SharedEntity(**entity) for entity in content["for"]]
    return FrozenEvidence(shared, content["against"])
