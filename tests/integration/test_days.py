"""Several days in a row: networks keep their ids, and a rerun changes only what it should."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.engines.base import Engine
from graph.history import new_network_id
from tests.integration.sites import DAY, Row, Site, event, write_log

FIRST, SECOND, THIRD = (DAY + timedelta(days=shift) for shift in (0, 1, 2))

# Who shares a device on each day. Accounts are named after the network that they begin in.
GROUPS: dict[date, list[str]] = {
    FIRST: ["a1 a2 a3", "b1 b2 b3", "c1 c2 c3 c4 c5 c6 c7", "e1 e2 e3", "f1 f2 f3", "s1 s2 s3 s4"],
    SECOND: ["a1 a2 a3 b1 b2 b3", "c1 c2 c3 c4", "c5 c6 c7", "e1 e2 e3 e4", "g1 g2 g3", "s1 s2 s3"],
    THIRD: ["a1 a2 a3 b1 b2 b3", "c1 c2 c3 c4", "c5 c6 c7", "e1 e2 e3 e4", "f1 f2 f3", "g1 g2 g3"],
}


def write_day(site: Site, day: date, groups: list[str]) -> None:
    """Write a day's log: a device for each group, and ten people with devices of their own."""
    rows = [
        event(account, ds=day, device_id=f"phone of {accounts.split()[0]}")
        for accounts in groups
        for account in accounts.split()
    ]
    passers_by = [event(f"{day:%d}-{number}", ds=day) for number in range(10)]
    write_log(site.folder / "log" / f"ds={day}" / "a.parquet", rows + passers_by)


def run(site: Site, day: date) -> dict[str, list[Row]]:
    """Run both jobs for a day; returns its tables."""
    assert site.build(ds=day) == 0
    assert site.detect(ds=day) == 0
    return site.tables(day)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Site:
    site = Site(tmp_path_factory.mktemp("days"), duckdb_engine)
    site.configure("log", ("account_id", "event_time", "event_type", "device_id"), lookback="1d")
    for day, groups in GROUPS.items():
        write_day(site, day, groups)
    return site


@pytest.fixture(scope="module")
def days(site: Site) -> dict[date, dict[str, list[Row]]]:
    """The tables of three days, run in order."""
    return {day: run(site, day) for day in GROUPS}


def networks(tables: Mapping[str, list[Row]]) -> dict[str, str]:
    """The id of each network by its smallest member."""
    smallest: dict[str, str] = {}
    for row in tables["memberships"]:
        known = smallest.setdefault(row["network_id"], row["account_id"])
        smallest[row["network_id"]] = min(known, row["account_id"])
    return {account: network for network, account in smallest.items()}


def history(tables: Mapping[str, list[Row]]) -> set[tuple[Any, ...]]:
    """Event, ids before and after, accounts before and after."""
    names = ("event", "ids_before", "ids_after", "accounts_before", "accounts_after")
    return {
        tuple(tuple(v) if isinstance(v := row[name], list) else v for name in names)
        for row in tables["history"]
    }


A, B, C, E, F, S = (new_network_id(str(FIRST), f"{name}1") for name in "abcefs")
C5, G = (new_network_id(str(SECOND), name) for name in ("c5", "g1"))

Days = Mapping[date, Mapping[str, list[Row]]]


def test_all_networks_of_the_first_day_are_born(days: Days) -> None:
    sizes = {A: 3, B: 3, C: 7, E: 3, F: 3, S: 4}
    names = {"a1": A, "b1": B, "c1": C, "e1": E, "f1": F, "s1": S}
    assert networks(days[FIRST]) == names
    assert history(days[FIRST]) == {("born", (), (n,), None, size) for n, size in sizes.items()}
    assert {row["network_id"]: row["accounts"] for row in days[FIRST]["networks"]} == sizes


