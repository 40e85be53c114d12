"""One log in every form that it may come in gives the same tables."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.engines.base import Engine
from tests.integration.sites import Row, Site, event

EVENTS = [
    event("ann", 9.25, event_id="1", ip="8.8.8.8", content_hash='say "hi", all'),
    event("bob", 9.5, event_id="2", ip="8.8.8.8", content_hash="two\nlines"),
    event("bob", 9.75, event_id="2", ip="8.8.8.8", content_hash="a copy"),
    event("cem", 10, event_id="3", ip=None, content_hash="naïve 🙂"),
    event("ann", 11, event_id="4", ip="10.0.0.1", content_hash=None),
    event("007", 12, event_id="5", ip="2a00:1450:4001:81b::200e", content_hash="007"),
]

NAMES = {
    "account_id": "user.id",
    "event_time": "created at",
    "event_type": "type",
    "event_id": "post_id",
    "device_id": "source",
    "ip": "`ip`",
    "content_hash": "select",
}
"""Our columns and the site's: with dots, blanks and quotes, a word of SQL, and one of our own."""


def in_milliseconds(seconds: int) -> int:
    return seconds * 1000


def in_microseconds(seconds: int) -> int:
    return seconds * 1_000_000


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def without_zone(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def logged(time: Callable[[int], Any], lists: bool = False) -> list[Row]:
    """The log in the site's columns, with times as `time` makes them of epoch seconds."""
    rows = []
    for row in EVENTS:
        values = row | {"event_time": time(row["event_time"])}
        if lists:
            values["ip"] = [row["ip"]] if row["ip"] else []
        rows.append({name: values[ours] for ours, name in NAMES.items()})
    return rows


def parquet(folder: Path) -> None:
    """Times are timestamps without a zone, which Spark has a type of its own for."""
    pq.write_table(pa.Table.from_pylist(logged(without_zone)), folder / "a.parquet")


def parquet_with_lists(folder: Path) -> None:
    pq.write_table(pa.Table.from_pylist(logged(in_microseconds, lists=True)), folder / "a.parquet")


def csv_files(folder: Path) -> None:
    """Two files, each with the byte order mark that spreadsheets write."""
    rows = logged(in_milliseconds)
    for name, part in {"a.csv": rows[:3], "b.csv": rows[3:]}.items():
        with (folder / name).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(NAMES.values()))
            writer.writeheader()
            writer.writerows(part)


def zipped_json_lines(folder: Path) -> None:
    with gzip.open(folder / "a.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in logged(iso))


def built(site: Site, write: Callable[[Path], None], **events: str) -> Site:
    (site.folder / "log").mkdir()
    write(site.folder / "log")
    site.configure("log", NAMES, events)
    assert site.build() == 0
    return site


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, any_engine: Engine) -> Site:
    """The log as a plain parquet file."""
    return built(Site(tmp_path_factory.mktemp("parquet"), any_engine), parquet)


def test_the_log_is_what_it_should_be(plain: Site) -> None:
    edges = {(row["account_id"], row["entity_id"]) for row in plain.rows("edges")}
    assert {edge for edge in edges if not edge[1].startswith("phone of")} == {
        ("007", "007"),
        ("007", "2a00:1450:4001:81b::"),
        ("007", "2a00:1450:4001::/48"),
        ("ann", "8.8.8.0/24"),
        ("ann", "8.8.8.8"),
        ("ann", 'say "hi", all'),
        ("bob", "8.8.8.0/24"),
        ("bob", "8.8.8.8"),
        ("bob", "two\nlines"),
        ("cem", "naïve 🙂"),
    }
    times = {row["node_id"]: row["first_seen_at"] for row in plain.rows("nodes")}
    assert times["ann"] == datetime(2026, 11, 22, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("write", "file_format", "time_unit"),
    [
        (parquet_with_lists, "parquet", "us"),
        (csv_files, "csv", "ms"),
        (zipped_json_lines, "jsonl", "s"),
    ],
)
def test_every_form_of_a_log_gives_the_same_tables(
    site: Site, plain: Site, write: Callable[[Path], None], file_format: str, time_unit: str
) -> None:
    built(site, write, format=file_format, time_unit=time_unit)
    expected = plain.tables()
    assert expected
    for name, rows in site.tables().items():
        assert rows == expected.pop(name), name
    assert not expected
    figures = plain.manifest("build_graph")["figures"]
    assert site.manifest("build_graph")["figures"] == figures


def test_a_list_of_values_is_one_event_with_all_of_them(site: Site) -> None:
    def write(folder: Path) -> None:
        rows = logged(float, lists=True)
        rows[0][NAMES["ip"]] = ["8.8.8.8", "9.9.9.9", None, "10.0.0.1"]
        (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))

    built(site, write, format="jsonl")
    edges = {
        row["entity_id"]: row["events"]
        for row in site.rows("edges")
        if (row["account_id"], row["entity_type"]) == ("ann", "ip")
    }
    assert edges == {"8.8.8.8": 1, "9.9.9.9": 1}
    events = {row["node_id"]: row["events"] for row in site.rows("nodes")}
    assert events["ann"] == 2
    unidentified = site.manifest("build_graph")["figures"]["values_that_identify_nobody"]
    assert unidentified == {"ip": {"private": 2}}


def test_ids_are_whole_numbers_of_any_size(site: Site) -> None:
    """An id that an int64 cannot hold is the id of an account all the same."""
    ids = [5, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**37 + 1]

    def write(folder: Path) -> None:
        rows = [
            row | {NAMES["account_id"]: account, NAMES["device_id"]: [2**63, place]}
            for place, (account, row) in enumerate(zip(ids, logged(int), strict=True))
        ]
        (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))

    built(site, write, format="jsonl")
    accounts = {row["node_id"] for row in site.rows("nodes") if row["node_type"] == "account"}
    assert accounts == set(map(str, ids))
    phones = {row["node_id"]: row["degree"] for row in site.rows("nodes")}
    assert phones[str(2**63)] == len(ids)


def test_a_text_that_is_far_too_long_costs_its_row_and_not_the_day(site: Site) -> None:
    rows = logged(int)
    rows.append(rows[0] | {NAMES["content_hash"]: "x" * 10_000_000})
    (site.folder / "log").mkdir()
    (site.folder / "log" / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    site.configure("log", NAMES, {"format": "jsonl"}, max_quarantine_ratio=0.2)
    assert site.build() == 0
    (row,) = site.rows("quarantine")
    assert row["reason"] == "field over 64 KiB"
    assert site.manifest("build_graph")["figures"]["rows"]["accepted"] == len(EVENTS) - 1
