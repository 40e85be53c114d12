"""What explain says of who is in no network, of ids that nobody has, and of near misses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.engines.base import Engine
from graph.frames import engine_api
from graph.tables import Table
from jobs import explain_subject
from signatures.findings import FINDINGS
from signatures.inclusions import INCLUSIONS, LOW_PRECISION
from tests.integration.sites import DAY, Row, Site, event, only, write_log

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


@contextmanager
def instead(site: Site, table: Table, rows: list[Row]) -> Iterator[None]:
    """The day with other rows of a table."""
    (path,) = site.warehouse.path(table.name, DAY).glob("*.parquet")
    before = path.read_bytes()
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    try:
        yield
    finally:
        path.write_bytes(before)


def test_an_account_is_told_what_matches_it_and_not_what_matches_others(
    explain: Explain, site: Site
) -> None:
    network = site.rows("memberships")[0]["network_id"]
    found = {"network_id": network, "mode": "live", "reasons": ["as seen"]}
    rows = [
        {"subject_type": "account", "subject_id": "u05", "title": "First owner", "benign": True},
        {"subject_type": "account", "subject_id": "u06", "title": "Resold phone", "benign": True},
        {"subject_type": "network", "subject_id": network, "title": "Farm", "benign": False},
    ]
    with instead(site, FINDINGS, [{**found, **row} for row in rows]):
        told = explain("u05")
        of_network = explain(network)
    assert "\nexplained by First owner (live):" in told and "Resold phone" not in told
    assert "its network: matches Farm (live):" in told
    assert "matches Farm (live):" in of_network
    assert "First owner" not in of_network, "its table of reasons counts such accounts"


def proposed(site: Site, **changes: object) -> list[Row]:
    declared = {"declared_action": "suspend", "policy_id": "p", "included": True, "reasons": []}
    return [{**row, **declared, **changes} for row in site.rows("inclusions")]


def test_who_gets_less_than_is_declared_is_told_what_its_place_hangs_on(
    explain: Explain, site: Site
) -> None:
    held = {"action": "challenge", "dropped_by": ["device:farm"], "lighter_because": ["one phone"]}
    with instead(site, INCLUSIONS, proposed(site, **held)):
        told = explain("u05")
    assert "proposed: challenge by policy p" in told
    assert "and not suspend, because:\n    - one phone" in told
    assert "without one of these it would leave the core:\n    - device:farm" in told
    assert "no single entity" not in told


def test_of_a_restriction_it_is_told_that_nothing_single_holds_it(
    explain: Explain, site: Site
) -> None:
    reach = {"action": "limit_reach", "dropped_by": [], "lighter_because": [LOW_PRECISION]}
    with instead(site, INCLUSIONS, proposed(site, **reach)):
        told = explain("u05")
    assert "no single entity or neighbour holds it in the core" in told
    assert f"and not suspend, because:\n    - {LOW_PRECISION}" in told
