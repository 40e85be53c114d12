"""Reviewed subjects as examples: drawn accounts and networks, and what was said of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from signatures.loading import load
from signatures.model import Signature
from signatures.review_sample import REVIEW_SAMPLES
from tests.signatures.label_rows import label

DAY = date(2026, 11, 22)
LIBRARY = load()


def signature(title: str) -> Signature:
    (found,) = (each for each in LIBRARY if each.title == title)
    return found


FARM = str(signature("Device farm").id)


def drawn(network: str | None, subject: str, **changes: Any) -> dict[str, Any]:
    """An account of a device farm that only measuring keeps from being acted on."""
    return (
        dict.fromkeys(REVIEW_SAMPLES.columns)
        | {
            "sample_id": "s1",
            "ds": DAY,
            "subject_type": "account",
            "subject_id": subject,
            "network_id": network,
            "lineage": [network] if network else [],
            "drawn_from": "members",
            "sampling_probability": 1.0,
            "reviews": 1,
            "signature_id": FARM,
            "families": ["device"],
            "likelihood": 0.75,
            "market": "de",
            "stratum": "own",
            "role": "actor",
            "candidate": True,
            "restrictable": True,
        }
        | changes
    )


def said(row: dict[str, Any], verdict: str = "abusive", **changes: Any) -> dict[str, Any]:
    """A label on a drawn subject."""
    kept = ("sample_id", "subject_type", "subject_id", "sampling_probability")
    name = f"{row['sample_id']}-{row['subject_id']}-{changes.get('reviewer', 'reviewer-1')}"
    return (
        label(
            label_id=name,
            label=verdict,
            labelled_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
            **{name: row[name] for name in kept},
        )
        | changes
    )
