"""The scoring job on a day that has nothing to score."""

from __future__ import annotations

from pathlib import Path

from graph.engines.base import Engine
from tests.integration.sites import Site, event, write_log

JUDGED = ("network_features", "account_features", "findings", "scores", "inclusions")


def test_a_day_without_networks_is_scored_and_its_tables_are_empty(
    tmp_path: Path, duckdb_engine: Engine
) -> None:
    """Nor has the site accounts or lists, or a trace with a window."""
    site = Site(tmp_path, duckdb_engine)
    write_log(site.folder / "log.parquet", [event(f"a{number}") for number in range(5)])
    site.configure("log.parquet", ("account_id", "event_time", "event_type", "device_id"))
    assert (site.build(), site.detect(), site.score()) == (0, 0, 0)
    tables = site.tables()
    assert tables["networks"] == []
    assert {name: tables[name] for name in JUDGED} == {name: [] for name in JUDGED}
    assert site.manifest("score_networks")["status"] == "done"
