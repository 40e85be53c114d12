"""The files of a batch, declared once: JSON Schemas, CSV header and checks come from here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa

SCHEMA_VERSION = 1

BATCH_ID = "^[0-9]{8}-[a-z0-9-]+$"
HASH = "^[0-9a-f]{64}$"
TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"

ACTIONS = (
    "challenge",
    "remove_engagement",
    "limit_reach",
    "suspend",
    "terminate",
    "secure_account",
)
RESTRICTIONS = ("remove_engagement", "limit_reach", "suspend", "terminate")
"""What takes something from a person; a challenge does not, and securing an account helps."""
OPERATIONS = ("apply", "reverse")
ROLES = ("actor", "compromised")
"""Of the subject roles, those that anything may be done to."""
ROUTES = ("calibrated", "investigated")
ENVIRONMENTS = ("demo", "shadow", "production")

Kind = Literal["text", "texts", "integer", "number", "flag"]

ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "integer": pa.int64(),
    "number": pa.float64(),
    "flag": pa.bool_(),
}
JSON_TYPE = {"text": "string", "integer": "integer", "number": "number", "flag": "boolean"}


@dataclass(frozen=True)
class Field:
    """A column of a file: texts are never empty; null only where it is said."""

    name: str
    meaning: str
    kind: Kind = "text"
    nullable: bool = False
    values: tuple[str, ...] = ()
    pattern: str | None = None
    least: int | None = None
    most: int | None = None

    @property
    def arrow(self) -> pa.Field:
        """The column as readers of JSON lines hold it."""
        return pa.field(self.name, ARROW[self.kind])

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the value."""
        one: dict[str, Any] = {"type": JSON_TYPE.get(self.kind, "string")}
        if one["type"] == "string":
            one["minLength"] = 1
        if self.values:
            one["enum"] = list(self.values)
        if self.pattern:
            one["pattern"] = self.pattern
        if self.least is not None:
            one["minimum"] = self.least
        if self.most is not None:
            one["maximum"] = self.most
        value = {"type": "array", "items": one} if self.kind == "texts" else one
        described = {**value, "description": self.meaning}
        if not self.nullable:
            return described
        return {"anyOf": [value, {"type": "null"}], "description": self.meaning}


