"""The investigators' database, declared once: its nodes, relationships, captions and colours.

Constraints, load statements, clean-up, the Browser style and the schema page come from here. An
entity type of graph/entities brings its label and its relationship by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graph.entities import ENTITY_TYPES
from graph.entity import EntityType

SCHEMA_VERSION = 2
"""Rises when a database written before must be loaded anew."""

Kind = Literal[
    "string", "integer", "float", "boolean", "datetime", "date", "strings", "integers", "floats"
]
GONE = "gone"
LOADED = "loaded"


@dataclass(frozen=True)
class Property:
    """A property, its type, and whether investigators search by it."""

    name: str
    kind: Kind
    meaning: str
    indexed: bool = False


@dataclass(frozen=True)
class NodeKind:
    """A label: one node per `id`. `caption` is a property; sizes are pixels in Browser."""

    label: str
    meaning: str
    properties: tuple[Property, ...]
    caption: str
    color: str
    diameter: int = 50
    lost: tuple[str, ...] = ()  # properties that say nothing of what is gone

    @property
    def name(self) -> str:
        """What the kind is called in messages and records."""
        return self.label


@dataclass(frozen=True)
class RelationshipKind:
    """A relationship type between two labels, at most one for each pair of nodes.

    `caption` is a property, or `<type>`, or nothing where captions would hide the picture.
    """

    type: str
    start: str
    end: str
    meaning: str
    properties: tuple[Property, ...]
    caption: str
    color: str = "#A5ABB6"
    width: int = 1

    @property
    def name(self) -> str:
        """What the kind is called in messages and records."""
        return f"{self.start}_{self.type}_{self.end}"


SURPRISE = "decimal digits: 6 is at most one in a million by chance, 0 is no more than chance"

SEEN = (
    Property("first_seen_at", "datetime", "first sighting in the look-back"),
    Property("last_seen_at", "datetime", "last sighting in the look-back"),
    Property("events", "integer", "events in the look-back"),
)

ACCOUNT = NodeKind(
    label="Account",
    meaning="An account of the platform.",
    caption="id",
    color="#4C8EDA",
    diameter=70,
    lost=("verdict", "decision_state", "enforced"),
    properties=(
        *SEEN,
        Property("degree", "integer", "distinct entities that it was seen with"),
        Property("market", "string", "where it is active, if known"),
        Property("decision_state", "string", "state of its latest decision"),
        Property(
            "enforced", "boolean", "an action against it stands; securing it is none", indexed=True
        ),
        Property(
            "verdict",
            "string",
            "of pulled verdicts: abusive, benign, mixed, unsure; its role where its network is "
            "called abusive and it is no actor there; reversed where that was acted on and taken "
            "back since",
        ),
    ),
)

NETWORK = NodeKind(
    label="Network",
    meaning="Accounts that act together.",
    caption="name",
    color="#C62828",
    diameter=100,
    lost=("verdict", "unreviewed_accounts", "proposed_accounts", "enforced_accounts"),
    properties=(
        Property("name", "string", "its signature, or its traces, and its size"),
        Property("accounts", "integer", "members, as it was found", indexed=True),
        Property("forgotten_accounts", "integer", "of these, forgotten since: no node is left"),
        Property("core_accounts", "integer", "members of the core"),
        Property("links", "integer", "pairs of members that are linked"),
        Property("density", "float", "share of the possible links that exist"),
        Property("traces", "strings", "how its members are linked"),
        Property("trace_pairs", "integers", "of each of `traces`: pairs of members it links"),
        Property("trace_surprises", "floats", f"of each, its most surprising pair: {SURPRISE}"),
        Property("families", "strings", "families of these traces"),
        Property("first_at", "datetime", "of the links inside"),
        Property("last_at", "datetime", "of the links inside"),
        Property("days", "strings", "on which members acted together, and how many"),
        Property("lineage", "strings", "older ids that flowed into it"),
        Property("likelihood", "float", "that its accounts are abusive"),
        Property("calibrated", "boolean", "whether the likelihood is measured"),
        Property("harm", "float", "0 to 1"),
        Property("priority", "float", "likelihood times harm", indexed=True),
        Property("signature", "string", "title of the top signature"),
        Property("action", "string", "the heaviest that is proposed or in force"),
        Property("disposition", "string", "propose, review, monitor, explained", indexed=True),
        Property("reasons", "strings", "why it was judged so"),
        Property("changes", "strings", "what happened since the day before"),
        Property("changed", "boolean", "something happened since then", indexed=True),
        Property("proposed_accounts", "integer", "members proposed, or with an action"),
        Property(
            "enforced_accounts",
            "integer",
            "members with a standing action against them",
            indexed=True,
        ),
        Property(
            "verdict",
            "string",
            "of its members: abusive, benign, reversed, mixed, unsure, unreviewed",
        ),
        Property("unreviewed_accounts", "integer", "members without a verdict, e.g. who joined"),
        Property("snapshot", "string", "hash of its members and evidence as they were frozen"),
    ),
)

SIGNATURE = NodeKind(
    label="Signature",
    meaning="A kind of abuse, or of innocent life that looks like it.",
    caption="title",
    color="#F9A825",
    diameter=65,
    properties=(
        Property("title", "string", "its name", indexed=True),
        Property("benign", "boolean", "explains a network away"),
        Property("mode", "string", "shadow or live"),
        Property("status", "string", "experimental, test, stable"),
        Property("level", "string", "how severe"),
    ),
)

JUDGEMENT = NodeKind(
    label="Judgement",
    meaning=(
        "What somebody said, as the ledger of labels has it: in this database, in a file, in a "
        "sample that was not blind, or on appeal. A verdict of this database stands here too once "
        "it is pulled, with the same id."
    ),
    caption="label",
    color="#AED581",
    diameter=40,
    properties=(
        Property("subject_type", "string", "network or account"),
        Property("subject_id", "string", "its id at that time"),
        Property("label", "string", "abusive, benign or unsure; withdrawn takes one back"),
        Property("source", "string", "sample, investigation, appeal, report, external"),
        Property("reason", "string", "why"),
        Property("reviewer", "string", "who judged"),
        Property("reviewed_at", "datetime", "when"),
        Property("policy_id", "string", "which rule is broken"),
        Property("supersedes", "string", "the judgement that this one replaces"),
        Property("holds", "boolean", "not withdrawn, replaced or expired when it was loaded"),
    ),
)

ENTITY_PROPERTIES = (
    *SEEN,
    Property("degree", "integer", "distinct accounts seen with it, on the whole platform"),
    Property("is_hub", "boolean", "too popular to link anybody", indexed=True),
    Property("hub_reason", "string", "why it is a hub"),
    Property("suspicious", "string", "why a hub looks planted", indexed=True),
    Property("ip_network", "string", "of an address: the network it is in"),
    Property("ip_kind", "string", "of an address: residential, mobile, hosting, ..."),
    Property("masked", "boolean", "flagged as sensitive: its id is not shown"),
)

PALETTE = ("#8D6E63", "#26A69A", "#7E57C2", "#66BB6A", "#EC407A", "#5C6BC0", "#9CCC65", "#FFA726")


def _entity_node(entity: EntityType, color: str) -> NodeKind:
    return NodeKind(
        label=entity.label,
        meaning=f"What accounts share: {entity.name.replace('_', ' ')}.",
        properties=ENTITY_PROPERTIES,
        caption="id",
        color=color,
        diameter=60,
    )


def _entity_relationship(entity: EntityType) -> RelationshipKind:
    return RelationshipKind(
        type=entity.relationship,
        start=ACCOUNT.label,
        end=entity.label,
        meaning=f"The account was seen with this {entity.name.replace('_', ' ')}.",
        properties=(
            *SEEN,
            Property("active_days", "integer", "days of the look-back with an event"),
        ),
        caption="events",
    )


ENTITY_NODES = {
    entity.name: _entity_node(entity, PALETTE[place % len(PALETTE)])
    for place, entity in enumerate(ENTITY_TYPES)
}
"""The node kind of each entity type, by the type's name."""

