"""The rows of a batch's files, made from decisions and the evidence that was frozen with them."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from functools import cached_property
from typing import Any

from exporters.enforcement.fields import EVIDENCE, SCHEMA_VERSION
from exporters.enforcement.keyed import reference
from exporters.enforcement.wording import TAKEN_BACK, Wording
from graph.canonical import canonical_sha256
from signatures.frozen_evidence import FrozenEvidence

AUTOMATED_DECISION = {"calibrated": "fully", "investigated": "not_automated"}
"""By route: what is approved in bulk, without a look at each network, a program has decided.

To say `partially` would claim more care for the person than anybody took.
"""

NOTHING = dict.fromkeys(EVIDENCE.names)
"""A row of `evidence` of which only a sentence is known."""

APPLY, REVERSE = "apply", "reverse"

OVERTURNED, PARTIAL = "overturned", "partial"
"""Outcomes of appeals after which a decision is taken back."""


def idempotency_key(decision_id: str, operation: str) -> str:
    """What makes a repeated delivery act once."""
    return canonical_sha256({"decision_id": decision_id, "operation": operation})


def iso(at: datetime | None) -> str | None:
    """A time as rows have it, to the second."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def deciding_signatures(row: Mapping[str, Any]) -> Sequence[str]:
    """The signatures on which a decision rests; none where people decided (investigated).

    What is measured or known of a signature that only matches, too, says nothing of their verdicts.
    """
    named: Sequence[str] | None = row["signature_ids"] if row["route"] == "calibrated" else None
    return named or ()


