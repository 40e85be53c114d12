"""A list that keeps accounts out of judgement needs people who answer for each entry."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from graph.trust_lists import PROTECTED_ACCOUNTS, ListRefused, in_force, unknown_trace

DAY = date(2026, 11, 22)
ENTRY: dict[str, Any] = {
    "account_id": "press office",
    "reason": "known to the site",
    "added_by": "one",
    "approved_by": "another",
    "added_at": date(2026, 11, 1),
    "expires_at": date(2027, 4, 1),
}


def kept(day: date = DAY, **changed: Any) -> list[str]:
    table = in_force("protected_accounts", PROTECTED_ACCOUNTS, [ENTRY | changed], day)
    return list(table.column("account_id").to_pylist())


def test_an_entry_holds_from_its_day_until_before_its_expiry() -> None:
    assert kept() == ["press office"]
    assert kept(date(2026, 10, 31)) == []
    assert kept(date(2027, 4, 1)) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"approved_by": "one"}, "added_by and approved_by are the same"),
        ({"approved_by": "One "}, "added_by and approved_by are the same"),
        ({"approved_by": None}, "approved_by must be given"),
        ({"reason": ""}, "reason must be given"),
        ({"expires_at": None}, "expires_at must be given"),
        ({"expires_at": date(2027, 5, 1)}, "more than 180 days"),
    ],
)
def test_an_entry_that_nobody_answers_for_is_refused(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(ListRefused, match=f"protected_accounts, row 1: .*{problem}"):
        kept(**changed)


def test_an_unknown_trace_is_refused_with_the_nearest() -> None:
    traces = ("co_post", "co_like")
    assert unknown_trace({"allowed_traces": "co_post co_like"}, traces) is None
    told = unknown_trace({"allowed_traces": "co_like co_posts"}, traces)
    assert told == "allowed_traces: there is no trace 'co_posts'; did you mean 'co_post'?"
    told = unknown_trace({"allowed_traces": "xyz"}, traces)
    assert told == "allowed_traces: there is no trace 'xyz'; known: co_like, co_post"


def test_all_bad_rows_are_told_at_once_up_to_ten() -> None:
    rows = [ENTRY, *[ENTRY | {"reason": ""}] * 12]
    with pytest.raises(ListRefused, match=r"row 2: reason .*row 11: reason .*; and 2 more$"):
        in_force("protected_accounts", PROTECTED_ACCOUNTS, rows, DAY)