ENTITY_RELATIONSHIPS = {entity.name: _entity_relationship(entity) for entity in ENTITY_TYPES}
"""The relationship kind of each entity type, by the type's name."""

LINKED_TO = RelationshipKind(
    type="LINKED_TO",
    start="Account",
    end="Account",
    meaning="The accounts acted together; from the smaller id to the larger.",
    caption="",
    color="#90CAF9",
    width=2,
    properties=(
        Property("weight", "float", "strength, over all traces"),
        Property("traces", "strings", "how they are linked"),
        Property("families", "strings", "families of these traces"),
        Property("co_actions", "integer", "pairs of events"),
        Property("entities", "integer", "distinct shared entities"),
        Property("surprises", "floats", f"of each of `traces`: {SURPRISE}"),
        Property("first_at", "datetime", "first co-action"),
        Property("last_at", "datetime", "last co-action"),
        Property("evidence", "strings", "the strongest shared entities, with times"),
    ),
)

MEMBER_OF = RelationshipKind(
    type="MEMBER_OF",
    start="Account",
    end="Network",
    meaning="The account is in the network.",
    caption="role",
    color="#E57373",
    properties=(
        Property("strength", "float", "sum of its link weights to members"),
        Property("linked_members", "integer", "members that it is linked with"),
        Property("is_core", "boolean", "firmly linked to several of the core"),
        Property("joined_on", "date", "since when each run found it inside, without a break"),
        Property("role", "string", "actor, compromised, target, originator, bystander"),
        Property("role_reasons", "strings", "why it has the role"),
        Property("included", "boolean", "it is proposed, or an action against it stands"),
        Property("action", "string", "which action, or which would be proposed"),
        Property("decision", "string", "state of what was decided on it in this network, if so"),
        Property("reasons", "strings", "why it is left out"),
        Property("overridden", "strings", "innocent explanations that match: who overrode, why"),
        Property("sample", "string", "who accepted a sample that lets it through, if so, and when"),
    ),
)