def test_what_happened_by_the_second_day_is_told_and_ids_continue(days: Days) -> None:
    assert networks(days[SECOND]) == {"a1": A, "c1": C, "c5": C5, "e1": E, "g1": G, "s1": S}
    assert history(days[SECOND]) == {
        ("grew", (A,), (A,), 3, 6),
        ("merged", tuple(sorted((A, B))), (A,), 6, 6),
        ("shrank", (C,), (C,), 7, 4),
        ("split", (C,), (C, C5), 7, 7),
        ("grew", (E,), (E,), 3, 4),
        ("dormant", (F,), (), 3, None),
        ("born", (), (G,), None, 3),
        ("shrank", (S,), (S,), 4, 3),
    }
    lineage = {row["network_id"]: row["lineage"] for row in days[SECOND]["networks"]}
    assert lineage == {A: [B], C: [], C5: [C], E: [], G: [], S: []}


def test_a_network_that_comes_back_has_its_old_id(days: Days) -> None:
    assert networks(days[THIRD]) == {"a1": A, "c1": C, "c5": C5, "e1": E, "f1": F, "g1": G}
    assert history(days[THIRD]) == {
        ("revived", (F,), (F,), 3, 3),
        ("dormant", (S,), (), 3, None),
    }
    assert [row["network_id"] for row in days[SECOND]["dormant_networks"]] == [F]
    assert [row["network_id"] for row in days[THIRD]["dormant_networks"]] == [S]


def test_members_keep_the_day_on_which_they_joined(days: Days) -> None:
    joined = {row["account_id"]: row["joined_on"] for row in days[THIRD]["memberships"]}
    assert (joined["e1"], joined["e4"], joined["b1"], joined["f1"]) == (
        FIRST,
        SECOND,
        SECOND,
        THIRD,
    )


def test_profiles_add_up_over_days(days: Days) -> None:
    profile = {row["account_id"]: row for row in days[THIRD]["account_profile"]}
    in_groups = {a for groups in GROUPS.values() for accounts in groups for a in accounts.split()}
    assert len(profile) == len(in_groups) + 3 * 10, "an account is never forgotten"
    noon = {day: datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in GROUPS}
    seen = {
        name: (row["first_seen_ever_at"], row["last_active_at"], row["longest_gap_days"])
        for name, row in profile.items()
    }
    assert seen["a1"] == (noon[FIRST], noon[THIRD], 0)
    assert seen["f1"] == (noon[FIRST], noon[THIRD], 1)
    assert seen["s1"] == (noon[FIRST], noon[SECOND], 0)
    assert seen["g1"] == (noon[SECOND], noon[THIRD], 0)
    assert seen[f"{FIRST:%d}-0"] == (noon[FIRST], noon[FIRST], 0)


def test_a_rerun_of_an_older_day_looks_only_at_what_was_before_it(site: Site, days: Days) -> None:
    assert run(site, SECOND) == days[SECOND]
    assert site.tables(THIRD) == days[THIRD]


def test_a_rerun_replaces_the_day_and_the_same_log_gives_the_same_values(
    site: Site, days: Days
) -> None:
    write_day(site, THIRD, [group for group in GROUPS[THIRD] if group != "f1 f2 f3"])
    changed = run(site, THIRD)
    assert F not in networks(changed).values()
    assert {row["network_id"] for row in changed["dormant_networks"]} == {F, S}
    write_day(site, THIRD, GROUPS[THIRD])
    assert run(site, THIRD) == days[THIRD]
    assert site.manifest("detect_networks", THIRD)["status"] == "done"


def test_a_day_without_events_between_others_is_told(
    tmp_path: Path, duckdb_engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(tmp_path, duckdb_engine)
    site.configure("log", ("account_id", "event_time", "event_type", "device_id"), lookback="7d")
    write_day(site, FIRST, ["a1 a2"])
    write_day(site, THIRD, ["a1 a2 a3"])
    assert site.build(ds=THIRD) == 0
    assert f"no event on {SECOND}: links, profiles" in capsys.readouterr().err
    figures = site.manifest("build_graph", THIRD)["figures"]
    assert figures["accepted_by_day"] == {str(FIRST): 12, str(THIRD): 13}
    assert site.build(ds=FIRST) == 0
    assert "no event on" not in capsys.readouterr().err, "a log may begin within the look-back"
