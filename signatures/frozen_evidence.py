"""What was frozen of an account when it was judged: the column `evidence` of SNAPSHOTS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from graph.canonical import canonical_json

IN_WORDS = ("against", "role", "grounds", "not_counted")
"""What is frozen beside the entities; before the last three were, `against` had all of it."""


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
    """What was known of an account when it was judged.

    For a decision speak the strongest entities, what its role rests on, and the grounds of the
    signature that matched its network; against it, what keeps scoring from proposing it. What says
    nothing of the account, e.g. that a signature is not measured or that it used hubs, was not
    counted. All but the entities are in words.
    """

    shared: Sequence[SharedEntity] = ()
    against: Sequence[str] = ()
    role: Sequence[str] = ()
    grounds: Sequence[str] = ()
    not_counted: Sequence[str] = ()

    @cached_property
    def families(self) -> list[str]:
        """The families of traces that speak for the decision."""
        return sorted({entity.family for entity in self.shared})

    def text(self) -> str:
        """The evidence as SNAPSHOTS keeps it."""
        shared = [asdict(entity) for entity in self.shared]
        told = {name: list(getattr(self, name)) for name in IN_WORDS}
        return canonical_json({"for": shared, **told})


def read_evidence(text: str | None) -> FrozenEvidence:
    """The evidence of such a text; none where there is no text."""
    if text is None:
        return FrozenEvidence()
    content = json.loads(text)
    shared = [SharedEntity(**entity) for entity in content["for"]]
    told = {name: content[name] for name in IN_WORDS if name in content}
    return FrozenEvidence(shared, **told)
