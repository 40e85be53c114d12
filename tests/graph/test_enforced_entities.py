"""What enforced networks used says less and less."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from graph.enforced_entities import ENFORCED_ENTITIES, faded
from graph.engines.base import Engine


def test_enforced_entities_fade(engine: Engine) -> None:
    day = date(2026, 11, 22)
    end = datetime(2026, 11, 23, tzinfo=UTC)

    def entry(name: str, age_days: float, number: int = 1) -> dict[str, object]:
        return {
            "decision_id": f"d{number}",
            "account_id": f"a{number}",
            "network_id": "n1",
            "entity_type": "device",
            "entity_id": name,
            "family": "device",
            "rarity": 3.0,
            "enforced_at": end - timedelta(days=age_days),
            "last_used_at": end - timedelta(days=age_days + 1),
        }

    archive = [
        entry("new", 0.0001),
        entry("month", 30),
        entry("old", 60),
        entry("old", 90, 2),
        entry("forgotten", 366),
        entry("to come", -1),
    ]
    frame = engine.from_arrow(pa.Table.from_pylist(archive, schema=ENFORCED_ENTITIES.schema))
    found = engine.to_arrow(faded(engine, frame, day, half_life_days=30, keep_days=365)).to_pylist()
    used = {row["entity_id"]: row["last_used_at"] for row in found}
    assert used["old"] == end - timedelta(days=61), "the latest use, by whichever account"
    weights = {row["entity_id"]: row["weight"] for row in found}
    assert weights == {"new": 999_997, "month": 500_000, "old": 250_000}
