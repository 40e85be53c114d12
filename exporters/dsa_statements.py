"""Statements of reasons for the EU's transparency database (Digital Services Act, Article 24).

Files of at most 100 statements, which somebody submits; nothing is sent from here. No field holds
personal data: the facts come from a template, and the id of a statement is keyed, because everybody
can look whether a public id is the hash of an account. What is taken back is listed for correction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from exporters.enforcement.files import HashedFile
from exporters.enforcement.formats import Carried
from exporters.enforcement.keyed import keyed
from exporters.enforcement.manifest import Strict
from exporters.enforcement.rows import REVERSE, Decided, RowMaker
from exporters.enforcement.wording import Dsa

A_FILE = 100
"""Statements that the database takes at once."""

DECISIONS: Mapping[str, Mapping[str, Any]] = {
    "suspend": {"decision_account": "DECISION_ACCOUNT_SUSPENDED"},
    "terminate": {"decision_account": "DECISION_ACCOUNT_TERMINATED"},
    "limit_reach": {"decision_visibility": ["DECISION_VISIBILITY_CONTENT_DEMOTED"]},
    "remove_engagement": {
        "decision_visibility": ["DECISION_VISIBILITY_OTHER"],
        "decision_visibility_other": "Likes, follows and shares of the account were removed",
    },
}
"""What each restriction is called there; a challenge restricts nothing and is not reported."""

AUTOMATED = {
    "fully": "AUTOMATED_DECISION_FULLY",
    "partially": "AUTOMATED_DECISION_PARTIALLY",
    "not_automated": "AUTOMATED_DECISION_NOT_AUTOMATED",
}


Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
Puid = Annotated[str, Field(pattern="^[A-Za-z0-9_-]+$", max_length=500)]


class Statement(Strict):
    """A statement as the database checks it (StatementStoreRequest); what is absent is not said."""

    puid: Puid
    decision_account: (
        Literal["DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"] | None
    ) = None
    decision_visibility: (
        list[Literal["DECISION_VISIBILITY_CONTENT_DEMOTED", "DECISION_VISIBILITY_OTHER"]] | None
    ) = None
    decision_visibility_other: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    decision_ground: Literal["DECISION_GROUND_INCOMPATIBLE_CONTENT"]
    incompatible_content_ground: Annotated[str, Field(min_length=1, max_length=500)]
    incompatible_content_explanation: Annotated[str, Field(min_length=1, max_length=2000)]
    content_type: Annotated[list[Literal["CONTENT_TYPE_OTHER"]], Field(min_length=1)]
    content_type_other: Annotated[str, Field(min_length=1, max_length=500)]
    content_date: Day
    application_date: Day
    category: Annotated[str, Field(pattern="^STATEMENT_CATEGORY_[A-Z_]+$")]
    category_specification: list[Annotated[str, Field(pattern="^KEYWORD_[A-Z_]+$")]] | None = None
    decision_facts: Annotated[str, Field(min_length=1, max_length=5000)]
    source_type: Literal["SOURCE_VOLUNTARY"]
    automated_detection: Literal["Yes", "No"]
    automated_decision: Literal[
        "AUTOMATED_DECISION_FULLY",
        "AUTOMATED_DECISION_PARTIALLY",
        "AUTOMATED_DECISION_NOT_AUTOMATED",
    ]
    end_date_account_restriction: Day | None = None
    end_date_visibility_restriction: Day | None = None

    @model_validator(mode="after")
    def _restricts(self) -> Self:
        if self.decision_account is None and not self.decision_visibility:
            raise ValueError("a statement needs decision_account or decision_visibility")
        other = "DECISION_VISIBILITY_OTHER" in (self.decision_visibility or ())
        if other != (self.decision_visibility_other is not None):
            raise ValueError("decision_visibility_other goes with DECISION_VISIBILITY_OTHER")
        return self


class Statements(Strict):
    """A file of statements to be submitted at once."""

    statements: Annotated[list[Statement], Field(min_length=1, max_length=100)]


class Correction(Strict):
    """A statement that was submitted and does not hold any more."""

    puid: Puid
    correction: Literal["withdrawn"]
    corrected_on: Day


class Corrections(Strict):
    """A file of corrections."""

    corrections: Annotated[list[Correction], Field(min_length=1, max_length=100)]


def puid(key: bytes, decision_id: str) -> str:
    """The platform's unique id of a statement, the same in its correction."""
    return f"actorgraph-{keyed(key, 'puid', decision_id).partition(':')[2]}"


def statement(carried: Carried, dsa: Dsa, maker: RowMaker) -> dict[str, Any]:
    """The statement of one restriction; field names and values are the database's."""
    account = carried.account
    seen = account["last_seen_at"] or carried.decided.row["ds"].isoformat()
    how = maker.automated(carried.decided)
    told: dict[str, Any] = {
        "puid": puid(maker.key, account["decision_id"]),
        **DECISIONS[account["action"]],
        "decision_ground": dsa.decision_ground,
        "incompatible_content_ground": dsa.ground,
        "incompatible_content_explanation": dsa.explanation,
        "content_type": ["CONTENT_TYPE_OTHER"],
        "content_type_other": "Account",
        "content_date": seen[:10],
        "application_date": maker.created_at.date().isoformat(),
        "category": dsa.category,
        "decision_facts": f"{account['reason_text']} {how}",
        "source_type": "SOURCE_VOLUNTARY",
        "automated_detection": "Yes" if account["automated_detection"] else "No",
        "automated_decision": AUTOMATED[account["automated_decision"]],
    }
    if dsa.keywords:
        told["category_specification"] = list(dsa.keywords)
    if ends := account["restriction_ends_at"]:
        kind = "account" if "decision_account" in told else "visibility"
        told[f"end_date_{kind}_restriction"] = ends[:10]
    return told


class DsaStatements:
    """Writes `dsa_statements-00001.json`, ... or, of a retraction, `dsa_corrections-00001.json`."""

    def __init__(self, folder: Path, maker: RowMaker) -> None:
        self._folder = folder
        self._maker = maker
        self._waiting: list[dict[str, Any]] = []
        self._entries: list[dict[str, Any]] = []
        self._kind = "corrections" if maker.operation == REVERSE else "statements"

    def add(self, carried: Carried) -> None:
        """Take an account, if its restriction is one that is reported."""
        account = carried.account
        dsa = self._maker.wording.policy(account["policy_id"]).dsa
        if dsa is None or account["action"] not in DECISIONS:
            return
        if self._maker.operation == REVERSE:
            today = self._maker.created_at.date().isoformat()
            name = puid(self._maker.key, account["decision_id"])
            self._waiting.append({"puid": name, "correction": "withdrawn", "corrected_on": today})
        else:
            self._waiting.append(statement(carried, dsa, self._maker))
        if len(self._waiting) == A_FILE:
            self._write()

    def keep(self, decided: Decided) -> None:
        """Each statement is of one account."""

    def end_network(self, network: Mapping[str, Any]) -> None:
        """Statements are of accounts, not of networks."""

    def close(self) -> list[dict[str, Any]]:
        """Write what waits."""
        if self._waiting:
            self._write()
        return self._entries

    def _write(self) -> None:
        name = f"dsa_{self._kind}-{len(self._entries) + 1:05d}.json"
        file = HashedFile(self._folder, name)
        content = {self._kind: self._waiting}
        file.write(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
        file.rows = len(self._waiting)
        file.close()
        self._entries.append(file.entry())
        self._waiting = []


def open_format(folder: Path, maker: RowMaker) -> DsaStatements:
    """Begin the statements of a batch."""
    return DsaStatements(folder, maker)
