"""The rows of a batch's files, made from decisions and the evidence that was frozen with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from exporters.enforcement.fields import EVIDENCE, SCHEMA_VERSION
from exporters.enforcement.keyed import reference
from exporters.enforcement.wording import Wording
from graph.canonical import canonical_sha256
from signatures.frozen_evidence import FrozenEvidence

AUTOMATED_DECISION = {"calibrated": "fully", "investigated": "not_automated"}
"""By route: what is approved in bulk, without a look at each network, a program has decided."""

NOTHING = dict.fromkeys(EVIDENCE.names)
"""A row of `evidence` of which only a sentence is known."""

APPLY, REVERSE = "apply", "reverse"


def idempotency_key(decision_id: str, operation: str) -> str:
    """What makes a repeated delivery act once."""
    return canonical_sha256({"decision_id": decision_id, "operation": operation})


def iso(at: datetime | None) -> str | None:
    """A time as rows have it, to the second."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Decided:
    """A decision that is to leave: its ledger row, members and evidence, and who reviewed it."""

    row: Mapping[str, Any]
    evidence: FrozenEvidence
    members: int | None = None
    reviewer: str | None = None
    reviewed_at: datetime | None = None
    restores_to: str = "none"
    followers: int | None = None


@dataclass(frozen=True)
class RowMaker:
    """What all rows of a batch have in common."""

    batch_id: str
    operation: str
    created_at: datetime
    valid_until: datetime
    wording: Wording
    key: bytes
    precision: Mapping[str, float]  # lower bound of account precision, by signature
    titles: Mapping[str, str]  # by signature
    tags: Mapping[str, Sequence[str]]  # by signature
    sensitive: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def valid_until_text(self) -> str | None:
        """`valid_until` as rows have it."""
        return iso(self.valid_until)

    def account(self, decided: Decided, number: int) -> dict[str, Any]:
        """The row of `accounts` of a decision."""
        row, families = decided.row, decided.evidence.families
        ends = row["duration_s"]
        reverse = self.operation == REVERSE
        return {
            "schema_version": SCHEMA_VERSION,
            "batch_id": self.batch_id,
            "row_id": number,
            "operation": self.operation,
            "decision_id": row["decision_id"],
            "idempotency_key": idempotency_key(row["decision_id"], self.operation),
            "retracts_idempotency_key": (
                idempotency_key(row["decision_id"], APPLY) if reverse else None
            ),
            "restores_to": decided.restores_to if reverse else None,
            "account_id": row["account_id"],
            "network_id": row["network_id"],
            "subject_role": row["subject_role"],
            "action": row["action"],
            "restriction_ends_at": (
                None if ends is None else iso(self.created_at + timedelta(seconds=ends))
            ),
            "policy_id": row["policy_id"],
            "policy_version": self.wording.policy(row["policy_id"]).version,
            "route": row["route"],
            "signature_ids": sorted(row["signature_ids"] or ()),
            "precision_lower": self._precision(row["signature_ids"] or ()),
            "reason_code": self.wording.reason_code(row["policy_id"], row["action"]),
            "reason_text": self.wording.reason(
                row["policy_id"], row["action"], decided.members or 1, families
            ),
            "evidence_ref": f"{EVIDENCE.name}#{row['decision_id']}",
            "first_seen_at": first_seen_at(decided.evidence),
            "last_seen_at": last_seen_at(decided.evidence),
            "market": row["market"] or None,
            "reviewer": decided.reviewer,
            "reviewed_at": iso(decided.reviewed_at),
            "automated_detection": True,
            "automated_decision": AUTOMATED_DECISION[row["route"]],
            "valid_until": self.valid_until_text,
            "snapshot_sha256": row["snapshot_sha256"],
        }

    def evidence(self, decided: Decided) -> Iterator[dict[str, Any]]:
        """The rows of `evidence` of a decision."""
        subject = {
            "decision_id": decided.row["decision_id"],
            "account_id": decided.row["account_id"],
        }
        for entity in decided.evidence.shared:
            kind, name = entity.entity_type, entity.entity_id
            yield {
                **subject,
                "trace": entity.trace,
                "family": entity.family,
                "entity_type": kind,
                "entity_ref": reference(self.key, kind, name, (kind, name) in self.sensitive),
                "members": entity.members,
                "co_actions": entity.co_actions,
                "first_at": _to_second(entity.first_at),
                "last_at": _to_second(entity.last_at),
                "direction": "for",
                "text": self.wording.evidence(entity.family),
            }
        for text in decided.evidence.against:
            told = self.wording.against(text)
            yield {**NOTHING, **subject, "direction": "against", "text": told}

    def _precision(self, signature_ids: Sequence[str]) -> float | None:
        """The highest of the signatures' lower bounds: one that is right is enough."""
        return max((self.precision[one] for one in signature_ids if one in self.precision),
                   default=None)  # fmt: skip


@dataclass
class NetworkRow:
    """A network's row, gathered over its accounts in a batch."""

    network_id: str
    members: int | None
    accounts: int = 0
    families: set[str] = field(default_factory=set)
    signatures: set[str] = field(default_factory=set)
    against: set[str] = field(default_factory=set)
    first_at: str | None = None
    last_at: str | None = None
    policy_id: str = ""
    action: str = ""

    def add(self, decided: Decided, account: Mapping[str, Any]) -> None:
        """Count an account in, by its decision and its row."""
        self.accounts += 1
        self.policy_id, self.action = decided.row["policy_id"], decided.row["action"]
        self.families.update(decided.evidence.families)
        self.signatures.update(decided.row["signature_ids"] or ())
        self.against.update(decided.evidence.against)
        first, last = account["first_seen_at"], account["last_seen_at"]
        self.first_at = min(filter(None, (self.first_at, first)), default=None)
        self.last_at = max(filter(None, (self.last_at, last)), default=None)

    def row(self, maker: RowMaker) -> dict[str, Any]:
        """The row of `networks`."""
        families = sorted(self.families)
        names = sorted(self.signatures)
        return {
            "schema_version": SCHEMA_VERSION,
            "batch_id": maker.batch_id,
            "network_id": self.network_id,
            "accounts": self.accounts,
            "members": self.members,
            "families": families,
            "signature_ids": names,
            "signatures": [maker.titles.get(name, name) for name in names],
            "reason_text": maker.wording.reason(
                self.policy_id, self.action, self.members or self.accounts, families
            ),
            "not_counted": sorted(map(maker.wording.against, self.against)),
            "first_at": self.first_at,
            "last_at": self.last_at,
        }


def stage_share(decision_id: str) -> float:
    """Where a decision stands in a staged release, in [0, 1): the same in every batch."""
    return int(hashlib.sha256(f"stage {decision_id}".encode()).hexdigest()[:8], 16) / 2**32


def _to_second(text: str | None) -> str | None:
    if text is None or not text.endswith(("Z", "+00:00")):
        return None if text is None else iso(datetime.fromisoformat(text))
    return f"{text[:19]}Z"


def first_seen_at(evidence: FrozenEvidence) -> str | None:
    """The first shared action, to the second; None where nothing is shared."""
    return _to_second(min((entity.first_at for entity in evidence.shared), default=None))


def last_seen_at(evidence: FrozenEvidence) -> str | None:
    """The last shared action, to the second; None where nothing is shared."""
    return _to_second(max((entity.last_at for entity in evidence.shared), default=None))
