"""The JSON Schemas of all files of a batch and of what comes back; shipped in `schemas/`.

The shipped files are made from here; a test compares them.
"""

from __future__ import annotations

import json
from typing import Any

from exporters.enforcement.fields import HASH, ROW_FILES
from exporters.enforcement.format_checks import FORMAT_FILES
from exporters.enforcement.manifest import manifest_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MOMENT = {"type": "string", "format": "date-time"}
NULL = {"type": "null"}


def _lines(title: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "$schema": DIALECT,
        "title": title,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def schemas() -> dict[str, dict[str, Any]]:
    """Each schema by the name of its file."""
    rows = {f"{file.name.split('.')[0]}.schema.json": file.json_schema() for file in ROW_FILES}
    others = {
        f"{each.schema}.schema.json": {"$schema": DIALECT, **each.model.model_json_schema()}
        for each in FORMAT_FILES
    }
    text = {"type": "string", "minLength": 1}
    return {
        **rows,
        **others,
        "manifest.schema.json": manifest_schema(),
        "approvals.schema.json": _lines(
            "<batch_id>.approvals.jsonl: approval of a batch",
            {
                "approver": text,
                "signed_at": MOMENT,
                "sha256": {"type": "string", "pattern": HASH},
                "signature": text,
            },
            ["approver", "signed_at", "sha256", "signature"],
        ),
        "release.schema.json": _lines(
            "<batch_id>.release.json: that a batch was let out",
            {
                "batch_id": text,
                "released_at": MOMENT,
                "released_by": text,
                "sums_sha256": {"type": "string", "pattern": HASH},
                "signature": {"anyOf": [text, NULL]},
            },
            ["batch_id", "released_at", "released_by", "sums_sha256"],
        ),
        "receipts.schema.json": _lines(
            "receipts.jsonl: what enforcement did with a row",
            {
                "idempotency_key": {"type": "string", "pattern": HASH},
                "status": {"enum": ["applied", "already", "failed", "skipped"]},
                "at": MOMENT,
                "error": {"anyOf": [{"type": "string"}, NULL]},
            },
            ["idempotency_key", "status", "at"],
        ),
        "appeals.schema.json": _lines(
            "appeals.jsonl: an appeal, and how it was decided",
            {
                "appeal_id": text,
                "decision_id": {"type": "string", "pattern": HASH},
                "lodged_at": MOMENT,
                "outcome": {"enum": ["upheld", "overturned", "partial", None]},
                "reason_code": {"anyOf": [text, NULL]},
                "reviewer": {"anyOf": [text, NULL]},
                "decided_at": {"anyOf": [MOMENT, NULL]},
            },
            ["appeal_id", "decision_id", "lodged_at"],
        ),
    }


def text_of(schema: dict[str, Any]) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
