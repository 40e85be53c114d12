"""The scoring job on small days: with nothing to score, and with what is done openly."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from graph.engines.base import Engine
from tests.integration.sites import DAY, Site, event, only, write_log
from tests.signatures.signature_files import changed, write

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


def test_what_a_declared_network_does_openly_is_not_judged(
    tmp_path: Path, duckdb_engine: Engine
) -> None:
    """Four accounts of a newsroom post the same texts; two of them also share a phone."""
    site = Site(tmp_path, duckdb_engine)
    desk = {"device_id": "phone of the desk"}
    posts = [
        event(name, hour, content_hash=f"text {hour}") | phone
        for name, phone in (("a0", desk), ("a1", desk), ("a2", {}), ("a3", {}))
        for hour in (8, 9, 10)
    ]
    write_log(site.folder / "log.parquet", posts)
    traces = only("shared_device", "co_post") | {
        "co_post": {"filter": None, "weight": "co_actions"}
    }
    told = "a declared network exempts all traces that link it"
    columns = ("account_id", "event_time", "event_type", "device_id", "content_hash")
    site.configure("log.parquet", columns, traces=traces)
    assert (site.build(), site.detect(), site.score()) == (0, 0, 0)
    assert not any(told in row["reasons"] for row in site.rows("inclusions"))

    signed = f"al,bo,{DAY},{DAY + timedelta(days=90)}"
    header = "account_id,network,owner,allowed_traces,added_by,approved_by,added_at,expires_at"
    entries = [f"a{number},newsroom,the paper,co_post,{signed}" for number in range(4)]
    (site.folder / "declared.csv").write_text("\n".join([header, *entries]))
    inputs = {"declared_networks": str(site.folder / "declared.csv")}
    site.configure("log.parquet", columns, traces=traces, inputs=inputs)
    assert site.score() == 0
    reasons = {row["account_id"]: row["reasons"] for row in site.rows("inclusions")}
    exempted = {account for account, each in reasons.items() if told in each}
    assert exempted == {"a2", "a3"}, "a phone is never exempted"


def test_a_signature_names_the_feature_of_a_sites_own_trace(
    tmp_path: Path, duckdb_engine: Engine
) -> None:
    """Three accounts install the same app; a trace that is switched off later is missed at once."""
    site = Site(tmp_path, duckdb_engine)
    installs = [event(name, hour, content_hash="app") for name in "abc" for hour in (8, 9)]
    write_log(site.folder / "log.parquet", installs)
    own = "trace_co_install_ratio"
    large = "detection.selections.selection_large.features"
    (tmp_path / "rules").mkdir()
    rule = changed(large, {own: {"gte": 1}}) | {"evidence": [own]}
    rule["tests"] = {
        "positive": [{"name": "All", "features": {own: 1, "density": 1}}],
        "benign": [{"name": "Some", "features": {own: 0.5, "density": 1}}],
    }
    write(tmp_path / "rules", rule)
    install = {"entity": "content", "family": "content", "window": "10m", "min_co_actions": 2}
    site.configure(
        "log.parquet",
        ("account_id", "event_time", "event_type", "content_hash"),
        traces=only() | {"co_install": install},
        signatures={"paths": [str(tmp_path / "rules")]},
    )
    assert (site.build(), site.detect(), site.score()) == (0, 0, 0)
    values = {row["feature"]: row["value"] for row in site.rows("network_features")}
    assert (values[own], values["trace_co_post_ratio"]) == (1, 0)
    (found,) = (row for row in site.rows("findings") if row["title"] == "Example ring")
    assert "100% of the links rest on the trace co_install" in " ".join(found["reasons"])

    assert site.score("--set", "traces.co_install=none") == 2
    assert f"{own}: unknown feature" in site.manifest("score_networks")["reason"]
