"""`communities.mode: cdlp` through the job: LDBC Graphalytics' rule over the day's own links."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import networkx as nx
import pytest

from graph.engines.base import Engine
from graph.history import new_network_id
from tests.integration.sites import DAY, Row, Site, event, write_log

COLUMNS = ("account_id", "event_time", "event_type", "device_id")
DEVICES = [
    *(["a1", "a2"], ["a2", "a3"], ["a1", "a3"], ["a3", "a4"], ["a1", "a4"]),
    *(["b1", "b2"], ["b2", "b3"], ["b1", "b3"], ["b3", "b4"], ["b2", "b4"]),
    *(["a4", "b1"], ["c1", "c2"], ["c2", "c3"], ["c3", "c4"], ["c4", "c1"]),
]


def by_cdlp(links: list[tuple[str, str]], rounds: int) -> dict[str, str]:
    """In each round everybody takes the most frequent label of the neighbours, the smallest of
    several."""
    neighbours = defaultdict(list)
    for a, b in links:
        neighbours[a].append(b)
        neighbours[b].append(a)
    labels = {account: account for account in neighbours}
    for _ in range(rounds):
        votes = {a: Counter(labels[other] for other in near) for a, near in neighbours.items()}
        labels = {
            account: min(label for label, n in counted.items() if n == max(counted.values()))
            for account, counted in votes.items()
        }
    return labels


@pytest.mark.parametrize("rounds", [1, 2, 3, 5])
def test_memberships_follow_the_rule_for_a_fixed_number_of_rounds(
    tmp_path: Path, duckdb_engine: Engine, rounds: int
) -> None:
    site = Site(tmp_path, duckdb_engine)
    rows: list[Row] = [
        event(account, device_id=f"device {number}")
        for number, accounts in enumerate(DEVICES)
        for account in accounts
    ]
    write_log(site.folder / "log.parquet", rows)
    networks = {"min_size": 2, "small": 0, "max_rounds": rounds}
    site.configure("log.parquet", COLUMNS, communities={"mode": "cdlp"}, networks=networks)
    assert (site.build(), site.detect()) == (0, 0)
    links = [(row["account_a"], row["account_b"]) for row in site.rows("account_links")]
    assert sorted(links) == sorted(tuple(sorted(accounts)) for accounts in DEVICES)
    labels = by_cdlp(links, rounds)
    # Synchronous rounds may give one label to accounts that nothing links: they are no network.
    inside = nx.Graph((a, b) for a, b in links if labels[a] == labels[b])
    members = {row["account_id"]: row for row in site.rows("memberships")}
    assert {account: row["community_id"] for account, row in members.items()} == {
        account: labels[account] for account in inside
    }
    by_network = defaultdict(set)
    for account, row in members.items():
        by_network[row["network_id"]].add(account)
    parts = {min(part): part for part in nx.connected_components(inside)}
    assert {min(accounts): accounts for accounts in by_network.values()} == parts
    assert by_network.keys() == {new_network_id(str(DAY), smallest) for smallest in parts}
