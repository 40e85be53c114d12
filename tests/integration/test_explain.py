"""What explain says of who is in no network, of ids that nobody has, and of near misses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from graph.engines.base import Engine
from graph.frames import engine_api
from jobs import explain_subject
from tests.integration.sites import DAY, Site, event, only, write_log

COLUMNS = ("account_id", "event_time", "event_type", "device_id", "content_hash")
Explain = Callable[..., str]
DEVICE = {"device_id": "one phone of two"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Site:
    """u01 and u02 post the same in step, u03 and u04 share a device, u05 to u08 another one."""
    site = Site(tmp_path_factory.mktemp("explain"), duckdb_engine)
    posts = [
        event(account, hour, content_hash=f"text {hour}")
        for hour in (9, 10, 11)
        for account in ("u01", "u02")
    ]
    pair = [event(account, **DEVICE) for account in ("u03", "u04")]
    ring = [event(f"u0{number}", device_id="farm") for number in range(5, 9)]
    alone = [event("u09"), event("u10", ds=DAY - timedelta(days=3))]
    write_log(site.folder / "log.parquet", [*posts, *pair, *ring, *alone])
    traces = only("shared_device") | {"co_post": {"filter": {"surprise": 40}}}
    site.configure("log.parquet", COLUMNS, traces=traces)
    with engine_api(duckdb_engine.api_root):
        for ds in (DAY - timedelta(days=3), DAY):
            assert (site.build(ds=ds), site.detect(ds=ds), site.score(ds=ds)) == (0, 0, 0)
    return site


@pytest.fixture
def explain(site: Site, capsys: pytest.CaptureFixture[str]) -> Explain:
    def explain(subject: str, code: int = 0) -> str:
        settings = ["--config", str(site.folder / "site.yaml"), "--ds", str(DAY)]
        assert explain_subject.main([subject, *settings]) == code
        told = capsys.readouterr()
        return told.err if code else told.out

    return explain


def test_links_that_did_not_pass_are_told_with_what_is_short(explain: Explain) -> None:
    told = explain("u01")
    assert "in no network, so it is not judged: no link passes the filter of its trace" in told
    assert "surprise must reach 40: " in told and " short" in told
    assert "u02" in told


def test_a_pair_is_too_small(explain: Explain) -> None:
    assert "its kept links tie 2 accounts together, and a network needs 3" in explain("u03")


def test_who_shares_nothing_has_no_links(explain: Explain) -> None:
    assert "it shares no entity with any other account often enough" in explain("u09")


def test_unknown_ids_get_the_nearest_known(explain: Explain, site: Site) -> None:
    told = explain("u0g", 3)
    assert "neither a network nor an account that was seen in the log" in told
    assert "did you mean 'u0" in told
    network = site.rows("networks")[0]["network_id"]
    assert f"did you mean '{network}'?" in explain(network[:10], 3)
    assert "it was last active on 2026-11-19" in explain("u10", 3)
    assert "did you mean" not in explain("nobody at all", 3)


def test_a_network_without_a_signature_is_told_what_it_lacks(explain: Explain, site: Site) -> None:
    told = explain(site.rows("networks")[0]["network_id"])
    assert "No signature of abuse matches; the nearest lack" in told
    assert re.search(r"Copypasta ring +selection_size +accounts +4 +at least 5", told)
