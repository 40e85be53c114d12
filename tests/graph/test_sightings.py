"""Sightings: every row of an entity that may link, each with a number among its equals."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

import pyarrow as pa

from graph.config import Trace
from graph.engines.base import Engine
from graph.sightings import SIGHTINGS, sightings
from graph.tables import TIMESTAMP, columns

ROWS = columns(
    account_id="string",
    entity_type="string",
    entity_id="string",
    event_type="string",
    event_id="string",
    event_at=TIMESTAMP,
)
ENTITIES = columns(entity_type="string", entity_id="string", degree="int64", is_hub="bool")
Row = tuple[Any, ...]


def random_rows(seed: int) -> list[Row]:
    """Of few values, so that rows are often equal but for their event id, or altogether."""
    random = Random(seed)
    return [
        (
            f"a{random.randrange(5)}",
            random.choice(["content", "device"]),
            f"e{min(random.randrange(12), random.randrange(12))}",
            random.choice(["post", "share"]),
            random.choice([None, *(f"i{random.randrange(250)}",) * 3]),
            random.randrange(3),
        )
        for _ in range(300)
    ]


CONTENT = Trace(entity="content", family="content", window="10s")
DEVICE = Trace(entity="device", family="device", window="10s")


def run(
    engine: Engine,
    rows: list[Row],
    events_repeat: bool,
    traces: tuple[Trace, ...] = (CONTENT, DEVICE),
) -> tuple[list[Row], set[Row]]:
    """The sightings found, and the entities that may link."""
    accounts = defaultdict(set)
    for account, kind, name, *_ in rows:
        accounts[kind, name].add(account)
    hubs = {("content", "e0"), ("device", "e1")}
    entities = [
        dict(zip(ENTITIES.names, (*key, len(own), key in hubs), strict=True))
        for key, own in accounts.items()
    ]
    found = sightings(
        engine,
        engine.from_arrow(table(rows)),
        engine.from_arrow(pa.Table.from_pylist(entities, ENTITIES)),
        events_repeat,
        traces,
    )
    assert found.columns == SIGHTINGS.columns
    linking = {key for key, own in accounts.items() if len(own) >= 2 and key not in hubs}
    rows_found = engine.to_arrow(found).to_pylist()
    keys = {tuple(row[name] for name in SIGHTINGS.key) for row in rows_found}
    assert len(keys) == len(rows_found)
    return [tuple(row.values()) for row in rows_found], linking


def table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(ROWS.names, row, strict=True)) for row in rows], ROWS)


def numbered(rows: list[Row], linking: set[Row]) -> list[Row]:
    """Give each row its number among those equal but for the event id, null first."""
    groups = defaultdict(list)
    for account, kind, name, event_type, event_id, at in rows:
        groups[account, kind, name, event_type, at].append(event_id or "")
    return [
        (account, kind, name, event_type, event_id or None, at, place, (kind, name) in linking)
        for (account, kind, name, event_type, at), ids in groups.items()
        for place, event_id in enumerate(sorted(ids), start=1)
    ]


def comparable(rows: list[Row]) -> list[Row]:
    times = pa.array([row[5] for row in rows], TIMESTAMP).cast(pa.int64()).to_pylist()
    return sorted(
        [(*row[:5], time, *row[6:]) for row, time in zip(rows, times, strict=True)], key=str
    )


def test_rows_of_entities_that_may_link(engine: Engine) -> None:
    rows = random_rows(1)
    found, linking = run(engine, rows, events_repeat=False)
    kept = [row for row in rows if row[1:3] in linking]
    assert 0 < len(kept) < len(rows)
    assert comparable(found) == comparable(numbered(kept, linking))


def test_rows_of_repeated_events_count_elsewhere_too(engine: Engine) -> None:
    """A row that cannot link is kept when its event id stands on another row of its type."""
    rows = random_rows(2)
    found, linking = run(engine, rows, events_repeat=True)
    uses = defaultdict(int)
    for _, kind, _, _, event_id, _ in rows:
        uses[kind, event_id] += 1
    kept = [
        row
        for row in rows
        if row[1:3] in linking or (row[4] is not None and uses[row[1], row[4]] > 1)
    ]
    assert len([row for row in rows if row[1:3] in linking]) < len(kept) < len(rows)
    assert comparable(found) == comparable(numbered(kept, linking))


def test_where_no_row_has_its_equal_each_is_the_first(engine: Engine) -> None:
    by_moment = {(*row[:4], row[5]): row for row in random_rows(4)}
    rows = [*by_moment.values()]
    found, linking = run(engine, rows, events_repeat=False)
    kept = [row for row in rows if row[1:3] in linking]
    assert comparable(found) == comparable(numbered(kept, linking))
    assert {row[6] for row in found} == {1}


def test_only_what_traces_with_a_window_look_at(engine: Engine) -> None:
    """Who was first on an entity is a question to its events of all types."""
    rows = random_rows(3)
    posts = Trace(entity="content", family="content", events=("post",), window="10s")
    any_time = Trace(entity="device", family="device")
    found, linking = run(engine, rows, False, (posts, any_time))
    kept = [row for row in rows if row[1:3] in linking and row[1] == "content" and row[3] == "post"]
    assert comparable(found) == comparable(numbered(kept, linking))
    not_first = posts.model_copy(update={"exclude_originator": True})
    found, linking = run(engine, rows, False, (not_first, any_time))
    kept = [row for row in rows if row[1:3] in linking and row[1] == "content"]
    assert comparable(found) == comparable(numbered(kept, linking))
    assert run(engine, rows, False, (any_time,))[0] == []
