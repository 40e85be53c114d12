"""Networks followed over days on an engine: ids, history, lineage and dormant networks."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.engines.base import Engine
from graph.frames import F
from graph.history import HISTORY, Older, continue_networks, new_network_id
from graph.identity import DORMANT_NETWORKS, Identities, Published, continue_identities, joined_on
from tests.graph.test_history import Groups, overlaps, partitions

Rows = list[dict[str, object]]


def members_frame(engine: Engine, groups: Groups, key: str, shuffled: int | None = None):  # type: ignore[no-untyped-def]
    rows = [{key: name, "account_id": each} for name, all_ in groups.items() for each in all_]
    if shuffled is not None:
        random.Random(shuffled).shuffle(rows)
    schema = pa.schema([(key, pa.string()), ("account_id", pa.string())])
    return engine.from_arrow(pa.Table.from_pylist(rows, schema))


def rows_of(engine: Engine, frame: object, key: str) -> Rows:
    rows = engine.to_arrow(frame).to_pylist()  # type: ignore[arg-type]
    return sorted(rows, key=lambda row: str(row[key]))


class Days:
    """A warehouse of one table a day, in memory: what a job reads back on the next run."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.published: Published | None = None
        self.history: dict[str, Rows] = {}

    def run(self, ds: str, *networks: Iterable[str], **settings: float) -> dict[str, str]:
        """Run one day and publish it; return the ids by smallest member."""
        groups = {min(each): frozenset(each) for each in networks}
        frame = members_frame(self.engine, groups, "group_id")
        result = continue_identities(self.engine, frame, self.published, ds, **settings)  # type: ignore[arg-type]
        self.history[ds] = rows_of(self.engine, result.history, "event")
        self.published = self._publish(ds, frame, result)
        identities = rows_of(self.engine, result.identities, "group_id")
        return {str(row["group_id"]): str(row["network_id"]) for row in identities}

    def _publish(self, ds: str, groups: object, result: Identities) -> Published:
        frames = (
            groups.join(result.identities, on="group_id").select("network_id", "account_id"),  # type: ignore[attr-defined]
            result.identities.select("network_id", "lineage"),
            result.dormant_networks.select(*DORMANT_NETWORKS.columns),
        )
        engine = self.engine
        return Published(ds, *(engine.from_arrow(engine.to_arrow(frame)) for frame in frames))

    def events(self, ds: str) -> list[tuple[object, object]]:
        return [(row["event"], row["network_id"]) for row in self.history[ds]]

    def column(self, frame: str, column: str) -> dict[object, object]:
        assert self.published is not None
        rows = rows_of(self.engine, getattr(self.published, frame), "network_id")
        return {row["network_id"]: row[column] for row in rows}


@pytest.fixture
def days(engine: Engine) -> Days:
    return Days(engine)


def test_a_network_is_followed_through_its_life(days: Days) -> None:
    ids = days.run("2026-11-01", "abcd", "mno")
    ring, trio = ids["a"], ids["m"]
    assert ring == new_network_id("2026-11-01", "a")
    assert days.events("2026-11-01") == [("born", name) for name in sorted((ring, trio))]

    assert days.run("2026-11-02", "abcde", "mno") == {"a": ring, "m": trio}
    assert days.events("2026-11-02") == [("grew", ring)]

    # The smallest member leaves, and the id stays; a merger takes the larger parent's id.
    assert days.run("2026-11-03", "bcdemno") == {"b": ring}
    assert days.events("2026-11-03") == [("grew", ring), ("merged", ring)]
    assert days.column("networks", "lineage") == {ring: [trio]}

    ids = days.run("2026-11-05", "bcde", "mno")
    part = ids["m"]
    assert ids == {"b": ring, "m": new_network_id("2026-11-05", "m")}
    assert days.events("2026-11-05") == [("shrank", ring), ("split", ring)]
    assert days.column("networks", "lineage") == {ring: [trio], part: [trio, ring]}

    assert days.run("2026-11-06", "mno", "xyz")["m"] == part
    assert ("dormant", ring) in days.events("2026-11-06")
    assert days.column("dormant_networks", "members") == {ring: ["b", "c", "d", "e"]}
    assert days.column("dormant_networks", "last_on") == {ring: date(2026, 11, 5)}

    days.run("2026-11-07", "mno", "xyz")
    assert days.events("2026-11-07") == []

    assert days.run("2026-11-20", "cdef", "mno", "xyz")["c"] == ring
    assert days.events("2026-11-20") == [("revived", ring)]
    assert days.column("networks", "lineage")[ring] == [trio]
    assert days.column("dormant_networks", "members") == {}


def test_history_rows_have_the_declared_columns(days: Days) -> None:
    days.run("2026-11-01", "abc")
    days.run("2026-11-02", "abcd")
    (grew,) = days.history["2026-11-02"]
    ring = new_network_id("2026-11-01", "a")
    assert list(grew) == HISTORY.columns
    assert (grew["ids_before"], grew["ids_after"]) == ([ring], [ring])
    assert (grew["accounts_before"], grew["accounts_after"], grew["overlap_ratio"]) == (3, 4, 0.75)


def test_a_day_without_networks_leaves_all_dormant(days: Days) -> None:
    ring = days.run("2026-11-01", "abc")["a"]
    assert days.run("2026-11-02") == {}
    assert days.events("2026-11-02") == [("dormant", ring)]
    assert days.run("2026-11-03", "abc") == {"a": ring}


