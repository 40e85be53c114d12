"""Labels as examples: a sound one, and others that differ from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from signatures.labels import LABELS

SOUND: dict[str, Any] = dict.fromkeys(LABELS.columns) | {
    "label_id": "l1",
    "subject_type": "account",
    "subject_id": "ann",
    "label": "abusive",
    "source": "sample",
    "sample_id": "s1",
    "sampling_probability": 0.5,
    "blind": False,
    "reviewer": "reviewer-1",
    "labelled_at": datetime(2026, 11, 20, 12, tzinfo=UTC),
}


def label(**changes: Any) -> dict[str, Any]:
    return SOUND | changes
