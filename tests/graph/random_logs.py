"""Random event logs of many small worlds that share no id, so that one run computes them all.

Times stand on, just before and just after multiples of the window, on both sides of 1970; accounts,
entities and event ids repeat often.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pyarrow as pa

from tests.graph.link_rules import Sighting

SECOND = 1_000_000
WINDOW = 10 * SECOND
NEW_YEAR = 1_767_225_600 * SECOND
ANCHORS = (0, -7 * WINDOW, NEW_YEAR, NEW_YEAR + 86_400 * SECOND)
OFFSETS = (0, 0, 1, -1, WINDOW // 2, WINDOW - 1, WINDOW, WINDOW + 1, -WINDOW, 2 * WINDOW)
EVENT_TYPES = ("post", "share", "like")
FIRST_DAY = "2026-01-01"

Row = dict[str, object]
COLUMNS = {
    name: name
    for name in (
        "account_id",
        "event_time",
        "event_type",
        "event_id",
        "device_id",
        "ip",
        "content_hash",
        "market",
    )
}


def random_log(seed: int, worlds: int = 30, events: int = 40) -> list[Row]:
    """Every row names an account; all else may be missing. An event id is never used twice."""
    random = Random(seed)
    return [
        {
            "account_id": f"w{world}.a{random.randrange(7)}",
            "event_time": _time(random, world),
            "event_type": random.choice(EVENT_TYPES),
            "event_id": random.choice([None, f"w{world}.e{number}"]),
            "content_hash": random.choice([None, *(f"w{world}.c{_few(random)}",) * 4]),
            "device_id": random.choice([None, f"w{world}.d{_few(random)}"]),
            # Three networks of two addresses each.
            "ip": random.choice([None, f"8.{world}.{random.randrange(3)}.{random.randrange(2)}"]),
            "market": [None, "de", "fr", "jp"][number * number % 7 % 4],
        }
        for world in range(worlds)
        for number in range(events)
    ]


def log_with_repeats(seed: int, worlds: int = 30, events: int = 24) -> list[Row]:
    """Event ids pass between accounts and equal contents; entities come in lists, some twice."""
    random = Random(seed)
    return [
        {
            "account_id": f"w{world}.a{random.randrange(6)}",
            "event_time": _time(random, world),
            "event_type": random.choice(EVENT_TYPES),
            "event_id": f"w{world}.{random.choice('ec')}{random.randrange(16)}",
            "content_hash": [f"w{world}.c{_few(random)}" for _ in range(random.randrange(3))],
            "device_id": [f"w{world}.d{_few(random)}"],
            "ip": [],
        }
        for world in range(worlds)
        for _ in range(events)
    ]


def _time(random: Random, world: int) -> int:
    """Of every fifth world all events are within one window of each other."""
    if world % 5 == 0:
        return NEW_YEAR + random.randrange(WINDOW)
    return random.choice(ANCHORS) + random.choice(OFFSETS)


def _few(random: Random) -> int:
    """Small numbers, 0 far more often than 7."""
    return min(random.randrange(8), random.randrange(8))


def arrow(log: list[Row]) -> pa.Table:
    """The log as a table; an entity column is one of lists where the rows have lists."""
    entity = pa.list_(pa.string()) if isinstance(log[0]["ip"], list) else pa.string()
    kinds = {name: pa.string() for name in COLUMNS} | {"event_time": pa.int64()}
    kinds |= {name: entity for name in ("device_id", "ip", "content_hash")}
    return pa.Table.from_pylist(log, pa.schema(list(kinds.items())))


def sightings_of(
    log: list[Row], column: str, named: Callable[[str], str] = lambda value: value
) -> list[Sighting]:
    """What the log's rows say of one column; `named` turns its values to ids."""
    found = []
    for number, row in enumerate(log):
        values = row[column]
        for value in values if isinstance(values, list) else [values]:
            if value is not None:
                found.append(
                    Sighting(
                        str(row["account_id"]),
                        named(str(value)),
                        str(row["event_type"]),
                        None if row["event_id"] is None else str(row["event_id"]),
                        int(str(row["event_time"])),
                        number,
                    )
                )
    return found
