"""A log with all that logs are known to hold: every row is accounted for, by its reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from graph.engines.base import Engine
from tests.integration.sites import DAY, Row, Site, event, write_log

LOG = "log.parquet"
COLUMNS = ("account_id", "event_time", "device_id", "content_hash", "event_id")
HEX = "ABCDEF0123456789ABCD"
TEN_MEGABYTES = 10 * (1 << 20)


def dirty_rows() -> list[Row]:
    """Four good posts, and one or more of everything that logs are known to hold."""
    nan = float("nan")
    return [
        event("Ann", device_id=HEX, content_hash="Text", event_id="1"),
        event("ann", device_id=HEX.lower(), content_hash="text", event_id="1"),
        event("bob", device_id=f" {HEX} ", content_hash="text ", event_id="2"),
        event("cem", device_id=None, content_hash=None, event_id="3"),
        event("bob", hour=13, device_id="late copy", event_id="2"),
        event("bob", hour=12, device_id=HEX, event_id=" 2 "),
        event("dan", event_id=None) | {"event_time": nan},
        event("dan") | {"event_time": None},
        event("dan") | {"event_time": 1e300},
        event("dan") | {"event_time": 0},
        event("dan") | {"event_time": 86_400.5},
        event("dan", ds=DAY + timedelta(days=1), hour=0),
        event("dan", ds=DAY + timedelta(days=3650)),
        event("dan", ds=DAY - timedelta(days=3), hour=23.9),
        event("eve", content_hash="x" * TEN_MEGABYTES),
        event("eve\x00", device_id="0" * 20, content_hash="unknown"),
    ]


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory, any_engine: Engine) -> Site:
    """A day of that log, built."""
    site = Site(tmp_path_factory.mktemp("dirty"), any_engine)
    site.configure(LOG, COLUMNS, max_quarantine_ratio=0.5)
    rows = [
        row | {"event_time": None if (t := row["event_time"]) is None else float(t)}
        for row in dirty_rows()
    ]
    write_log(site.folder / LOG, rows)
    assert site.build() == 0
    return site


def test_every_row_of_a_dirty_log_is_accounted_for(dirty: Site) -> None:
    manifest = dirty.manifest("build_graph")
    assert manifest["rows_in"] == {"events": 16}
    counts = {"accepted": 5, "quarantined": 4, "duplicate": 2, "outside": 5}
    assert manifest["figures"]["rows"] == counts
    assert {check["name"]: check["passed"] for check in manifest["checks"]} == {
        "row balance": True,
        "quarantine": True,
    }


def test_times_without_meaning_are_quarantined_and_those_out_of_the_window_only_counted(
    dirty: Site,
) -> None:
    reasons = [row["reason"] for row in dirty.rows("quarantine")]
    assert reasons.count("no readable time") == 3
    accounts = {row["node_id"] for row in dirty.rows("nodes") if row["node_type"] == "account"}
    assert accounts == {"Ann", "ann", "bob", "cem", "eve\x00"}


def test_a_field_of_ten_megabytes_is_quarantined_in_brief(dirty: Site) -> None:
    (row,) = (row for row in dirty.rows("quarantine") if row["reason"] == "field over 64 KiB")
    assert row["source"].endswith("/" + LOG)
    assert '"account_id": "eve"' in row["raw"]
    assert f"… ({TEN_MEGABYTES} characters)" in row["raw"]
    assert len(row["raw"].encode()) <= 4096


def test_hexadecimal_ids_are_lowered_and_others_are_not(dirty: Site) -> None:
    degrees = {
        row["node_id"]: row["degree"]
        for row in dirty.rows("nodes")
        if row["node_type"] in ("device", "content")
    }
    assert degrees == {HEX.lower(): 3, "Text": 1, "text": 1}


def test_rows_with_one_event_id_count_once_per_account_the_earliest_first(dirty: Site) -> None:
    events = {row["node_id"]: row["events"] for row in dirty.rows("nodes")}
    assert (events["Ann"], events["ann"], events["bob"]) == (1, 1, 1)
    devices = {row["entity_id"] for row in dirty.rows("edges") if row["account_id"] == "bob"}
    assert devices == {HEX.lower()}, "of two at one time, the smaller in column order, null first"


def test_values_that_identify_nobody_are_counted(dirty: Site) -> None:
    figures = dirty.manifest("build_graph")["figures"]["values_that_identify_nobody"]
    assert figures == {"content": {"placeholder": 1}, "device": {"all_zero": 1}}
