"""Small inputs get their declared types, or say which value does not fit."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from graph.engines.base import UNPARSED
from graph.tables import TIMESTAMP, columns
from jobs.input_types import MISTAKE, conform

SCHEMA = columns(
    cidr="string", asn="int64", shared="bool", valid_from=pa.date32(), seen_at=TIMESTAMP
).append(pa.field(MISTAKE, pa.string()))


def conformed(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    (batch,) = conform([pa.RecordBatch.from_pylist(list(rows))], SCHEMA)
    return batch.to_pylist()


def test_texts_become_what_is_declared_and_blank_ones_nothing() -> None:
    given = {"cidr": " 8.8.8.0/24 ", "asn": "15169", "shared": "true"}
    times = {"valid_from": "2026-11-22", "seen_at": "2026-11-22T10:00:00Z"}
    first, second = conformed(given | times, dict.fromkeys([*given, *times]) | {"cidr": "  "})
    assert first == {
        "cidr": "8.8.8.0/24",
        "asn": 15169,
        "shared": True,
        "valid_from": date(2026, 11, 22),
        "seen_at": datetime(2026, 11, 22, 10, tzinfo=UTC),
        MISTAKE: None,
    }
    assert set(second.values()) == {None}


def test_a_mistake_says_in_which_row_it_is() -> None:
    first, second = conformed({"cidr": " 8.8.8.0/24", "shared": "yes!"}, {"shared": "no!"})
    assert first[MISTAKE] == "cidr '8.8.8.0/24': shared 'yes!' is no `true` or `false`"
    assert second[MISTAKE] == "shared 'no!' is no `true` or `false`"
    schema = columns(entity_type="string", entity_id="string", seen_at=TIMESTAMP)
    row = {"entity_type": "ip", "entity_id": "9.9.9.9", "seen_at": "soon"}
    (batch,) = conform(
        [pa.RecordBatch.from_pylist([row])], schema.append(pa.field(MISTAKE, pa.string()))
    )
    assert batch.column(MISTAKE)[0].as_py().startswith("entity_id '9.9.9.9': seen_at 'soon' is no ")


def test_typed_columns_stay_and_absent_ones_are_null() -> None:
    (row,) = conformed({"asn": 7.0, "valid_from": datetime(2026, 11, 22, 23), "shared": False})
    assert (row["asn"], row["valid_from"], row["shared"]) == (7, date(2026, 11, 22), False)
    assert row["cidr"] is row["seen_at"] is row[MISTAKE] is None


@pytest.mark.parametrize(
    ("column", "value", "mistake"),
    [
        ("asn", "AS15169", "asn 'AS15169' is no whole number"),
        ("asn", 1.5, "asn '1.5' is no whole number"),
        ("shared", "perhaps", "shared 'perhaps' is no `true` or `false`"),
        ("valid_from", "soon", "valid_from 'soon' is no day (2026-11-22)"),
        ("seen_at", "x" * 500, f"seen_at '{'x' * 100}' is no time (2026-11-22T10:00:00Z)"),
        (UNPARSED, "1,2,3", "a row that cannot be parsed: 1,2,3"),
    ],
)
def test_a_value_that_does_not_fit_is_told(column: str, value: Any, mistake: str) -> None:
    wrong, right = conformed({column: value}, {column: None})
    assert (wrong[MISTAKE], right[MISTAKE]) == (mistake, None)