@dataclass(frozen=True)
class Decided:
    """A decision that is to leave: its ledger row, members and evidence, and who reviewed it.

    `members` are all of the network when it was judged, `alike` those of them that had the subject
    role of the account, itself among them; None where the snapshot is not known any more.

    One that `stands` does not leave: it is in force beside what a reversal takes back, and formats
    that speak of several accounts at once go on to speak of it. `on_appeal`: one person decided on
    it, instead of a heavier action, who heard the appeal against that.
    """

    row: Mapping[str, Any]
    evidence: FrozenEvidence
    members: int | None = None
    alike: int | None = None
    reviewer: str | None = None
    reviewed_at: datetime | None = None
    restores_to: str = "none"
    followers: int | None = None
    stands: bool = False
    on_appeal: bool = False


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
    reason: str | None = None  # why a reversal was ordered
    stage: str | None = None  # e.g. `2 of 3`; None for a whole batch
    origins: Mapping[str, str | None] = field(default_factory=dict)  # of a stage's networks
    carriers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)  # of appeals, by decision_id
    samples: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By account and network: what is said of an accepted sample that let the account through."""

    def carried_by(self, decided: Decided) -> Sequence[str]:
        """The batches that carried what is taken back, more than one after a try that failed.

        `carriers` has them by decision_id; of others the ledger's row tells the only one.
        """
        last: str = decided.row["batch_id"]
        return self.carriers.get(decided.row["decision_id"], (last,))

    @cached_property
    def valid_until_text(self) -> str | None:
        """`valid_until` as rows have it."""
        return iso(self.valid_until)

    def account(self, decided: Decided, number: int) -> dict[str, Any]:
        """The row of `accounts` of a decision."""
        row, families = decided.row, decided.evidence.families
        reverse = self.operation == REVERSE
        ends = None if reverse else row["duration_s"]
        code = TAKEN_BACK if reverse else self.reason_code(row)
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
            "precision_lower": self._precision(row),
            "reason_code": code,
            "reason_text": self._reason_text(decided, code, families),
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

    def automated(self, decided: Decided) -> str:
        """How it was decided, as a sentence."""
        how = AUTOMATED_DECISION[decided.row["route"]]
        return self.wording.automated("on_appeal" if decided.on_appeal else how)

    def _reason_text(self, decided: Decided, code: str, families: Iterable[str]) -> str:
        row, why = decided.row, self.reason
        if outcome := self.outcomes.get(row["decision_id"]):
            why = self.wording.appeal(outcome)
        text = self.wording.reason(code, row["policy_id"], decided.alike or 1, families, why)
        if decided.on_appeal and self.operation == APPLY:
            return self.wording.appeal("lighter", reason=text)
        return text

    def reason_code(self, row: Mapping[str, Any]) -> str:
        """The key of the sentence for a decision that is carried out."""
        return self.wording.reason_code(row["policy_id"], row["action"])

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
                "one_in": (one_in := round(math.exp(entity.rarity))),
                "first_at": _to_second(entity.first_at),
                "last_at": _to_second(entity.last_at),
                "direction": "for",
                "text": self.wording.evidence(entity.family, one_in),
            }
        role = map(self.wording.frozen, decided.evidence.role)
        for text in (*role, *self._grounds(decided), *self._sample(decided)):
            yield {**NOTHING, **subject, "direction": "for", "text": text}
        for direction in ("against", "not_counted"):
            for text in map(self.wording.frozen, getattr(decided.evidence, direction)):
                yield {**NOTHING, **subject, "direction": direction, "text": text}

    def _grounds(self, decided: Decided) -> Iterator[str]:
        """What the signature matched on, with the figures of the network.

        They are those of the first that matched; where people decided, several may be named.
        """
        titles = self.titled(decided.row["signature_ids"] or ())
        for text in decided.evidence.grounds:
            yield f"{titles[0]}: {text}" if len(titles) == 1 else text

    def _sample(self, decided: Decided) -> Iterator[str]:
        """That a sample let it through, where the rules alone would not have."""
        where = (decided.row["account_id"], decided.row["network_id"])
        if decided.row["route"] == "calibrated" and where in self.samples:
            yield self.wording.frozen(self.samples[where])

    def titled(self, signature_ids: Iterable[str]) -> list[str]:
        """The titles of signatures, in the order of their ids."""
        return [self.titles.get(name, name) for name in sorted(signature_ids)]

    def _precision(self, row: Mapping[str, Any]) -> float | None:
        """The highest of the signatures' lower bounds: one that is right is enough.

        Of a lower bound four digits are shown, and never more than was measured.
        """
        named = deciding_signatures(row)
        known = [self.precision[one] for one in named if one in self.precision]
        if not known:
            return None
        return float(Decimal(repr(max(known))).quantize(Decimal("0.0001"), ROUND_FLOOR))


@dataclass
class NetworkText:
    """What the sentence about accounts of one network and role rests on."""

    alike: int = 0
    accounts: int = 0
    families: set[str] = field(default_factory=set)
    policies: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)

    def add(self, decided: Decided, maker: RowMaker) -> None:
        """Count an account in."""
        self.accounts += 1
        self.alike = max(self.alike, decided.alike or 0)
        self.families.update(decided.evidence.families)
        self.policies.add(decided.row["policy_id"])
        self.codes.add(maker.reason_code(decided.row))

    def sentence(self, maker: RowMaker, taken_back: bool) -> str:
        """The sentence about them."""
        code = TAKEN_BACK if taken_back else min(self.codes)
        counts = self.accounts, max(self.alike, self.accounts)
        return maker.wording.network(code, self.policies, counts, self.families)


@dataclass
class NetworkRow:
    """A network's row, gathered over its accounts in a batch."""

    network_id: str
    members: int | None
    accounts: int = 0
    families: set[str] = field(default_factory=set)
    signatures: set[str] = field(default_factory=set)
    against: Counter[str] = field(default_factory=Counter)  # accounts, by what was frozen of them
    not_counted: Counter[str] = field(default_factory=Counter)
    first_at: str | None = None
    last_at: str | None = None
    texts: dict[str, NetworkText] = field(default_factory=dict)  # by role

    def add(self, decided: Decided, account: Mapping[str, Any], maker: RowMaker) -> None:
        """Count an account in, by its decision and its row."""
        self.accounts += 1
        self.texts.setdefault(decided.row["subject_role"], NetworkText()).add(decided, maker)
        self.families.update(decided.evidence.families)
        self.signatures.update(decided.row["signature_ids"] or ())
        self.against.update(set(decided.evidence.against))
        self.not_counted.update(set(decided.evidence.not_counted))
        first, last = account["first_seen_at"], account["last_seen_at"]
        self.first_at = min(filter(None, (self.first_at, first)), default=None)
        self.last_at = max(filter(None, (self.last_at, last)), default=None)

    def row(self, maker: RowMaker) -> dict[str, Any]:
        """The row of `networks`."""
        about = self.texts.get("actor") or next(iter(self.texts.values()))
        return {
            "schema_version": SCHEMA_VERSION,
            "batch_id": maker.batch_id,
            "network_id": self.network_id,
            "accounts": self.accounts,
            "members": self.members,
            "families": sorted(self.families),
            "signature_ids": sorted(self.signatures),
            "signatures": maker.titled(self.signatures),
            "reason_text": about.sentence(maker, taken_back=maker.operation == REVERSE),
            "against": self._counted(self.against, maker),
            "not_counted": self._counted(self.not_counted, maker),
            "first_at": self.first_at,
            "last_at": self.last_at,
        }

    def _counted(self, sentences: Counter[str], maker: RowMaker) -> list[str]:
        """Frozen sentences with their numbers of accounts, the most first."""
        ordered = sorted(sentences.items(), key=lambda item: (-item[1], item[0]))
        return [maker.wording.counted(text, n, self.accounts) for text, n in ordered]


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
