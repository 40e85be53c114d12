"""Edge-for-edge equality with CooRTweet 2.1.3 on its own data, by its handed-over answers."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graph.components import find_components
from graph.config import Config
from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.traces import TraceLinks, trace_links
from jobs.configuration import load
from tests.coortweet_rules import Pair, Share, find_pairs, pair, weigh
from tests.graph.tables import graph_tables

EXAMPLES = Path(__file__).parents[2] / "conf" / "examples"
TRACE = "co_post"


@dataclass(frozen=True)
class Case:
    """A run of CooRTweet: its input's file and columns, its answer's tag, its parameters.

    The settings that are to give the same are conf/examples/coortweet_<name>.yaml.
    """

    name: str
    source: str
    columns: tuple[str, str, str, str]
    tag: str
    window: int
    min_participation: int = 2

    def config(self, *overrides: str) -> Config:
        return load([EXAMPLES / f"coortweet_{self.name}.yaml"], overrides)

    def shares(self, folder: Path) -> list[Share]:
        table = pq.read_table(folder / self.source, columns=list(self.columns))
        ids = [table.column(name).cast(pa.string()).to_pylist() for name in self.columns[:3]]
        seconds = table.column(self.columns[3]).to_pylist()
        return [Share(*row) for row in zip(*ids, seconds, strict=True)]

    def pairs(self, folder: Path) -> Counter[Pair]:
        return Counter(_pair(row) for row in rows(folder / f"{self.tag}_pairs.csv.gz"))

    def edges(self, folder: Path) -> dict[tuple[str, str], tuple[int, float, bool]]:
        """Weight, average time delta in seconds, and whether the weight passes the quantile."""
        return {
            _ordered(row["from"], row["to"]): (
                int(row["weight"]),
                float(row["avg_time_delta"]),
                row["weight_threshold"] == "1",
            )
            for row in rows(folder / f"{self.tag}_edges.csv.gz")
        }

    def components(self, folder: Path, column: str) -> set[frozenset[str]]:
        members: dict[str, set[str]] = {}
        for row in rows(folder / f"{self.tag}_components.csv.gz"):
            if row[column]:
                members.setdefault(row[column], set()).add(row["account_id"])
        return {frozenset(each) for each in members.values()}


TWEETS = ("object_id", "account_id", "content_id", "timestamp_share")
POSTS = ("url_id", "account_id", "post_id", "timestamp")
RUSSIAN = "russian_coord_tweets.parquet"
CASES = [
    Case("russian_60s", RUSSIAN, TWEETS, "rct_tw60_mp2", 60),
    Case("russian_10s", RUSSIAN, TWEETS, "rct_tw10_mp2", 10),
    Case("german_urls", "german_url_posts.parquet", POSTS, "ger_url_tw30_mp2_ew025", 30),
]
all_cases = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _pair(row: dict[str, str]) -> Pair:
    # The answer on German posts prefixes its objects.
    object_id = row["object_id"].removeprefix("url_")
    one = Share(object_id, row["account_id"], row["content_id"], 0)
    other = Share(object_id, row["account_id_y"], row["content_id_y"], int(row["time_delta"]))
    return pair(one, other)


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


@pytest.fixture
def answers(reference_data: Path) -> Path:
    return reference_data / "coortweet"


@pytest.fixture
def simulated(answers: Path) -> list[Share]:
    """CooRTweet's own simulation; its answer was made with 60 s and min_participation 3."""
    return [
        Share(row["object_id"], row["account_id"], row["content_id"], int(row["timestamp_share"]))
        for row in rows(answers / "sim_input.csv.gz")
    ]


@pytest.fixture
def simulated_pairs(answers: Path) -> set[frozenset[str]]:
    """The contents of each pair that the simulation made on purpose."""
    return {
        frozenset((row["content_id"], row["content_id_y"]))
        for row in rows(answers / "sim_expected_pairs.csv.gz")
        if row["coordinated"] == "TRUE"
    }


def find_links(engine: Engine, shares: list[Share], config: Config, name: str) -> TraceLinks:
    """Run the trace on shares, from raw rows to links, through the functions of the jobs."""
    columns = config.events.columns
    rows = [
        {
            columns["content_hash"]: share.object_id,
            columns["account_id"]: share.account_id,
            columns["event_id"]: share.content_id,
            columns["event_time"]: share.second,
        }
        for share in shares
    ]
    first = min(share.second for share in shares)
    first_day = datetime.fromtimestamp(first, UTC).date().isoformat()
    tables = graph_tables(engine, pa.Table.from_pylist(rows), config, first_day, name=name)
    found = trace_links(engine, TRACE, config.traces[TRACE], tables, config)
    return replace(found, links=engine.materialize(found.links, f"{name}.links"))


