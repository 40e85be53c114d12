"""From rows as sites write them to events: mapping, duplicates, balance, formats."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from graph.config import Config
from graph.engines.base import Engine, InputError
from graph.entities import ENTITY_TYPES
from graph.events import ACCEPTED, DUPLICATE, OUTSIDE, QUARANTINED, EventRules
from graph.frames import DataFrame, F
from graph.ingest import (
    SOURCE,
    accepted_events,
    count_rows,
    count_unidentified,
    judge,
    map_columns,
    quarantined_rows,
)
from graph.ip_networks import index_ip_networks
from tests.graph.tables import judged_rows

DAY_US = 86_400_000_000
SPAN = (0, 10 * DAY_US)
RULES = EventRules("s", *SPAN, ENTITY_TYPES, index_ip_networks([], date(2026, 1, 1)))


def config(columns: dict[str, str], **events: Any) -> Config:
    return Config.model_validate({"events": {"path": "-", "columns": columns, **events}})


NAMES = ("account_id", "event_time", "event_type", "event_id", "content_hash", "ip", "market")
STANDARD = config({name: name for name in NAMES}, time_unit="us")


def schema(entity: pa.DataType) -> pa.Schema:
    entities = {"content_hash": entity, "ip": entity, "event_time": pa.int64()}
    return pa.schema([(name, entities.get(name, pa.string())) for name in NAMES])


def judged(
    engine: Engine, rows: list[dict[str, Any]], entity: pa.DataType, partitions: int | None = None
) -> DataFrame:
    log = pa.Table.from_pylist(rows, schema(entity))
    return judged_rows(engine, log, STANDARD, span=SPAN, partitions=partitions)


def copies(seed: int) -> list[dict[str, Any]]:
    """Rows of few values that differ in any of their columns, some of them broken or outside."""
    random = Random(seed)
    return [
        {
            "account_id": random.choice(["a", "b", "c", None]),
            "event_time": random.choice([0, 1, 2, 3, -1, None]),
            "event_type": random.choice(["post", "share", None]),
            "event_id": random.choice([*(f"e{n}" for n in range(30)), None]),
            "content_hash": random.choice(["x", "y", None]),
            "ip": random.choice(["8.8.8.8", "9.9.9.9", "10.0.0.1", None]),
            "market": random.choice(["de", "fr", None]),
        }
        for _ in range(400)
    ]


def one_of_each(rows: list[dict[str, Any]], order: tuple[str, ...]) -> tuple[list[Any], int]:
    """The earliest of each account and event id, then the smallest by column, null first."""
    kept, by_event = [], defaultdict(list)
    for row in rows:
        accepted = row["account_id"] is not None and row["event_time"] in range(10)
        if accepted and row["event_id"] is None:
            kept.append(row)
        elif accepted:
            by_event[row["account_id"], row["event_id"]].append(row)
    for own in by_event.values():
        kept.append(min(own, key=lambda row: [(row[n] is not None, row[n] or 0) for n in order]))
    return kept, sum(len(own) - 1 for own in by_event.values())


def test_of_duplicates_the_earliest_and_smallest_stays(engine: Engine) -> None:
    rows = copies(1)
    frame = engine.materialize(judged(engine, rows, pa.string(), partitions=5), "ingest-copies")
    for row in rows:
        row["event_type"] = row["event_type"] or "event"
        row["ip_reason"] = "private" if row["ip"] == "10.0.0.1" else None
        row["ip"] = None if row["ip_reason"] else row["ip"]
    order = ("event_time", "event_type", "ip", "content_hash", "ip_reason", "market")
    kept, duplicates = one_of_each(rows, order)
    assert count_rows(engine, frame) == {
        ACCEPTED: len(kept),
        QUARANTINED: sum(None in (row["account_id"], row["event_time"]) for row in rows),
        DUPLICATE: duplicates,
        OUTSIDE: sum(row["account_id"] is not None and row["event_time"] == -1 for row in rows),
    }
    names = ("account_id", "event_id", "event_type", "market", "content", "ip")
    found = engine.to_arrow(accepted_events(frame).select("event_at", *names)).to_pylist()
    assert by_text(
        (as_us(row["event_at"]), *(row[name] for name in names)) for row in found
    ) == by_text(
        (row["event_time"], *(row[name.replace("content", "content_hash")] for name in names))
        for row in kept
    )


def as_us(time: Any) -> int:
    return int(pa.scalar(time, pa.timestamp("us", "UTC")).cast(pa.int64()).as_py())


def by_text(rows: Any) -> list[Any]:
    return sorted(rows, key=str)


def test_which_duplicate_stays_is_no_matter_of_the_file_it_is_in(engine: Engine) -> None:
    """Nor of the row's place among the others; lists decide like texts."""
    rows = [
        {"account_id": "a", "event_time": 1, "event_id": "e", "content_hash": [name], "ip": ips}
        for name in ("x", "y", "z")
        for ips in (["8.8.8.8", "9.9.9.9"], ["8.8.8.8"], None)
    ]
    for seed, partitions in ((1, 1), (2, 3), (3, 9)):
        order = Random(seed).sample(rows, len(rows))
        named = [{**row, SOURCE: f"part-{place}"} for place, row in enumerate(order)]
        kinds = schema(pa.list_(pa.string())).append(pa.field(SOURCE, pa.string()))
        raw = engine.from_arrow(pa.Table.from_pylist(named, kinds)).repartition(partitions)
        frame = judge(engine, map_columns(raw, STANDARD.events.columns, "-"), RULES, True)
        (row,) = engine.to_arrow(accepted_events(frame)).to_pylist()
        assert (row["content"], row["ip"]) == (["x"], [])


