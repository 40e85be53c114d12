"""Kinds of abuse that are planted on request: weeks long, or known by earlier decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from graph.engines.base import Engine
from graph.frames import engine_api
from tests.integration.kinds_on_request import ON_REQUEST, judged_site, truth_of
from tests.integration.naming import EXPLAINED_BY, NAMES, Confusion, confusion, innocent_networks
from tests.integration.sites import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Iterator[Site]:
    with engine_api(duckdb_engine.api_root):
        yield judged_site(tmp_path_factory.mktemp("on_request"), duckdb_engine, 3000, seed=31)


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
