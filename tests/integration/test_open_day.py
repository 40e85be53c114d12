"""Analysts look for motifs in a day's graph."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from graph.engines.base import Engine, InputError
from graph.frame import open_day
from tests.integration.sites import DAY, Site, event, write_log

pytestmark = [pytest.mark.spark, pytest.mark.graphframes, pytest.mark.usefixtures("graphframes")]

SHARED_BY_TWO = "(a)-[d1]->(d); (b)-[d2]->(d); (a)-[c1]->(c); (b)-[c2]->(c)"

LOG = [
    event("ann", 9, device_id="tablet", content_hash="slogan"),
    event("bob", 10, device_id="tablet", content_hash="slogan"),
    event("bob", 11, device_id="tablet", content_hash="slogan"),
    event("cem", device_id="tablet", content_hash="poem"),
    event("dan", content_hash="slogan"),
    *(event(account, device_id="kiosk", content_hash="meme") for account in "efgh"),
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Site:
    """A day on which only ann and bob share a device and a content, hubs aside."""
    site = Site(tmp_path_factory.mktemp("open-day"), duckdb_engine)
    columns = ("account_id", "event_time", "event_type", "device_id", "content_hash")
    site.configure("log.parquet", columns, hubs={"device": {"soft": 3, "hard": 3}})
    write_log(site.folder / "log.parquet", LOG)
    assert site.build() == 0
    return site


def test_a_motif_finds_two_accounts_that_share_a_device_and_a_content(
    published: Site, spark_engine: Engine
) -> None:
    session = spark_engine.session  # type: ignore[attr-defined]
    day = open_day(DAY, published.home, session).filterVertices("NOT is_hub")
    found = (
        day.find(SHARED_BY_TWO)
        .filter("a.id < b.id AND d.node_type = 'device' AND c.node_type = 'content'")
        .selectExpr("a.node_id", "b.node_id", "d.node_id", "c.node_id", "d2.relationship")
    )
    assert [tuple(row) for row in found.collect()] == [
        ("ann", "bob", "tablet", "slogan", "USED_DEVICE")
    ]


def test_vertices_and_edges_are_the_day_s_tables(published: Site) -> None:
    day = open_day(str(DAY), published.home)
    vertices = {row["id"]: row for row in day.vertices.collect()}
    assert {row["node_id"] for row in published.rows("nodes")} == {
        row["node_id"] for row in vertices.values()
    }
    assert (vertices["device:tablet"]["degree"], vertices["device:tablet"]["is_hub"]) == (3, False)
    assert vertices["device:kiosk"]["hub_reason"] == "degree"
    edges = {(row["src"], row["dst"]): row for row in day.edges.collect()}
    assert len(edges) == len(published.rows("edges"))
    assert all(src in vertices and dst in vertices for src, dst in edges)
    edge = edges["account:bob", "content:slogan"]
    assert (edge["relationship"], edge["events"], edge["active_days"]) == ("POSTED", 2, 1)
    last = next(
        row["last_seen_at"]
        for row in published.rows("edges")
        if (row["account_id"], row["entity_id"]) == ("bob", "slogan")
    )
    assert last == datetime(2026, 11, 22, 11, tzinfo=UTC)


def test_a_day_that_was_not_published_is_told(published: Site) -> None:
    with pytest.raises(InputError, match=r"nodes has no day 2026-11-21 .* run its job first"):
        open_day("2026-11-21", published.home)


def test_alone_it_starts_a_session_and_finds_the_home_of_the_commands(
    published: Site, tmp_path: Path
) -> None:
    """What a notebook does; its folder stays as it was."""
    code = f"from graph.frame import open_day; print(open_day('{DAY}').edges.count())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "ACTORGRAPH_HOME": str(published.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(published.rows('edges'))}\n"
    assert not list(tmp_path.iterdir())