@dataclass(frozen=True)
class RowFile:
    """A file of JSON lines, one row each, all fields in their order."""

    name: str
    grain: str
    fields: tuple[Field, ...]
    unique: tuple[tuple[str, ...], ...]

    @cached_property
    def names(self) -> list[str]:
        """The fields' names in their order."""
        return [field.name for field in self.fields]

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns as readers of JSON lines hold them."""
        return pa.schema([field.arrow for field in self.fields])

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of one line."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"{self.name}: {self.grain}",
            "type": "object",
            "properties": {field.name: field.schema() for field in self.fields},
            "required": self.names,
            "additionalProperties": False,
        }


VERSION_FIELD = Field(
    "schema_version",
    "Version of this form",
    "integer",
    least=SCHEMA_VERSION,
    most=SCHEMA_VERSION,
)
BATCH_FIELD = Field("batch_id", "The batch that this row is in", pattern=BATCH_ID)

ACCOUNTS = RowFile(
    "accounts.jsonl",
    "what is to be done to an account under a policy",
    (
        VERSION_FIELD,
        BATCH_FIELD,
        Field("row_id", "Number of the row in the batch, from 1", "integer", least=1),
        Field("operation", "Carry the action out, or take it back", values=OPERATIONS),
        Field("decision_id", "What is carried out; `actorgraph explain` tells why", pattern=HASH),
        Field("idempotency_key", "Acting twice on one key acts once", pattern=HASH),
        Field(
            "retracts_idempotency_key",
            "The key that a reversal takes back, whether or not it has arrived",
            nullable=True,
            pattern=HASH,
        ),
        Field(
            "restores_to",
            "The action that stands after a reversal: none, or a lighter one",
            nullable=True,
            values=("none", *ACTIONS),
        ),
        Field("account_id", "The account, always as text"),
        Field("network_id", "The network that it was judged in"),
        Field("subject_role", "What the account was in the network", values=ROLES),
        Field("action", "What to do, or to take back", values=ACTIONS),
        Field(
            "restriction_ends_at",
            "When it ends; null: indefinite, and in a reversal",
            nullable=True,
            pattern=TIME,
        ),
        Field("policy_id", "The policy that was broken"),
        Field("policy_version", "The policy's version"),
        Field("route", "Measured signature, or people's verdicts", values=ROUTES),
        Field("signature_ids", "The signatures that matched, by uuid", "texts"),
        Field(
            "precision_lower",
            "Lower bound (95 %) of the share of accounts for which the signature is right, as "
            "measured when the batch was made; evidence has what was known at the judgement. Null "
            "where people decided",
            "number",
            nullable=True,
            least=0,
            most=1,
        ),
        Field("reason_code", "Key of the reason's template"),
        Field("reason_text", "The reason in plain words, for a notice"),
        Field("evidence_ref", "Where the evidence is: file and decision_id"),
        Field("first_seen_at", "First shared action of the evidence", nullable=True, pattern=TIME),
        Field("last_seen_at", "Last shared action of the evidence", nullable=True, pattern=TIME),
        Field("market", "The account's market", nullable=True),
        Field(
            "reviewer",
            "Who proposed it after a look at the network; null: a program did",
            nullable=True,
        ),
        Field("reviewed_at", "When that was", nullable=True, pattern=TIME),
        Field("automated_detection", "Whether a program found it", "flag"),
        Field(
            "automated_decision",
            "fully: a program decided, and people approved it without a look at each network",
            values=("fully", "partially", "not_automated"),
        ),
        Field("valid_until", "Refuse the row after this time", pattern=TIME),
        Field("snapshot_sha256", "The members and evidence that were judged", pattern=HASH),
    ),
    unique=(("account_id", "policy_id"),),
)

NETWORKS = RowFile(
    "networks.jsonl",
    "network of which accounts are in the batch",
    (
        VERSION_FIELD,
        BATCH_FIELD,
        Field("network_id", "The network"),
        Field("accounts", "Its accounts in this batch", "integer", least=1),
        Field("members", "All of its members when it was judged", "integer", nullable=True),
        Field("families", "Kinds of traces in the evidence", "texts"),
        Field("signature_ids", "The signatures that matched, by uuid", "texts"),
        Field("signatures", "Their titles", "texts"),
        Field("reason_text", "Why, in plain words"),
        Field(
            "against",
            "What speaks for accounts of it, in plain words, each with how many of the accounts in "
            "this batch it was frozen of",
            "texts",
        ),
        Field(
            "not_counted",
            "What says nothing of the accounts and was not counted when they were judged, in plain "
            "words, with the same numbers",
            "texts",
        ),
        Field("first_at", "First shared action", nullable=True, pattern=TIME),
        Field("last_at", "Last shared action", nullable=True, pattern=TIME),
    ),
    unique=(("network_id",),),
)

EVIDENCE = RowFile(
    "evidence.jsonl",
    "shared entity or fact that speaks for or against a decision",
    (
        Field("decision_id", "The decision", pattern=HASH),
        Field("account_id", "Its account"),
        Field("trace", "The kind of co-action; null: the text says it all", nullable=True),
        Field("family", "The trace's family", nullable=True),
        Field("entity_type", "What was shared", nullable=True),
        Field(
            "entity_ref",
            "The entity; devices, addresses and sensitive content as keyed HMACs",
            nullable=True,
        ),
        Field(
            "members",
            "Other members at the core of the network that the entity links the account to; the "
            "account itself is not among them",
            "integer",
            nullable=True,
            least=0,
        ),
        Field(
            "co_actions",
            "Pairs of an event of the account and one of such a member, both with the entity and, "
            "where the trace has a window, at most that far apart; without one 10 events of the "
            "account and 20 of a member are 200 pairs",
            "integer",
            nullable=True,
            least=0,
        ),
        Field(
            "one_in",
            "How common the entity is: of the accounts that the trace looks at, about one in so "
            "many was seen with it",
            "integer",
            nullable=True,
            least=1,
        ),
        Field("first_at", "First event of these pairs", nullable=True, pattern=TIME),
        Field("last_at", "Last event of these pairs", nullable=True, pattern=TIME),
        Field(
            "direction",
            "Whether it speaks for the decision, against it, or says nothing of the account and "
            "was not counted",
            values=("for", "against", "not_counted"),
        ),
        Field(
            "text",
            "The same in plain words; alone, what the account's role or the signature rests on, "
            "what kept a program from proposing it, or what was not counted",
        ),
    ),
    unique=(),
)

ROW_FILES = (ACCOUNTS, NETWORKS, EVIDENCE)
CSV_NAME = "accounts.csv"
INTERNAL = "internal"
"""The folder in a batch of what must not leave the platform."""
MANIFEST_NAME = "manifest.json"
SUMS_NAME = "SHA256SUMS"
