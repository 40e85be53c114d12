"""Edge-for-edge equality with CooRTweet 2.1.3 on its own data, by its handed-over answers."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.coortweet_rules import Pair, Share, find_pairs, pair, weigh

pytestmark = pytest.mark.reference


@dataclass(frozen=True)
class Case:
    """A run of CooRTweet: its input's file and columns, its answer's tag, its parameters."""

    name: str
    source: str
    columns: tuple[str, str, str, str]
    tag: str
    window: int
    quantile: float
    min_participation: int = 2

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
    Case("russian_60s", RUSSIAN, TWEETS, "rct_tw60_mp2", 60, 0.5),
    Case("russian_10s", RUSSIAN, TWEETS, "rct_tw10_mp2", 10, 0.5),
    Case("german_urls", "german_url_posts.parquet", POSTS, "ger_url_tw30_mp2_ew025", 30, 0.25),
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


@all_cases
def test_the_brute_force_reading_of_the_rules_is_right(case: Case, answers: Path) -> None:
    """It stands for CooRTweet where there is no answer, so it is held to the answers first."""
    found = find_pairs(case.shares(answers), case.window, case.min_participation)
    assert Counter(found) == case.pairs(answers)
    assert dict(weigh(found)) == {key: edge[0] for key, edge in case.edges(answers).items()}


def test_the_brute_force_reading_finds_the_simulated_pairs(
    simulated: list[Share], simulated_pairs: set[frozenset[str]]
) -> None:
    found = find_pairs(simulated, 60, 3)
    assert {frozenset((each.content_id, each.content_id_y)) for each in found} == simulated_pairs
    assert len(simulated_pairs) == 15_113