FINDING = (
    Property("mode", "string", "shadow findings count for nothing"),
    Property("selections", "strings", "the parts of the signature that hold"),
    Property("inauthentic", "strings", "what they show beyond coordination"),
    Property("reasons", "strings", "with the subject's own values"),
)

MATCHED = RelationshipKind(
    "MATCHED", "Network", "Signature", "The signature matches.", FINDING, "mode", "#F9A825", 2
)
ACCOUNT_MATCHED = RelationshipKind(
    "MATCHED", "Account", "Signature", "The signature matches.", FINDING, "mode", "#F9A825", 2
)

JUDGED_BY = RelationshipKind(
    "JUDGED_BY",
    "Network",
    "Judgement",
    "It was said of the network, or of accounts that are its members now.",
    (Property("members", "integer", "members of today that it is about"),),
    "",
    "#AED581",
)
ACCOUNT_JUDGED_BY = RelationshipKind(
    "JUDGED_BY", "Account", "Judgement", "It was said of the account alone.", (), "", "#AED581"
)

SUCCEEDS = RelationshipKind(
    "SUCCEEDS",
    "Network",
    "Network",
    "The older network flowed into this one.",
    (),
    "",
    "#757575",
    2,
)

NODES = (ACCOUNT, *ENTITY_NODES.values(), SIGNATURE, JUDGEMENT, NETWORK)
"""What is loaded, in this order."""

RELATIONSHIPS = (
    *ENTITY_RELATIONSHIPS.values(),
    LINKED_TO,
    MEMBER_OF,
    MATCHED,
    ACCOUNT_MATCHED,
    JUDGED_BY,
    ACCOUNT_JUDGED_BY,
    SUCCEEDS,
)

WORK = (
    Property("owner", "string", "who works on the network", indexed=True),
    Property("review_state", "string", "open, waiting or done"),
    Property("due_on", "date", "by when"),
)
"""What investigators write on networks; no load touches it."""

VERDICT = NodeKind(
    label="Verdict",
    meaning="An investigator's judgement; only ever added.",
    caption="label",
    color="#2E7D32",
    diameter=45,
    properties=(
        Property("subject_type", "string", "network or account"),
        Property("subject_id", "string", "its id"),
        Property("label", "string", "abusive, benign or unsure; withdrawn takes one back"),
        Property("reason", "string", "why"),
        Property("reviewer", "string", "who judged"),
        Property("reviewed_at", "datetime", "when"),
        Property("ds", "date", "the day whose members were seen"),
        Property("abuse_type", "string", "which kind of abuse"),
        Property("policy_id", "string", "which rule is broken"),
        Property("members", "strings", "the accounts that are judged, as of that moment"),
        Property("snapshot", "string", "hash of what the reviewer saw, where it was frozen"),
        Property("supersedes", "string", "the verdict that this one replaces"),
    ),
)

NOTE = NodeKind(
    label="Note",
    meaning="An investigator's remark.",
    caption="text",
    color="#90A4AE",
    diameter=35,
    properties=(
        Property("text", "string", "the remark"),
        Property("author", "string", "who wrote it"),
        Property("written_at", "datetime", "when"),
    ),
)

INVESTIGATORS = (VERDICT, NOTE)
"""What people add; nothing here changes or deletes it."""

ON = RelationshipKind("ON", "Verdict", "Network", "What it is about.", (), "<type>", "#2E7D32", 2)