def test_without_deduplication_every_row_counts(engine: Engine) -> None:
    rows = [{"account_id": "a", "event_time": 1, "event_id": "e", "content_hash": "x"}] * 3
    every = config({name: name for name in NAMES}, time_unit="us", deduplicate=False)
    log = pa.Table.from_pylist(rows, schema(pa.string()))
    assert count_rows(engine, judged_rows(engine, log, every, span=SPAN))[ACCEPTED] == 3


def test_values_that_identify_nobody_are_counted_by_reason(engine: Engine) -> None:
    rows = [
        {"account_id": "a", "event_time": 1, "ip": ["10.0.0.1", "8.8.8.8", "unknown"]},
        {"account_id": "a", "event_time": 2, "ip": ["10.0.0.2"], "content_hash": ["", "0000"]},
        {"account_id": "a", "event_time": 3, "ip": None, "content_hash": ["x"]},
        # Neither of rows outside the look-back nor of quarantined ones.
        {"account_id": "a", "event_time": -1, "ip": ["10.0.0.1"]},
        {"account_id": None, "event_time": 3, "ip": ["10.0.0.1"]},
    ]
    events = accepted_events(judged(engine, rows, pa.list_(pa.string())))
    assert count_unidentified(engine, events) == {
        "ip": {"placeholder": 1, "private": 2},
        "content": {"all_zero": 1, "empty": 1},
    }


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"account_id": "user", "event_time": "ts", "ip": "adress"}, "no column 'adress' for ip"),
        ({"account_id": "usr", "event_time": "ts", "ip": "address"}, "no column 'usr' for account"),
        ({"account_id": "user", "event_time": "tags", "ip": "address"}, "'tags' is of type array"),
        ({"account_id": "score", "event_time": "ts", "ip": "address"}, "'score' is of type double"),
    ],
)
def test_a_mapping_that_does_not_fit_says_what_would(
    engine: Engine, columns: dict[str, str], message: str
) -> None:
    log = pa.table({"user": ["a"], "ts": [1], "address": ["8.8.8.8"], "tags": [["x"]]})
    raw = engine.from_arrow(log.append_column("score", [[1.5]])).withColumn(SOURCE, F.lit("log"))
    with pytest.raises(InputError, match=message) as error:
        map_columns(raw, columns, "events/")
    assert str(error.value).startswith("events/: ")
    if "no column" in message:
        assert "did you mean" in str(error.value)
        assert "user, ts, address, tags, score" in str(error.value)


def test_json_lines_with_broken_lines(engine: Engine, tmp_path: Path) -> None:
    """A line that is no JSON is quarantined as it was; times and lists are read as they are."""
    lines = [
        '{"who": "a", "when": "1970-01-02T00:00:00Z", "ip": ["8.8.8.8", "9.9.9.9"], "n": 1}',
        '{"who": "b", "when": "1970-01-02 01:00:00+01:00", "ip": ["8.8.8.8"]}',
        '{"who": "c", "when": "1970-01-02T00:0',
        '{"who": "d", "when": "soon", "ip": []}',
        '{"when": "1970-01-02T00:00:00Z", "ip": ["8.8.8.8"]}',
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(lines), encoding="utf-8")
    frame = read(engine, tmp_path, "jsonl", {"account_id": "who", "event_time": "when"})
    events = engine.to_arrow(accepted_events(frame)).to_pylist()
    assert {row["account_id"]: (as_us(row["event_at"]), row["ip"]) for row in events} == {
        "a": (DAY_US, ["8.8.8.8", "9.9.9.9"]),
        "b": (DAY_US, ["8.8.8.8"]),
    }
    rejected = engine.to_arrow(quarantined_rows(frame)).to_pylist()
    assert sorted(row["row"] for row in rejected) == [1, 2, 3]
    by_reason = {row["reason"]: row for row in rejected}
    assert by_reason.keys() == {"unreadable row", "no readable time", "no account"}
    assert lines[2] in json.loads(by_reason["unreadable row"]["raw"]).values()
    assert all(row["source"].endswith("log.jsonl") for row in rejected)


def test_csv_with_times_as_text(engine: Engine, tmp_path: Path) -> None:
    """Quoted fields, line breaks inside of them, numbers and ISO times in one column."""
    (tmp_path / "log.csv").write_text(
        "who,when,text\n"
        "a,86400,plain\n"
        'b,1970-01-02T00:00:00.000001Z,"with, comma and ""quotes"""\n'
        'c,1970-01-02,"two\nlines"\n'
        "d,86400.5,plain\n"
        "e,yesterday,plain\n"
        "f,,plain\n",
        encoding="utf-8",
    )
    columns = {"account_id": "who", "event_time": "when", "content_hash": "text"}
    frame = read(engine, tmp_path, "csv", columns)
    events = engine.to_arrow(accepted_events(frame)).to_pylist()
    assert {row["account_id"]: (as_us(row["event_at"]), row["content"]) for row in events} == {
        "a": (DAY_US, "plain"),
        "b": (DAY_US + 1, 'with, comma and "quotes"'),
        "c": (DAY_US, "two\nlines"),
        "d": (DAY_US + 500_000, "plain"),
    }
    assert count_rows(engine, frame)[QUARANTINED] == 2


def read(engine: Engine, folder: Path, file_format: str, columns: dict[str, str]) -> DataFrame:
    """Judge a folder's files, with times in seconds, through the engine's reader."""
    raw = engine.read([str(folder)], file_format, source=SOURCE)
    frame = judge(engine, map_columns(raw, columns, str(folder)), RULES, deduplicate=True)
    return engine.materialize(frame, f"ingest-{file_format}")
