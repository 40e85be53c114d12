"""Raw rows become events, and every row that does not says why."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from graph.entities import ENTITY_TYPES
from graph.event_times import read_times
from graph.events import EventRules, event_schema, judge_events
from graph.ip_networks import index_ip_networks

DAY_US = 86_400_000_000
NETWORKS = index_ip_networks([{"cidr": "8.8.0.0/16", "asn": 15169, "kind": "hosting"}], date.max)
RULES = EventRules("s", 10 * DAY_US, 20 * DAY_US, ENTITY_TYPES, NETWORKS)
NOON = 12 * 86_400 + 43_200


def judge(
    rows: list[dict[str, object]], schema: pa.Schema | None = None
) -> list[dict[str, object]]:
    raw = pa.RecordBatch.from_pylist([{"source": "log.csv", **row} for row in rows], schema=schema)
    lists = {field.name for field in raw.schema if pa.types.is_list(field.type)}
    judged = judge_events([raw], RULES, event_schema(RULES, lists))
    return [row for batch in judged for row in batch.to_pylist()]


def test_a_row_becomes_an_event() -> None:
    (event,) = judge(
        [
            {
                "account_id": " a1 ",
                "event_time": NOON,
                "event_type": "login",
                "event_id": "e1",
                "device_id": "ABCDEF0123456789ABCD",
                "ip": "::ffff:8.8.8.8",
                "content_hash": "ShortHash",
                "target_id": "",
            }
        ]
    )
    assert event["account_id"] == "a1"
    assert event["event_at"] == datetime(1970, 1, 13, 12, tzinfo=UTC)
    assert event["device"] == "abcdef0123456789abcd"
    assert (event["ip"], event["ip_network"]) == ("8.8.8.8", "AS15169")
    assert event["content"] == "ShortHash"
    assert (event["target"], event["target_reason"]) == (None, "empty")
    assert (event["status"], event["reason"], event["raw"]) == ("accepted", None, None)


def test_what_cannot_be_used_says_why() -> None:
    rows = judge(
        [
            {"account_id": "  ", "event_time": NOON, "ip": "8.8.8.8"},
            {"account_id": "a", "event_time": None, "ip": "8.8.8.8"},
            {"account_id": "a", "event_time": NOON, "ip": "x" * 70_000},
            {"account_id": "a", "event_time": 0, "ip": "8.8.8.8"},
            {"account_id": "a", "event_time": 20 * 86_400, "ip": "8.8.8.8"},
            {"account_id": "a", "event_time": 10 * 86_400, "ip": "10.0.0.1"},
        ]
    )
    assert [(row["status"], row["reason"]) for row in rows] == [
        ("quarantined", "no account"),
        ("quarantined", "no readable time"),
        ("quarantined", "field over 64 KiB"),
        ("outside", None),
        ("outside", None),
        ("accepted", None),
    ]
    assert "8.8.8.8" in str(rows[0]["raw"])
    assert len(str(rows[2]["raw"])) < 1_500
    assert (rows[5]["ip"], rows[5]["ip_reason"], rows[5]["event_type"]) == (
        None,
        "private",
        "event",
    )


def test_list_valued_entities_keep_each_value() -> None:
    schema = pa.schema(
        [
            ("source", pa.string()),
            ("account_id", pa.string()),
            ("event_time", pa.int64()),
            ("ip", pa.list_(pa.string())),
        ]
    )
    rows = judge(
        [
            {"account_id": "a", "event_time": NOON, "ip": ["8.8.8.8", "10.0.0.1"]},
            {"account_id": "b", "event_time": NOON, "ip": None},
            {"account_id": "c", "event_time": NOON, "ip": ["9.9.9.9"]},
        ],
        schema,
    )
    assert [row["ip"] for row in rows] == [["8.8.8.8", None], [], ["9.9.9.9"]]
    assert [row["ip_reason"] for row in rows] == [[None, "private"], [], [None]]
    assert [row["ip_network"] for row in rows] == [["AS15169", None], [], ["9.9.9.0/24"]]


def test_bytes_are_text_where_they_are_utf8_and_quarantined_where_not() -> None:
    schema = pa.schema(
        [
            ("source", pa.string()),
            ("account_id", pa.binary()),
            ("event_time", pa.int64()),
            ("ip", pa.list_(pa.binary())),
        ]
    )
    rows = judge(
        [
            {"account_id": "ä".encode(), "event_time": NOON, "ip": [b"8.8.8.8"]},
            {"account_id": b"b\xff", "event_time": NOON, "ip": None},
            {"account_id": b"c", "event_time": NOON, "ip": [b"8.8.8.8", b"\xfe"]},
            {"account_id": None, "event_time": NOON, "ip": None},
        ],
        schema,
    )
    assert [(row["account_id"], row["reason"]) for row in rows] == [
        ("ä", None),
        ("b\ufffd", "text that is not UTF-8"),
        ("c", "text that is not UTF-8"),
        (None, "no account"),
    ]
    assert rows[0]["ip"] == ["8.8.8.8"]


def test_a_list_counts_as_one_field_and_what_is_kept_of_it_is_short() -> None:
    many = ["8.8.8.8"] * 10_000
    rows = judge(
        [
            {"account_id": "a", "event_time": NOON, "ip": many[:9_000]},
            {"account_id": "a", "event_time": NOON, "ip": many},
            {"account_id": "a" * 65_537, "event_time": NOON, "ip": ["x" * 65_537, "😀"]},
        ]
    )
    assert [row["reason"] for row in rows] == [None, *["field over 64 KiB"] * 2]
    assert all(len(str(row["raw"])) < 2_500 for row in rows[1:])
    assert "… (65537 characters)" in str(rows[2]["raw"])


def test_a_rejected_row_is_kept_up_to_a_limit_of_bytes() -> None:
    rules = replace(RULES, max_raw_bytes=33)
    raw = pa.RecordBatch.from_pylist(
        [{"source": "log.csv", "account_id": None, "event_time": NOON, "ip": "€" * 100}]
    )
    (batch,) = judge_events([raw], rules, event_schema(rules, ()))
    assert batch.column("raw").to_pylist() == ['{"event_time": 1080000, "ip": "']


@pytest.mark.parametrize(
    ("values", "micros"),
    [
        (pa.array([1, None, 2**62]), [1_000_000, None, None]),
        (pa.array([1.5, float("nan"), float("inf")]), [1_500_000, None, None]),
        (pa.array(["1", "1.5", "nan", "soon"]), [1_000_000, 1_500_000, None, None]),
        (pa.array(["1970-01-01T00:00:01Z", "1970-01-01 02:00:01+02:00"]), [1_000_000] * 2),
        (pa.array([datetime(1970, 1, 1, 0, 0, 1)], pa.timestamp("ns")), [1_000_000]),
        (pa.array([True]), [None]),
    ],
)
def test_times_of_any_form(values: pa.Array, micros: list[int | None]) -> None:
    assert read_times(values, "s").to_pylist() == micros
