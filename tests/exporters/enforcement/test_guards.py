"""Each guard just at its limit, and just above it; nothing passes what should stop."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.enforcement.guards import Figures, Freeze, Outcomes, stops
from graph.enforcement_settings import Caps, EnforcementSettings, Hold

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SETTINGS = EnforcementSettings(
    caps=Caps(
        batch=100,
        signature=50,
        market=40,
        population=0.1,
        baseline_factor=2.0,
        baseline_least=60,
    ),
    hold=Hold(overturned=2, share=0.05),
)
FREEZE = Freeze(None, "looks wrong", "lead", "2026-11-22")


def hits(**figures: Any) -> list[str]:
    known = {"rows": 10, "active_accounts": 10_000}
    return [stop.guard for stop in stops(Figures(**{**known, **figures}), SETTINGS)]


@pytest.mark.parametrize(
    ("passes", "stopped", "guard"),
    [
        ({"by_signature": {"s": 50}}, {"by_signature": {"s": 51}}, "signature cap"),
        ({"by_market": {"de": 40, "fr": 40}}, {"by_market": {"de": 41}}, "market cap"),
        ({"by_market": {"": 40}}, {"by_market": {"": 41}}, "market cap"),
        ({"active_accounts": 100}, {"active_accounts": 99}, "population cap"),
        ({"active_accounts": 100}, {"active_accounts": None}, "population cap"),
        ({"active_accounts": 100}, {"active_accounts": 0}, "population cap"),
        ({"rows": 60}, {"rows": 61}, "volume baseline"),
        ({"rows": 30, "released_today": 30}, {"rows": 30, "released_today": 31}, "volume baseline"),
        (
            {"rows": 80, "released_by_day": [10, 40, 300]},
            {"rows": 81, "released_by_day": [10, 40, 300]},
            "volume baseline",
        ),
        ({}, {"protected": 1}, "protected"),
        ({}, {"cleared": 1}, "cleared"),
        ({}, {"wrong_role": 1}, "subject role"),
        ({}, {"unmeasured": 1}, "measured precision"),
        ({}, {"repeated": 1}, "one decision"),
        ({}, {"moved_on": 1}, "decisions"),
        ({"list_moved": 0.1}, {"list_moved": 0.11}, "list change"),
        ({"list_moved": 0.9, "acknowledged": True}, {"list_moved": 0.9}, "list change"),
        ({"list_moved": None}, {"list_moved": math.inf}, "list change"),
        ({"freezes": [replace(FREEZE, signature="other")]}, {"freezes": [FREEZE]}, "freeze"),
        (
            {"freezes": [replace(FREEZE, signature="s")]},
            {"freezes": [replace(FREEZE, signature="s")], "by_signature": {"s": 1}},
            "freeze",
        ),
        (
            {"outcomes": [Outcomes("network", "n1", 2, 1), Outcomes("signature", "s", 41, 2)]},
            {"outcomes": [Outcomes("network", "n1", 40, 2)]},
            "overturn hold",
        ),
        (
            {"now": NOW, "last_audit_at": NOW},
            {"now": NOW, "last_audit_at": NOW + timedelta(seconds=1)},
            "clock",
        ),
    ],
)
def test_a_guard_stops_above_its_limit(
    passes: dict[str, Any], stopped: dict[str, Any], guard: str
) -> None:
    assert guard not in hits(**passes)
    assert guard in hits(**stopped)


def test_a_batch_has_a_cap() -> None:
    assert "batch cap" in hits(rows=101)
    assert "batch cap" not in hits(rows=100)


def test_a_stop_names_the_guard_the_figure_and_the_limit() -> None:
    (stop,) = stops(Figures(rows=10, active_accounts=100, by_market={"de": 41}), SETTINGS)
    assert str(stop) == "guard market cap: 41 accounts, limit 40: market de"


@pytest.mark.parametrize(
    ("figures", "line"),
    [
        (
            {"freezes": [FREEZE]},
            "guard freeze: 1 freeze, limit 0: all releases since 2026-11-22 by lead: looks wrong",
        ),
        (
            {"active_accounts": None},
            "guard population cap: 0 days have a graph, limit at least 1: no share of the active "
            "accounts can be told",
        ),
        (
            {"outcomes": [Outcomes("network", "n1", 3, 2)]},
            "guard overturn hold: 2 of 3 appeals overturned, limit fewer than 2, or less than 5%: "
            "network n1: look at its decisions, retract what is wrong; then an approver may lift "
            "it by `actorgraph unfreeze --network n1`",
        ),
    ],
)
def test_a_stop_is_a_sentence(figures: dict[str, Any], line: str) -> None:
    (stop,) = stops(Figures(**{"rows": 1, "active_accounts": 1000, **figures}), SETTINGS)
    assert str(stop) == line


def test_accounts_are_named_aloud_and_not_where_it_is_kept() -> None:
    (stop,) = stops(
        Figures(rows=1, active_accounts=1000, protected=2, first={"protected": ["a1", "a2"]}),
        SETTINGS,
    )
    assert "a1" not in str(stop)
    assert stop.aloud.endswith("; account a1, a2")


def test_only_what_may_pass_later_leaves_approvals_as_they_are() -> None:
    lasting = {
        stop.guard
        for stop in stops(
            Figures(
                rows=10,
                protected=1,
                active_accounts=100,
                freezes=[FREEZE],
                outcomes=[Outcomes("batch", "b", 2, 2)],
                now=NOW,
                last_audit_at=NOW + timedelta(1),
            ),
            SETTINGS,
        )
        if stop.voids
    }
    assert lasting == {"protected"}


COUNTS = st.integers(0, 120)


@given(
    rows=COUNTS,
    market=COUNTS,
    signature=COUNTS,
    people=st.tuples(*[st.integers(0, 1)] * 5),
    active=st.none() | st.integers(0, 2000),
    today=COUNTS,
)
def test_what_passes_breaks_no_limit(
    rows: int,
    market: int,
    signature: int,
    people: tuple[int, ...],
    active: int | None,
    today: int,
) -> None:
    names = ("protected", "cleared", "wrong_role", "repeated", "moved_on")
    figures = Figures(
        rows=rows,
        by_market={"de": market},
        by_signature={"s": signature},
        active_accounts=active,
        released_today=today,
        **dict(zip(names, people, strict=True)),
    )
    sound = (
        rows <= 100
        and market <= 40
        and signature <= 50
        and not any(people)
        and rows <= (0 if active is None else active * 0.1)
        and rows + today <= 60
    )
    assert sound == (not stops(figures, SETTINGS))
