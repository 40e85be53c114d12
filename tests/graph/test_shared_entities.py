"""The list of shared entities: what it may hold, and whom it covers on a day."""

from __future__ import annotations

import ipaddress
from datetime import date, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from graph.engines.base import Engine
from graph.shared_entities import ListRefused, check_shared_entities, listed, not_seen

DAY = date(2026, 3, 20)
ENTRY: dict[str, Any] = {
    "entity_type": "ip",
    "entity_id": "8.8.0.0/16",
    "reason": "carrier",
    "added_by": "ana",
    "approved_by": "ben",
    "added_at": DAY - timedelta(days=10),
    "expires_at": DAY + timedelta(days=10),
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"entity_type": "phone"}, "row 2: entity_type 'phone' is none of content, device, ip"),
        ({"entity_id": "8.0.0.0/11"}, "row 2: 8.0.0.0/11 is wider than /12"),
        ({"entity_id": "2a00::/23"}, "row 2: 2a00::/23 is wider than /24"),
        ({"entity_id": "8.0.0.0/33"}, "row 2: .*8.0.0.0/33"),
        ({"entity_id": "9.9.9"}, r"row 2: '9.9.9' identifies no ip \(invalid\)"),
        ({"entity_type": "device", "entity_id": "0000"}, r"row 2: '0000' .* device \(all_zero\)"),
        ({"reason": None}, "row 2: reason must be given"),
        ({"added_by": "", "expires_at": None}, "row 2: added_by, expires_at must be given"),
        ({"approved_by": "ana"}, "row 2: added_by and approved_by are the same"),
        (
            {"expires_at": ENTRY["added_at"] + timedelta(days=181)},
            "row 2: expires_at is more than 180 days after added_at",
        ),
    ],
)
def test_an_entry_that_could_hide_too_much_is_refused(
    changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ListRefused, match=f"shared_entities, {message}"):
        check_shared_entities([ENTRY, {**ENTRY, **changed}], DAY)


def test_the_widest_blocks_and_the_longest_time_are_allowed() -> None:
    lasting = {"added_at": DAY, "expires_at": DAY + timedelta(days=180)}
    wide = [{**ENTRY, **lasting, "entity_id": block} for block in ("8.0.0.0/12", "2a00::/24")]
    assert [str(block) for block in check_shared_entities(wide, DAY).blocks] == [
        "8.0.0.0/12",
        "2a00::/24",
    ]


@pytest.mark.parametrize(
    ("added", "expires", "holds"),
    [(0, 1, True), (-5, 1, True), (-5, 0, False), (1, 5, False), (-1, 0, False)],
)
def test_an_entry_holds_from_its_first_day_until_before_its_last(
    added: int, expires: int, holds: bool
) -> None:
    days = {
        "added_at": DAY + timedelta(days=added),
        "expires_at": DAY + timedelta(days=expires),
    }
    shared = check_shared_entities([{**ENTRY, **days, "entity_id": "8.8.8.8"}], DAY)
    assert shared.ids.num_rows == int(holds)


def test_ids_and_blocks_cover_what_they_name(engine: Engine) -> None:
    """An id wins over its block, a longer prefix over a shorter; only addresses are in blocks."""
    entries = [
        {"entity_id": "8.8.0.0/16", "reason": "carrier"},
        {"entity_id": "8.8.4.0/24", "reason": "campus"},
        {"entity_id": "8.8.4.4", "reason": "library"},
        {"entity_id": "2a00:1450::/32", "reason": "proxy"},
        {"entity_type": "device", "entity_id": "kiosk", "reason": "kiosk"},
        {"entity_type": "device", "entity_id": "never-seen", "reason": "kiosk"},
    ]
    shared = check_shared_entities([{**ENTRY, **entry} for entry in entries], DAY)
    seen = {
        ("ip", "8.8.8.8"): "carrier",
        ("ip", "8.8.4.9"): "campus",
        ("ip", "8.8.4.4"): "library",
        ("ip", "9.9.9.9"): None,
        ("ip", "2a00:1450:4001:81b::"): "proxy",
        ("ip", "2a01::"): None,
        ("device", "kiosk"): "kiosk",
        ("device", "8.8.8.8"): None,
        ("content", "kiosk"): None,
    }
    assert listed_among(engine, list(seen), shared) == seen


def test_entries_are_cleaned_like_the_log(engine: Engine) -> None:
    """However a list writes an id, it covers what the log writes otherwise."""
    entries = [
        {"entity_type": "device", "entity_id": "ABCDEF0123456789", "reason": "kiosk"},
        {"entity_id": "2A00:1450:4001:081b::7", "reason": "proxy"},
        {"entity_id": " ::ffff:9.9.9.9", "reason": "resolver"},
        {"entity_id": "::ffff:8.8.0.0/112", "reason": "carrier"},
    ]
    shared = check_shared_entities([{**ENTRY, **entry} for entry in entries], DAY)
    seen = {
        ("device", "abcdef0123456789"): "kiosk",
        ("ip", "2a00:1450:4001:81b::"): "proxy",
        ("ip", "9.9.9.9"): "resolver",
        ("ip", "8.8.7.6"): "carrier",
        ("ip", "8.9.7.6"): None,
    }
    assert listed_among(engine, list(seen), shared) == seen
    found = engine.from_arrow(entities(list(seen)))
    assert not_seen(engine, found, shared) == []
    nothing = engine.from_arrow(entities([("ip", "1.1.1.1"), ("content", "9.9.9.9")]))
    assert not_seen(engine, nothing, shared) == [
        "device abcdef0123456789",
        "ip 2a00:1450:4001:81b::",
        "ip 8.8.0.0/16",
        "ip 9.9.9.9",
    ]


def test_blocks_equal_a_linear_search(engine: Engine) -> None:
    random = Random(8)
    blocks = {
        ipaddress.ip_network((f"8.{random.randrange(8)}.{random.randrange(256)}.0", bits), False)
        for bits in range(12, 29)
        for _ in range(3)
    }
    shared = check_shared_entities(
        [{**ENTRY, "entity_id": str(block), "reason": str(block)} for block in sorted(blocks)], DAY
    )
    seen = [
        ("ip", f"8.{random.randrange(9)}.{random.randrange(256)}.{random.randrange(256)}")
        for _ in range(300)
    ]
    for (_, address), reason in listed_among(engine, seen, shared).items():
        around = [block for block in blocks if ipaddress.ip_address(address) in block]
        longest = max(around, key=lambda block: block.prefixlen, default=None)
        assert reason == (None if longest is None else str(longest))


def entities(seen: list[tuple[str, str]]) -> pa.Table:
    return pa.table({"entity_type": [t for t, _ in seen], "entity_id": [name for _, name in seen]})


def listed_among(
    engine: Engine, seen: list[tuple[str, str]], shared: Any
) -> dict[tuple[str, str], str | None]:
    found = engine.from_arrow(entities(seen))
    rows = engine.to_arrow(listed(engine, found, shared)).to_pylist()
    reasons = {(row["entity_type"], row["entity_id"]): row["reason"] for row in rows}
    assert len(reasons) == len(rows)
    return {key: reasons.get(key) for key in seen}
