"""A small sound signature, and ways to change it."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

SOUND: dict[str, Any] = {
    "title": "Example ring",
    "id": "0f2b5dc1-6d0d-4c0d-9a5e-0d6a4f5f8d11",
    "status": "experimental",
    "level": "low",
    "description": "Detects what the tests need.",
    "author": "actorgraph",
    "date": "2026-11-24",
    "tags": ["disarm.t0049"],
    "falsepositives": ["Nobody but the readers of tests."],
    "subject": "network",
    "detection": {
        "selections": {
            "selection_large": {
                "because": "Ten is a number of fingers.",
                "features": {"accounts": {"gte": 10}},
            },
        },
        "filters": {
            "filter_sparse": {
                "because": "Sparse networks are another matter.",
                "features": {"density": {"lt": 0.1}},
            },
        },
        "condition": "all of selection_* and not 1 of filter_*",
    },
    "evidence": ["accounts"],
    "enforcement": {"action": "challenge", "duration": "7d", "policy_id": "spam"},
    "tests": {
        "positive": [{"name": "A dense dozen", "features": {"accounts": 12, "density": 0.9}}],
        "benign": [{"name": "A few friends", "features": {"accounts": 3, "density": 1}}],
    },
}
NAME = "example_ring.yml"


def changed(path: str, value: Any) -> dict[str, Any]:
    """The sound signature with another value at a dotted path; None removes it."""
    data = deepcopy(SOUND)
    at: Any = data
    *above, last = path.split(".")
    for key in above:
        at = at[int(key) if key.isdigit() else key]
    if value is None:
        del at[last]
    else:
        at[int(last) if last.isdigit() else last] = value
    return data


def write(folder: Path, data: dict[str, Any], name: str = NAME) -> Path:
    """Write a signature's file; returns its path."""
    path = folder / name
    path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
