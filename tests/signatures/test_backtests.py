"""A backtest: what is new, what is explained, by market; and the days that promotion needs."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.engines.base import Engine
from graph.features.computed import ACCOUNT_FEATURE_NAMES, NETWORK_FEATURE_NAMES
from signatures.backtests import (
    BACKTESTS,
    COUNTED,
    Day,
    backtest_rows,
    count,
    longest_run,
    matched,
    that_count,
)
from signatures.calibration import ALL
from signatures.findings import FINDINGS
from signatures.inclusions import INCLUSIONS
from tests.signatures.label_rows import SOUND
from tests.signatures.reviewed import DAY, signature

FARM = signature("Device farm")


def wide(names: list[str], keys: list[str], rows: list[dict[str, Any]]) -> pa.Table:
    schema = pa.schema([*((key, pa.string()) for key in keys), *((n, pa.float64()) for n in names)])
    return pa.Table.from_pylist([dict.fromkeys(names) | row for row in rows], schema=schema)


def finding(network: str, signature_id: str, benign: bool = False) -> dict[str, Any]:
    return {
        "subject_type": "network",
        "subject_id": network,
        "network_id": network,
        "signature_id": signature_id,
        "benign": benign,
    }


@pytest.fixture
def day(engine: Engine) -> Day:
    """Four farms, of which one is known, one explained and one new, and a network that is none."""
    positive = dict(FARM.tests.positive[0].features)
    farms = ["fresh", "known", "explained", "itself"]
    networks = [{"network_id": name, **positive} for name in farms] + [{"network_id": "quiet"}]
    inclusions = [
        {
            "network_id": name,
            "account_id": f"{name}-{place}",
            "market": ["de", "fr", None][place],
            "reasons": [],
        }
        for name in [*farms, "quiet"]
        for place in range(3)
    ]
    findings = [
        finding("known", "another"),
        finding("explained", "innocent", benign=True),
        finding("itself", str(FARM.id)),
    ]
    tables = [
        wide(NETWORK_FEATURE_NAMES, ["network_id"], networks),
        wide(ACCOUNT_FEATURE_NAMES, ["network_id", "account_id"], []),
        pa.Table.from_pylist(findings, schema=FINDINGS.schema),
        pa.Table.from_pylist(inclusions, schema=INCLUSIONS.schema),
        pa.table({"account_id": ["fresh-0", "quiet-1"]}),
    ]
    return Day(*(engine.from_arrow(table) for table in tables))


def test_a_backtest_tells_what_is_new_and_what_is_innocent(engine: Engine, day: Day) -> None:
    counted = {row["market"]: row for row in count(engine, matched(engine, day, FARM))}
    assert counted[ALL] == {
        "market": ALL,
        "networks": 4,
        "accounts": 12,
        "new_networks": 3,
        "new_accounts": 9,
        "explained_networks": 1,
        "explained_accounts": 3,
        "benign_accounts": 1,
    }
    assert set(counted) == {ALL, "de", "fr"}
    assert {counted[name]["accounts"] for name in ("de", "fr")} == {4}
    assert [counted[name]["benign_accounts"] for name in ("de", "fr")] == [1, 0]
    nothing = {"market": ALL, **dict.fromkeys(COUNTED, 0)}
    assert count(engine, matched(engine, day, signature("Copypasta ring"))) == [nothing]
    rows = backtest_rows(FARM, DAY, counted.values(), SOUND["labelled_at"])
    assert pa.Table.from_pylist(rows, schema=BACKTESTS.schema).num_rows == 3


def backtests_of(*ages: int, form: str = "form", hours: int = 1) -> list[dict[str, Any]]:
    """Backtests of days so long before DAY."""
    at = SOUND["labelled_at"] + timedelta(hours=hours)
    told = {"signature_sha256": form, "market": ALL, "backtested_at": at}
    return [told | {"ds": DAY - timedelta(days=age)} for age in ages]


def test_days_count_that_were_tested_lately_in_the_present_form() -> None:
    def ages(rows: list[dict[str, Any]]) -> list[int]:
        found = that_count(rows, "form", SOUND["labelled_at"], DAY)
        return [(DAY - row["ds"]).days for row in found]

    week = range(7)
    assert ages(backtests_of(*week)) == [6, 5, 4, 3, 2, 1, 0]
    assert ages(backtests_of(*week, form="another")) == []
    assert ages(backtests_of(*week, hours=0)) == [], "it was demoted since"
    assert ages(backtests_of(*range(300, 307))) == [], "that was another year's platform"
    assert ages(backtests_of(*range(26, 33))) == [29, 28, 27, 26]
    again = backtests_of(3, hours=2)
    assert again[0] in that_count([*again, *backtests_of(*week)], "form", SOUND["labelled_at"], DAY)


@given(st.sets(st.integers(0, 30)), st.integers(0, 30))
def test_the_longest_run_is_of_days_in_a_row(days: set[int], start: int) -> None:
    first = date(2026, 11, 1)
    run = longest_run(first + timedelta(days=day) for day in days)
    found = [(each - first).days for each in run]
    assert set(found) <= days
    assert all(later - earlier == 1 for earlier, later in pairwise(found))
    length = next(n for n in range(32) if start + n not in days)
    assert len(found) >= length
