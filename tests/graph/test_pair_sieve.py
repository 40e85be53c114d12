"""The sieve of pairs loses nothing that a trace keeps, and drops nearly all else."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import pair_sieve, pairing
from graph.config import Trace
from graph.engines.base import Engine
from graph.frames import engine_api
from graph.numbers import Numbers, number_accounts, number_entities
from graph.pair_kernels import Pairs
from graph.pair_sieve import Sieve
from graph.pairs import shared_pairs, windowed_pairs
from graph.tables import TIMESTAMP, columns

EDGES = columns(
    account_id="string", entity_id="string", events="int64", first_at=TIMESTAMP, last_at=TIMESTAMP
)

SIGHTED = columns(
    account_id="string", entity_id="string", event="string", at=TIMESTAMP, may_link="bool"
)

ENTRY = st.tuples(
    st.integers(0, 30),
    st.integers(31, 60),
    st.integers(0, 3),
    st.sampled_from([1, 2, 254, 1 << 40]),
)


def entries(rows: list[tuple[int, int, int, int]]) -> Pairs:
    """Added-up pairs: smaller account, larger account, entity, co-actions."""
    account_a, account_b, entity, co_actions = np.array(rows, np.int64).reshape(-1, 4).T
    zeros = np.zeros(len(account_a), np.int64)
    return Pairs(
        account_a.astype(np.int32),
        account_b.astype(np.int32),
        entity.astype(np.int32),
        co_actions,
        zeros,
        zeros,
        zeros,
    )


def edges(liked: dict[str, set[int]]) -> list[dict[str, Any]]:
    """One like each."""
    once = {"events": 1, "first_at": 0, "last_at": 0}
    return [
        {"account_id": account, "entity_id": f"t{target}", **once}
        for account, targets in liked.items()
        for target in targets
    ]


def numbers_of(engine: Engine, liked: dict[str, set[int]], name: str) -> Numbers:
    """Numbers of all accounts and targets."""
    plain = {"degree": 2, "is_hub": False, "ip_network": "", "ip_kind": ""}
    ids = [("account", account) for account in liked]
    ids += [("target", f"t{target}") for target in set().union(*liked.values())]
    rows = [{"node_type": kind, "node_id": each, **plain} for kind, each in ids]
    nodes = engine.from_arrow(pa.Table.from_pylist(rows))
    return Numbers(
        number_accounts(engine, nodes, name), number_entities(engine, nodes, "target", name), None
    )


@given(
    st.lists(ENTRY, max_size=80, unique_by=lambda entry: entry[:3]),
    st.integers(1, 300),
    st.integers(1, 3),
    st.sampled_from([1, 8, 1 << 16]),
    st.integers(1, 3),
)
def test_pairs_that_are_enough_pass_however_few_counters(
    rows: list[tuple[int, int, int, int]],
    min_co_actions: int,
    min_entities: int,
    size: int,
    layers: int,
) -> None:
    pairs = entries(rows)
    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory() as folder:
        patched.setattr(pair_sieve, "LEAST_BYTES", size)
        patched.setattr(pair_sieve, "MOST_BYTES", size)
        sieve = Sieve(min_co_actions, min_entities)
        for number in range(layers):
            sieve = sieve.finer(Path(folder) / f"{number}", len(rows))
            counted = sieve.count(pairs)
        passed = sieve.let_through(pairs)
        assert len(passed) <= counted <= len(pairs)
    totals: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for account_a, account_b, _, co_actions in rows:
        totals[account_a, account_b][0] += co_actions
        totals[account_a, account_b][1] += 1
    enough = {
        pair
        for pair, (co_actions, entities) in totals.items()
        if co_actions >= min_co_actions and entities >= min_entities
    }
    left = list(zip(passed.account_a.tolist(), passed.account_b.tolist(), strict=True))
    assert enough <= set(left)
    assert all(left.count(pair) == totals[pair][1] for pair in set(left)), "all entries of a pair"


def test_threads_count_together_and_few_pass_without_need(tmp_path: Path) -> None:
    accounts = np.arange(200_000, dtype=np.int32)
    once = [(int(each), 1 << 30, 0, 1) for each in accounts]
    thrice = [(int(each), 1 << 29, entity, 1) for each in accounts[:100] for entity in range(3)]
    sieve = Sieve(min_co_actions=3, min_entities=3).finer(tmp_path / "counters", len(accounts))
    parts = [entries([*once[part::8], *thrice[part::8]]) for part in range(8)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(sieve.count, parts))
    passed = sum(len(sieve.let_through(part)) for part in parts)
    assert 300 <= passed < 20_000, "a counter of three different pairs is rare"
    finer = sieve.finer(tmp_path / "finer", len(accounts))
    assert sum(map(finer.count, parts)) == passed
    assert 300 <= sum(len(finer.let_through(part)) for part in parts) < 1_000


def test_a_file_of_the_same_name_is_another_one(tmp_path: Path) -> None:
    pairs = entries([(each, 1 << 20, 0, 3) for each in range(1_000)])
    for expected in (1, 10_000_000):
        sieve = Sieve(min_co_actions=3, min_entities=1).finer(tmp_path / "counters", expected)
        assert len(sieve.let_through(pairs)) == 0
        sieve.count(pairs)
        assert len(sieve.let_through(pairs)) == len(pairs)


@pytest.fixture(params=["threads", "processes"])
def two_at_once(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Where tasks of the embedded engine run, and where Spark's do."""
    with (
        ThreadPoolExecutor(2)
        if request.param == "threads"
        else ProcessPoolExecutor(2, get_context("spawn"))
    ) as pool:
        yield pool


