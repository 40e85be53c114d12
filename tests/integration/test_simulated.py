"""A small simulated log through all steps: what is found, what adds up, what no order changes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.evaluation import UNEXPLAINED, Evaluation, evaluate
from tests.integration.conftest import run_simulated
from tests.integration.sites import DAY, Row, Site


@pytest.fixture(scope="module")
def evaluation(simulated: Site) -> Evaluation:
    memberships = pq.read_table(simulated.warehouse.path("memberships", DAY))
    return evaluate(memberships, pq.read_table(simulated.folder / "truth"))


def test_planted_accounts_are_found_and_bystanders_are_not_swept_in(
    evaluation: Evaluation,
) -> None:
    found = evaluation.overall
    assert found.planted >= 50
    assert found.recall is not None and found.recall >= 0.8
    assert sum(evaluation.bystanders.values()) <= 0.02 * found.members


def test_the_largest_network_is_planted_or_a_look_alike_with_a_name(
    evaluation: Evaluation,
) -> None:
    assert evaluation.largest is not None
    assert evaluation.largest.kind != UNEXPLAINED
    assert evaluation.largest.accounts < 300, "no giant component"


def test_every_row_is_accounted_for(simulated: Site) -> None:
    manifest = simulated.manifest("build_graph")
    files = (simulated.folder / "events").rglob("*.parquet")
    rows = sum(pq.read_metadata(file).num_rows for file in files)
    assert manifest["rows_in"]["events"] == rows
    counts = manifest["figures"]["rows"]
    assert sum(counts.values()) == rows
    assert min(counts["quarantined"], counts["duplicate"]) > 0, "simulated logs are dirty"
    assert counts["quarantined"] == len(simulated.rows("quarantine"))
    assert all(check["passed"] for check in manifest["checks"])


def test_every_table_has_its_rows_and_its_key(simulated: Site) -> None:
    written = {}
    for job in ("build_graph", "detect_networks"):
        written |= simulated.manifest(job)["rows_out"]
    assert set(written) == set(simulated.warehouse.tables())
    for name, rows in written.items():
        table = pq.read_table(simulated.warehouse.path(name, DAY))
        description = simulated.warehouse.describe(name, DAY)
        assert table.num_rows == rows == description["rows"], name
        keys = table.select(description["key"])
        assert not any(column.null_count for column in keys.columns), name
        assert keys.group_by(description["key"]).aggregate([]).num_rows == rows, name


def column(rows: list[Row], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_tables_agree_with_each_other(simulated: Site) -> None:
    tables = {name: simulated.rows(name) for name in simulated.warehouse.tables()}
    nodes = column(tables["nodes"], "node_type", "node_id", "degree")
    edges = column(tables["edges"], "account_id", "entity_type", "entity_id")
    degrees = Counter(edge[1:] for edge in edges) + Counter(("account", edge[0]) for edge in edges)
    assert {(kind, node): degree for kind, node, degree in nodes if degree} == dict(degrees)
    members = Counter(row["network_id"] for row in tables["memberships"])
    assert dict(column(tables["networks"], "network_id", "accounts")) == dict(members)
    pairs = set(column(tables["account_links"], "account_a", "account_b"))
    assert all(a < b for a, b in pairs)
    kept = [row for row in tables["links"] if row["kept"]]
    assert pairs == set(column(kept, "account_a", "account_b"))
    linked = {account for pair in pairs for account in pair}
    assert {row["account_id"] for row in tables["components"]} == linked
    network = dict(column(tables["memberships"], "account_id", "network_id"))
    assert network.keys() <= linked


def test_the_order_of_rows_changes_no_value(simulated: Site, tmp_path: Path) -> None:
    for file in (simulated.folder / "events").rglob("*.parquet"):
        table = pq.read_table(file)
        order = random.Random(7).sample(range(table.num_rows), table.num_rows)
        pq.write_table(table.take(pa.array(order)), file, row_group_size=5_000)
    assert run_simulated(simulated, tmp_path / "home") == 0
    other = Site(tmp_path, simulated.engine)
    assert other.warehouse.tables() == simulated.warehouse.tables()
    for name in simulated.warehouse.tables():
        assert other.rows(name) == simulated.rows(name), name
