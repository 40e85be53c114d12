"""A signature is tried on published days, and becomes live only as it was tried."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from graph.engines.base import Engine
from graph.features.computed import ACCOUNT_FEATURE_NAMES, NETWORK_FEATURE_NAMES
from signatures.backtest import (
    ALL,
    BACKTESTS,
    PROMOTIONS,
    PublishedDay,
    counted,
    days_tried,
    detection_sha256,
    promoted,
    try_on,
)
from signatures.findings import FINDINGS
from signatures.inclusions import INCLUSIONS
from signatures.model import Signature
from tests.signatures.signature_files import SOUND, changed

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RING = Signature.model_validate(SOUND)

NETWORKS: list[dict[str, Any]] = [
    {"network_id": "known", "accounts": 12.0, "density": 0.9},
    {"network_id": "new", "accounts": 10.0, "density": 0.5},
    {"network_id": "fans", "accounts": 40.0, "density": 0.4},
    {"network_id": "small", "accounts": 4.0, "density": 1.0},
    {"network_id": "sparse", "accounts": 90.0, "density": 0.05},
]
MEMBERS = {
    "known": ["US", "US", "BR"],
    "new": ["BR", None],
    "fans": ["US"],
    "small": ["US"],
    "sparse": ["US"],
}


def finding(network: str, signature_id: str, benign: bool) -> dict[str, Any]:
    return {
        "subject_type": "network",
        "subject_id": network,
        "network_id": network,
        "signature_id": signature_id,
        "benign": benign,
    }


def published(engine: Engine, *more: dict[str, Any]) -> PublishedDay:
    def wide(rows: list[dict[str, Any]], keys: list[str], names: list[str]) -> Any:
        schema = pa.schema(
            [(key, pa.string()) for key in keys] + [(name, pa.float64()) for name in names]
        )
        return engine.from_arrow(pa.Table.from_pylist(rows, schema=schema))

    members = [
        {"network_id": network, "account_id": f"{network}{place}", "market": market}
        for network, markets in MEMBERS.items()
        for place, market in enumerate(markets)
    ]
    findings = [
        finding("known", "another", benign=False),
        finding("known", str(RING.id), benign=False),
        finding("new", str(RING.id), benign=False),
        finding("fans", "fan community", benign=True),
        *more,
    ]
    return PublishedDay(
        networks=wide(NETWORKS, ["network_id"], NETWORK_FEATURE_NAMES),
        accounts=wide(members, ["network_id", "account_id"], ACCOUNT_FEATURE_NAMES),
        findings=engine.from_arrow(pa.Table.from_pylist(findings, schema=FINDINGS.schema)),
        inclusions=engine.from_arrow(pa.Table.from_pylist(members, schema=INCLUSIONS.schema)),
    )


def trial(
    engine: Engine, signature: Signature, *more: dict[str, Any]
) -> dict[str, tuple[int, ...]]:
    found = try_on(engine, signature, published(engine, *more))
    rows = counted(engine, found, signature, DAY, NOON)
    told = ("networks", "accounts", "new_networks", "disputed_networks")
    return {row["market"]: tuple(row[name] for name in told) for row in rows}


def test_a_trial_counts_what_is_found_what_is_new_and_what_is_explained(engine: Engine) -> None:
    """Its own findings make nothing known; a small and a sparse network are not found."""
    assert trial(engine, RING) == {
        ALL: (3, 6, 2, 1),
        "": (1, 1, 1, 0),
        "BR": (2, 2, 1, 0),
        "US": (2, 3, 1, 1),
    }


def test_of_a_benign_signature_abuse_is_what_disputes_it(engine: Engine) -> None:
    benign = changed("benign", True) | {"id": "0f2b5dc1-6d0d-4c0d-9a5e-0d6a4f5f8d12"}
    assert trial(engine, Signature.model_validate(benign))[ALL] == (3, 6, 2, 2)


def test_a_day_without_a_match_is_told_as_zeros(engine: Engine) -> None:
    huge = changed("detection.selections.selection_large.features.accounts", {"gte": 1000})
    assert trial(engine, Signature.model_validate(huge)) == {ALL: (0, 0, 0, 0)}


def test_a_deprecated_signature_can_be_tried_again(engine: Engine) -> None:
    deprecated = RING.model_copy(update={"status": "deprecated"})
    assert trial(engine, deprecated)[ALL] == (3, 6, 2, 1)


def test_days_count_once_and_only_for_what_is_looked_for() -> None:
    edited = Signature.model_validate(
        changed("detection.selections.selection_large.features.accounts", {"gte": 11})
    )
    renamed = Signature.model_validate(changed("title", "Another name"))
    rows = [
        {
            "signature_id": str(RING.id),
            "detection_sha256": detection_sha256(RING),
            "ds": DAY - timedelta(days=age),
            "market": market,
            "tried_at": NOON,
        }
        for age in (0, 1, 1)
        for market in (ALL, "US")
    ]
    ledger = pa.Table.from_pylist(rows, schema=BACKTESTS.schema)
    assert days_tried(ledger, RING) == [DAY - timedelta(days=1), DAY]
    assert days_tried(ledger, renamed) == [DAY - timedelta(days=1), DAY]
    assert days_tried(ledger, edited) == []


@pytest.mark.parametrize(
    ("modes", "expected"), [([], []), (["live"], [str(RING.id)]), (["live", "shadow"], [])]
)
def test_the_latest_change_of_mode_counts(modes: list[str], expected: list[str]) -> None:
    rows = [
        {
            "signature_id": str(RING.id),
            "at": NOON + timedelta(hours=place),
            "mode": mode,
            "detection_sha256": detection_sha256(RING),
        }
        for place, mode in enumerate(modes)
    ]
    ledger = pa.Table.from_pylist(rows[::-1], schema=PROMOTIONS.schema)
    assert promoted(ledger, [RING]) == expected


def test_an_edited_signature_falls_back_into_shadow() -> None:
    row = {
        "signature_id": str(RING.id),
        "at": NOON,
        "mode": "live",
        "detection_sha256": detection_sha256(RING),
    }
    edited = Signature.model_validate(changed("detection.condition", "selection_large"))
    ledger = pa.Table.from_pylist([row], schema=PROMOTIONS.schema)
    assert promoted(ledger, [edited]) == []
