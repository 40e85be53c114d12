"""Kinds of abuse that are planted on request: weeks long, or known by earlier decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.engines.base import Engine
from graph.frames import engine_api
from jobs import run_pipeline, simulate_events
from jobs.simulation.planted import PLANTED_KINDS
from signatures.decisions import DECISIONS
from tests.integration.naming import EXPLAINED_BY, NAMES, Confusion, confusion, innocent_networks
from tests.integration.sites import DAY, Row, Site
from tests.integration.truth import TRUSTED
from tests.ledger_rows import append_to_ledger

ON_REQUEST = [kind.name for kind in PLANTED_KINDS if kind.on_request]
DAYS = 16
"""A content farm is known by two weeks of work."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Iterator[Site]:
    """A site that acted upon the accounts which its ban evaders came back for."""
    site = Site(tmp_path_factory.mktemp("on_request"), duckdb_engine)
    size = ["--accounts", "3000", "--days", str(DAYS), "--events-per-account-day", "2"]
    asked = [part for name in ON_REQUEST for part in ("--planted", f"{name}=6")]
    log = [*size, *asked, "--end-ds", str(DAY), "--seed", "31", "--out", str(site.folder)]
    config = ["--config", str(site.folder / "config.yaml"), "--set", f"home={site.home}"]
    assert simulate_events.main(log) == 0
    append_to_ledger(site.home, DECISIONS, bans(truth_of(site)), "bans")
    with engine_api(duckdb_engine.api_root):
        assert run_pipeline.main(["--ds", str(DAY), *config, *TRUSTED], duckdb_engine) == 0
        yield site


def truth_of(site: Site) -> list[Row]:
    return pq.read_table(site.folder / "truth").to_pylist()


def bans(truth: list[Row]) -> pa.Table:
    """What the ledger says of the banned accounts: each suspended, on the day that truth names."""
    names = {row["account_id"]: row["note"] for row in truth if row["note"].startswith("banned on")}
    rows = [
        banned(name, date.fromisoformat(note.split()[-1])) | {"number": number, "state": state}
        for name, note in names.items()
        for number, state in enumerate(("proposed", "approved", "released", "applied"), 1)
    ]
    return pa.Table.from_pylist(rows, schema=DECISIONS.schema)


def banned(name: str, day: date) -> Row:
    return {
        "decision_id": name,
        "account_id": name,
        "network_id": "earlier",
        "snapshot_sha256": "0" * 64,
        "route": "investigated",
        "action": "suspend",
        "policy_id": "inauthentic_accounts",
        "episode": 1,
        "subject_role": "actor",
        "signature_ids": [],
        "overridden_signature_ids": [],
        "ds": day - timedelta(days=1),
        "state_at": datetime(day.year, day.month, day.day, tzinfo=UTC),
        "actor": "lead",
        "batch_id": "earlier",
    }


@pytest.fixture(scope="module")
def names(site: Site) -> Confusion:
    return confusion(truth_of(site), site.rows("memberships"), site.rows("scores"))


@pytest.mark.parametrize("kind", ON_REQUEST)
def test_each_kind_is_named_by_its_signature(
    names: Mapping[tuple[str, str], int], kind: str
) -> None:
    of_it = sum(count for (other, _), count in names.items() if other == kind)
    assert names[kind, NAMES[kind]] >= 0.9 * of_it > 0, names


def test_no_signature_of_abuse_names_innocents(names: Mapping[tuple[str, str], int]) -> None:
    assert {title for (kind, title), _ in names.items() if kind is None} <= {None}


@pytest.mark.parametrize("kind", ["cloned_device_id", "school_tablets", "talent_agency"])
def test_look_alikes_are_explained_by_their_own_signature(site: Site, kind: str) -> None:
    """A talent's phone and the managers' are told apart after more than a week."""
    innocent = innocent_networks(truth_of(site), site.rows("memberships"))
    networks = {name for name, alike in innocent.items() if alike == kind}
    own = networks & explained_by(site, EXPLAINED_BY[kind])
    assert networks and len(own) >= 0.75 * len(networks)


def test_activism_explains_no_news_agency(site: Site) -> None:
    innocent = innocent_networks(truth_of(site), site.rows("memberships"))
    agencies = {name for name, alike in innocent.items() if alike == "news_agency"}
    assert agencies and not agencies & explained_by(site, "Activists")


def explained_by(site: Site, title: str) -> set[str]:
    return {row["subject_id"] for row in site.rows("findings") if row["title"] == title}


def test_whoever_was_banned_is_not_counted_among_those_who_came_back(site: Site) -> None:
    truth = truth_of(site)
    back = {row["account_id"] for row in truth if row["note"].startswith("comes back")}
    evasion = {
        row["network_id"] for row in site.rows("scores") if row["title"] == NAMES["ban_evasion"]
    }
    found = {
        row["network_id"]: row["value"]
        for row in site.rows("network_features")
        if row["feature"] == "undecided_accounts" and row["network_id"] in evasion
    }
    members = [row for row in site.rows("memberships") if row["network_id"] in evasion]
    assert sum(found.values()) == sum(row["account_id"] in back for row in members) > 0
