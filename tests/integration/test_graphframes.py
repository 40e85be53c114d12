"""What GraphFrames computes: the heterogeneous graph, and components of any size."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import networkx
import pytest

from graph.components import find_components
from graph.engines.base import Engine
from graph.frames import engine_api
from tests.integration.sites import DAY, Row, Site, event, write_log

pytestmark = [pytest.mark.spark, pytest.mark.graphframes, pytest.mark.usefixtures("graphframes")]

HARD = 6


def random_log() -> list[Row]:
    """Accounts with a few devices, texts and addresses each, of which some have too many users."""
    chance = random.Random(20261122)
    rows = []
    for number in range(150):
        for _ in range(2):
            device = f"phone-{chance.randrange(120)}" if chance.random() < 0.9 else "kiosk"
            text = f"text-{chance.randrange(150)}" if chance.random() < 0.8 else "meme"
            ip = f"9.9.{chance.randrange(80)}.{chance.randrange(2)}"
            account = f"{chance.choice('aäB')}{number}"
            rows.append(event(account, device_id=device, content_hash=text, ip=ip))
    return rows


@pytest.fixture(scope="module")
def random_site(
    tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine, spark_engine: Engine
) -> Site:
    """A random day whose networks the embedded engine found, for Spark to go on with."""
    site = Site(tmp_path_factory.mktemp("random"), duckdb_engine)
    columns = ("account_id", "event_time", "event_type", "device_id", "ip", "content_hash")
    hubs = {name: {"soft": HARD, "hard": HARD} for name in ("device", "content", "ip")}
    site.configure("log.parquet", columns, hubs=hubs)
    write_log(site.folder / "log.parquet", random_log())
    assert (site.build(), site.detect()) == (0, 0)
    return replace(site, engine=spark_engine)


def test_heterogeneous_components_are_those_of_the_graph_without_hubs(random_site: Site) -> None:
    before = random_site.manifest("detect_networks")
    assert random_site.detect("--scope", "heterogeneous") == 0
    users: dict[tuple[str, str], set[str]] = {}
    for row in random_log():
        for kind, column in {"device": "device_id", "content": "content_hash", "ip": "ip"}.items():
            users.setdefault((kind, row[column]), set()).add(row["account_id"])
    graph = networkx.Graph()
    for (kind, entity), accounts in users.items():
        if len(accounts) <= HARD:
            graph.add_edges_from((f"{kind}:{entity}", f"account:{name}") for name in accounts)
    assert len(graph) < len(users) + 300, "some are hubs"
    expected = {
        node: (min(component), len(component))
        for component in networkx.connected_components(graph)
        for node in component
    }
    assert len(Counter(expected.values())) > 3
    found = {
        f"{row['node_type']}:{row['node_id']}": (row["component_id"], row["size"])
        for row in random_site.rows("heterogeneous_components")
    }
    assert found == expected
    told = random_site.manifest("heterogeneous_components")
    assert told["rows_out"] == {"heterogeneous_components": len(found)}
    assert random_site.manifest("detect_networks") == before, "that is of other tables"


def test_graphframes_gives_the_same_tables_as_forests(random_site: Site) -> None:
    expected = random_site.tables()
    assert len(Counter(row["component_id"] for row in expected["components"])) > 3
    assert random_site.detect("--set", "components.algorithm=graphframes") == 0
    assert random_site.tables() == expected


def test_both_find_the_same_components_in_a_simulated_day(
    two_days: Site, spark_engine: Engine
) -> None:
    engine = spark_engine
    links = engine.read([str(two_days.warehouse.path("account_links", DAY))], "parquet")
    with engine_api(engine.api_root):
        for algorithm in ("forest", "graphframes"):
            found = engine.to_arrow(find_components(engine, links, algorithm)).to_pylist()
            ids = {row["account_id"]: row["component_id"] for row in found}
            assert ids == {
                row["account_id"]: row["component_id"] for row in two_days.rows("components")
            }
