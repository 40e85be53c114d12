"""An analyst tunes traces on a graph that is built already, and is stopped where it cannot tell."""

from __future__ import annotations

import pytest

from graph.engines.base import Engine
from tests.integration.sites import Row, Site, event, only, write_log

CO_POST = {"entity": "content", "family": "content", "window": "10m", "min_co_actions": 2}
COLUMNS = ("account_id", "event_time", "event_type", "event_id", "device_id", "content_hash")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Site:
    """Three accounts post the same texts in the same minutes; thirty others post their own."""
    site = Site(tmp_path_factory.mktemp("tuning"), duckdb_engine)
    rows: list[Row] = [
        event(name, hour=10 + number, event_id=f"{name}{number}", content_hash=f"text {number}")
        for name in ("a", "b", "c")
        for number in range(3)
    ]
    rows += [event(f"other{number}", hour=number / 2, content_hash="own") for number in range(30)]
    write_log(site.folder / "log" / "a.parquet", rows)
    copies = CO_POST | {"filter": {"surprise": 1}}
    site.configure("log", COLUMNS, traces=only() | {"copies": copies})
    assert site.build() == 0
    return site


def test_what_only_detection_uses_may_be_tuned(site: Site) -> None:
    assert site.detect() == 0
    assert len(site.rows("links")) == 3
    tuned = ("min_entities=4", "weight=idf", "filter={at_least: 1}")
    assert site.detect(*(part for one in tuned for part in ("--set", f"traces.copies.{one}"))) == 0
    assert site.rows("links") == []


def test_a_window_that_the_graph_was_not_built_for_stops_the_run(site: Site) -> None:
    """Its time bins do not exist: every link would look impossible by chance."""
    assert site.detect() == 0
    links = site.rows("links")
    wider = ("--set", "traces.copies.window=20m")
    assert site.detect(*wider) == 2
    assert site.rows("links") == links
    reason = site.manifest("detect_networks")["reason"]
    assert "traces.copies.window was 10m and is 20m: run build-graph again" in reason
    assert site.build(*wider, "--set", "events.path=nowhere") == 3
    assert site.detect() == 0, "a build that failed has built nothing"
    assert site.build(*wider) == 0
    assert site.detect(*wider) == 0
    assert site.detect() == 2