def pairs_by_object(pairs: Counter[Pair]) -> Counter[tuple[str, str, str]]:
    """Pairs of shares of each two accounts and object: what link_evidence counts."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for each, times in pairs.items():
        counts[(*_ordered(each.account_id, each.account_id_y), each.object_id)] += times
    return counts


def evidence_of(engine: Engine, found: TraceLinks) -> Counter[tuple[str, str, str]]:
    rows = engine.to_arrow(found.evidence).to_pylist()
    named = {(row["account_a"], row["account_b"], row["entity_id"]): row for row in rows}
    assert len(named) == len(rows)
    return Counter({key: row["co_actions"] for key, row in named.items()})


def components_of(engine: Engine, links: DataFrame) -> set[frozenset[str]]:
    members: dict[str, set[str]] = {}
    for row in engine.to_arrow(find_components(engine, links)).to_pylist():
        members.setdefault(row["component_id"], set()).add(row["account_id"])
    return {frozenset(each) for each in members.values()}


@pytest.mark.reference
@all_cases
def test_pairs_weights_thresholds_and_components_equal_coortweet(
    case: Case, answers: Path, engine: Engine
) -> None:
    found = find_links(engine, case.shares(answers), case.config(), case.name)
    assert evidence_of(engine, found) == pairs_by_object(case.pairs(answers))

    links = engine.to_arrow(found.links).to_pylist()
    expected = case.edges(answers)
    assert {
        (row["account_a"], row["account_b"]): (row["weight"] // 1_000_000, row["kept"])
        for row in links
    } == {key: (weight, kept) for key, (weight, _, kept) in expected.items()}
    for row in links:
        average = row["time_delta_us"] / row["co_actions"] / 1_000_000
        assert average == pytest.approx(expected[row["account_a"], row["account_b"]][1])

    kept = found.links.filter(F.col("kept"))
    assert components_of(engine, kept) == case.components(answers, "component_thr")
    assert components_of(engine, found.links) == case.components(answers, "component_all")


@pytest.mark.embedded
@pytest.mark.reference
def test_a_run_without_a_filter_keeps_all_links(answers: Path, engine: Engine) -> None:
    case = CASES[1]
    config = case.config("traces.co_post.filter=none")
    found = find_links(engine, case.shares(answers), config, "unfiltered")
    kept = found.links.filter(F.col("kept"))
    assert components_of(engine, kept) == case.components(answers, "component_all")


@pytest.mark.reference
def test_the_simulated_pairs_are_found_and_no_others(
    simulated: list[Share], simulated_pairs: set[frozenset[str]], engine: Engine
) -> None:
    config = load([EXAMPLES / "coortweet_simulation.yaml"])
    found = find_links(engine, simulated, config, "simulation")
    by_content = {share.content_id: share for share in simulated}
    expected = Counter(pair(*(by_content[each] for each in two)) for two in simulated_pairs)
    assert len(by_content) == len(simulated)
    assert evidence_of(engine, found) == pairs_by_object(expected)


accounts = st.sampled_from([f"account-{letter}" for letter in "abcdefg"])
objects = st.sampled_from(["o1", "o2", "o3", "c1"])
contents = st.integers(1, 24).map(lambda number: f"c{number}")
shares_of_few = st.lists(
    st.builds(Share, objects, accounts, contents, st.integers(0, 40)), max_size=30
)
WORLDS = 40


@settings(
    max_examples=3,
    # A run costs seconds, so a failure is shown as it is found.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(shares_of_few, min_size=WORLDS, max_size=WORLDS))
def test_other_inputs_equal_the_rules_by_brute_force(
    engine: Engine, worlds: list[list[Share]]
) -> None:
    """Content ids that occur twice, equal an object or pass between accounts; equal rows; ties.

    Worlds share no id, so one run over all of them finds what a run over each would find.
    """
    shares = [
        Share(*(f"{number}.{each}" for each in share[:3]), share.second)
        for number, world in enumerate(worlds)
        for share in world
    ]
    case = CASES[1]
    found = find_links(engine, shares, case.config(), "worlds") if shares else None
    expected = Counter(find_pairs(shares, case.window, case.min_participation))
    assert (evidence_of(engine, found) if found else Counter()) == pairs_by_object(expected)


@pytest.mark.reference
@all_cases
def test_the_brute_force_reading_of_the_rules_is_right(case: Case, answers: Path) -> None:
    """It stands for CooRTweet where there is no answer, so it is held to the answers first."""
    found = find_pairs(case.shares(answers), case.window, case.min_participation)
    assert Counter(found) == case.pairs(answers)
    assert dict(weigh(found)) == {key: edge[0] for key, edge in case.edges(answers).items()}


@pytest.mark.reference
def test_the_brute_force_reading_finds_the_simulated_pairs(
    simulated: list[Share], simulated_pairs: set[frozenset[str]]
) -> None:
    found = find_pairs(simulated, 60, 3)
    assert {frozenset((each.content_id, each.content_id_y)) for each in found} == simulated_pairs
    assert len(simulated_pairs) == 15_113