def count_a_hundred_times(sieve: Sieve, pairs: Pairs) -> None:
    for _ in range(100):
        sieve.count(pairs)


def test_no_count_is_lost_where_tasks_meet(two_at_once: Executor, tmp_path: Path) -> None:
    pairs = entries([(each, 1 << 20, 0, 1) for each in range(100_000)])
    for turn in range(3):
        sieve = Sieve(min_co_actions=200, min_entities=1).finer(tmp_path / f"{turn}", len(pairs))
        list(two_at_once.map(count_a_hundred_times, [sieve, sieve], [pairs, pairs]))
        assert len(sieve.let_through(pairs)) == len(pairs)


@pytest.mark.parametrize(("size", "layers"), [(1 << 16, 1), (16, 2)])
def test_a_trace_finds_the_same_pairs_whatever_room_its_sieve_has(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch, size: int, layers: int
) -> None:
    """A hundred accounts like six of forty targets each; some share three."""
    chance = random.Random(7)
    liked = {f"a{n:03}": set(chance.sample(range(40), 6)) for n in range(100)}
    shared = {(a, b): liked[a] & liked[b] for a, b in combinations(sorted(liked), 2)}
    files: list[Path] = []
    new_layer = Sieve.finer

    def finer(sieve: Sieve, file: Path, pairs: int) -> Sieve:
        files.append(file)
        return new_layer(sieve, file, pairs)

    monkeypatch.setattr(Sieve, "finer", finer)
    monkeypatch.setattr(pair_sieve, "LEAST_BYTES", size)
    monkeypatch.setattr(pair_sieve, "MOST_BYTES", size)
    monkeypatch.setattr(pairing, "ROWS_TO_SIFT", 1)
    trace = Trace(entity="target", family="target", events=["like"], min_entities=3)
    with engine_api(any_engine.api_root):
        frames = any_engine.from_arrow(pa.Table.from_pylist(edges(liked), EDGES))
        found = shared_pairs(
            any_engine,
            f"sieve-{size}",
            trace,
            frames,
            frames.select("account_id").distinct(),
            frames.select("entity_id").distinct(),
            numbers_of(any_engine, liked, f"sieve-{size}"),
        )
        rows = any_engine.to_arrow(found.pairs).to_pylist()
    assert {(row["account_a"], row["account_b"], row["entity_id"]) for row in rows} == {
        (*pair, f"t{target}")
        for pair, targets in shared.items()
        if len(targets) >= 3
        for target in targets
    }
    assert len(files) == layers and not any(file.exists() for file in files)


@pytest.mark.parametrize("shared", [False, True], ids=["ids of their own", "an id in common"])
def test_events_of_one_id_are_no_pair_though_pairs_are_sifted(
    any_engine: Engine, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    """Two accounts act on the same three contents; where they share an event id, on two."""
    monkeypatch.setattr(pairing, "ROWS_TO_SIFT", 1)
    acts = {"a": "123", "b": f"{1 if shared else 4}56", "c": "789"}
    rows = [
        {
            "account_id": account,
            "entity_id": f"t{target}",
            "event": event,
            "at": 0,
            "may_link": True,
        }
        for account, events in acts.items()
        for target, event in enumerate(events)
    ]
    trace = Trace(entity="content", family="content", window="1s", min_co_actions=3)
    liked = {account: {0, 1, 2} for account in acts}
    name = f"events-{shared}"
    with engine_api(any_engine.api_root):
        frame = any_engine.from_arrow(pa.Table.from_pylist(rows, SIGHTED))
        present = frame.select("account_id").distinct()
        numbers = numbers_of(any_engine, liked, name)
        found = windowed_pairs(any_engine, name, trace, frame, present, numbers, None)
        pairs = any_engine.to_arrow(found.pairs.select("account_a", "account_b")).to_pylist()
    linked = {(row["account_a"], row["account_b"]) for row in pairs}
    assert linked == {("a", "c"), ("b", "c")} | (set() if shared else {("a", "b")})