def test_dormant_networks_are_forgotten_in_the_end(days: Days) -> None:
    ring = days.run("2026-11-01", "abc")["a"]
    days.run("2026-11-02", remember_days=10)
    days.run("2026-11-11", remember_days=10)
    assert list(days.column("dormant_networks", "last_on")) == [ring]
    days.run("2026-11-12", remember_days=10)
    assert days.column("dormant_networks", "last_on") == {}
    assert days.run("2026-11-13", "abc")["a"] != ring


def test_a_threshold_is_met_exactly(days: Days) -> None:
    """3 of 10 accounts are 0.3, which no float is; 5 of 10 are half of the smaller network."""
    ids = days.run("2026-11-01", "abcdefghij", "ABCDEFGHIJ", "0123456789")
    today = days.run(
        "2026-11-02",
        [*"abcdef", *(f"x{i}" for i in range(10))],  # 6 shared of 20 in either: 0.3
        [*"ABCDE", *(f"y{i}" for i in range(95))],  # 5 of the smaller 10
        [*"0123", *(f"z{i}" for i in range(10))],  # 4 shared of 20, 4 of the smaller 10
    )
    assert today["a"] == ids["a"]
    assert today["A"] == ids["A"]
    assert today["0"] != ids["0"]


def test_a_rerun_and_other_partitions_give_the_same_rows(engine: Engine) -> None:
    older = {"n-1": frozenset("abcdef"), "n-2": frozenset("ghi"), "n-3": frozenset("xyz")}
    today = {"a": frozenset("abcghi"), "d": frozenset("def"), "p": frozenset("pqr")}

    def run(partitions: int, seed: int) -> list[Rows]:
        previous = Published(
            "2026-11-01",
            members_frame(engine, older, "network_id", seed).repartition(partitions),
            engine.from_arrow(
                pa.table({"network_id": list(older), "lineage": [["n-0"], [], None]})
            ),
            engine.from_arrow(DORMANT_NETWORKS.schema.empty_table()),
        )
        groups = members_frame(engine, today, "group_id", seed).repartition(partitions)
        result = continue_identities(engine, groups, previous, "2026-11-02")
        return [
            engine.to_arrow(result.identities).to_pylist(),
            engine.to_arrow(result.history).to_pylist(),
            rows_of(engine, result.dormant_networks, "network_id"),
        ]

    first = run(1, 0)
    assert first == run(1, 0) == run(17, 5)
    assert {(row["network_id"], row["event"]) for row in first[1]} == {
        ("n-1", "shrank"),
        ("n-1", "split"),
        ("n-2", "grew"),
        ("n-2", "merged"),
        ("n-3", "dormant"),
        (new_network_id("2026-11-02", "p"), "born"),
    }
    assert [row["lineage"] for row in first[0]] == [["n-0", "n-1"], ["n-0"], []]


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(partitions("live-"), partitions("asleep-"), partitions("")),
        min_size=60,
        max_size=60,
    )
)
def test_many_small_worlds_equal_the_set_arithmetic(
    engine: Engine, worlds: list[tuple[Groups, Groups, Groups]]
) -> None:
    """Worlds share no account, so one run over all of them tells the same as a run over each."""
    current, dormant, today = (
        {
            f"{number:03}{name}": frozenset(f"{number:03}{account}" for account in members)
            for number, world in enumerate(worlds)
            for name, members in world[which].items()
        }
        for which in range(3)
    )
    asleep = [
        {"network_id": name, "members": sorted(each), "lineage": [], "last_on": date(2026, 10, 1)}
        for name, each in dormant.items()
    ]
    networks = {"network_id": list(current), "lineage": [[] for _ in current]}
    lineage = pa.schema([("network_id", pa.string()), ("lineage", pa.list_(pa.string()))])
    previous = Published(
        "2026-11-01",
        members_frame(engine, current, "network_id"),
        engine.from_arrow(pa.table(networks, lineage)),
        engine.from_arrow(pa.Table.from_pylist(asleep, DORMANT_NETWORKS.schema)),
    )
    groups = members_frame(engine, today, "group_id")
    result = continue_identities(engine, groups, previous, "2026-11-02")

    known = {name: Older(len(each)) for name, each in current.items()}
    known |= {name: Older(len(each), (), True) for name, each in dormant.items()}
    expected = continue_networks(
        "2026-11-02",
        {name: len(each) for name, each in today.items()},
        known,
        overlaps({**current, **dormant}, today),
    )
    assert engine.to_arrow(result.history).to_pylist() == expected.history
    still = rows_of(engine, result.dormant_networks, "network_id")
    assert [row["network_id"] for row in still] == expected.without_successor
    assert {row["network_id"]: row["members"] for row in still} == {
        name: sorted({**current, **dormant}[name]) for name in expected.without_successor
    }


def test_joined_on_is_the_first_day_of_an_unbroken_stay(engine: Engine) -> None:
    def memberships(*accounts: str):  # type: ignore[no-untyped-def]
        return members_frame(engine, {"n": frozenset(accounts)}, "network_id")

    def stays(frame) -> dict[str, date]:  # type: ignore[no-untyped-def]
        return {row["account_id"]: row["joined_on"] for row in engine.to_arrow(frame).to_pylist()}

    first = joined_on(memberships("a", "b"), None, "2026-11-01")
    second = joined_on(memberships("b", "c"), first, "2026-11-02")
    third = joined_on(memberships("a", "b", "c"), second, "2026-11-03")
    assert stays(third) == {
        "a": date(2026, 11, 3),
        "b": date(2026, 11, 1),
        "c": date(2026, 11, 2),
    }
    assert third.where(F.col("joined_on").isNull()).count() == 0
