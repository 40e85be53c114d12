"""The manifest of a batch as a checked model, and its JSON Schema."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from exporters.enforcement.fields import BATCH_ID, HASH, INTERNAL, MANIFEST_NAME

Hash = Annotated[str, Field(pattern=HASH)]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
BatchId = Annotated[str, Field(pattern=BATCH_ID)]


class Strict(BaseModel):
    """What models of files share: no unknown fields, and no value taken for another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileEntry(Strict):
    """A file of the batch."""

    name: Annotated[str, Field(pattern=rf"^({INTERNAL}/)?[A-Za-z0-9][A-Za-z0-9._-]*$")]
    sha256: Hash
    bytes: NonNegativeInt
    rows: NonNegativeInt


class CountsEntry(Strict):
    """Accounts in the batch, by what enforcement plans with."""

    rows: NonNegativeInt
    networks: NonNegativeInt
    action: dict[str, NonNegativeInt]
    policy: dict[str, NonNegativeInt]
    market: dict[str, NonNegativeInt]


class Parent(Strict):
    """The batch whose approvals a stage is released under."""

    batch_id: BatchId
    stage: Annotated[int, Field(ge=1)]


class Stage(Strict):
    """A stage of a batch: the share of its accounts that are out once it is released."""

    batch_id: BatchId
    share: Annotated[float, Field(gt=0, le=1)]
    sums_sha256: Hash
    rows: NonNegativeInt


class Manifest(Strict):
    """What a batch is, where it comes from, and what it replaces or takes back."""

    schema_version: Literal[1]
    batch_id: BatchId
    operation: Literal["apply", "reverse"]
    environment: Literal["demo", "shadow", "production"]
    created_at: Time
    valid_until: Time
    ds: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    run_id: str
    code_version: str
    config_sha256: Hash
    requested_by: Annotated[str, Field(min_length=1)]
    reviewers: list[str]
    reason: str | None
    formats: list[str]
    files: list[FileEntry]
    counts: CountsEntry
    limits: dict[str, float]
    lists: dict[str, Hash]
    stages: list[Stage]
    parent: Parent | None
    supersedes: list[BatchId]
    retracts: list[BatchId]
    audit_head: Hash
    audit_kept_days: NonNegativeInt
    contact: str

    @property
    def created(self) -> datetime:
        """When the batch was made."""
        return datetime.fromisoformat(self.created_at)

    @property
    def until(self) -> datetime:
        """The time after which the batch is refused."""
        return datetime.fromisoformat(self.valid_until)


def read_manifest(folder: Path) -> Manifest:
    """Read a batch's manifest; raises ValueError, saying what is wrong, for none or a bad one."""
    path = folder / MANIFEST_NAME
    try:
        return Manifest.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{MANIFEST_NAME}: cannot be read: {error}") from None
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}"
            for each in error.errors()
        ]
        raise ValueError(f"{MANIFEST_NAME}: {'; '.join(lines)}") from None
    except ValueError as error:
        raise ValueError(f"{MANIFEST_NAME}: {error}") from None


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema of manifests."""
    schema = Manifest.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
