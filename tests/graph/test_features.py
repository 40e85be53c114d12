"""The declared features: named once, with a sentence, a rule and a range; in step with conf/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from graph.conf_files import conf_file
from graph.feature import Feature
from graph.features import FEATURES
from graph.features.page import features_page
from graph.features.shape import SHIPPED_TRACES, own_traces, trace_feature, trace_of

TABLES = {
    "networks",
    "memberships",
    "account_links",
    "links",
    "link_evidence",
    "edges",
    "edge_activity",
    "account_activity",
    "account_profile",
    "accounts",
    "sightings",
    "moments",
    "nodes",
    "history",
    "labels",
    "declared_networks",
    "age",
    "content",
    "creation",
    "creations",
    "coordinated_ratio",
}
"""Where rules may look; the last ones are explained in the package's docstring."""


def test_names_are_unique_and_plain() -> None:
    names = [feature.name for feature in FEATURES]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z_]*[a-z]", name) for name in names)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_each_says_what_it_means_and_what_it_is_computed_from(feature: Feature) -> None:
    assert feature.meaning.endswith(".")
    assert TABLES & set(re.findall(r"[a-z_]+", feature.computed))


def test_ratios_end_at_one_and_numbers_of_things_do_not() -> None:
    ranges = {feature.name: feature.range for feature in FEATURES}
    assert ranges["core_ratio"] == "0 to 1"
    assert ranges["accounts"] == "2 and more"
    assert ranges["burstiness"] == "-1 to 1"


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="feature x: low must be below high"):
        Feature("x", "network", "ratio", "X.", "edges", low=1)


def test_the_page_of_features_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "features.md"
    assert page.read_text(encoding="utf-8") == features_page(), "run `make docs`"


def test_the_page_has_a_row_for_every_feature() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", features_page(), flags=re.MULTILINE)
    assert [name for name, _ in rows] == [feature.name for feature in FEATURES]
    assert all(len(cells.split(" | ")) == 4 for _, cells in rows)
    assert dict(rows)["hour_entropy"].split(" | ")[1:3] == ["bits", "0 to 4.58496"]


def test_every_shipped_trace_has_its_feature() -> None:
    shipped = yaml.safe_load(conf_file("traces.yaml").read_text(encoding="utf-8"))["traces"]
    assert list(shipped) == list(SHIPPED_TRACES)


def test_a_sites_own_trace_has_a_feature_if_its_name_is_plain() -> None:
    names = ["co_post", "co_install", "b2", "Co-Like", "co like", "2b", "x" * 64, "x\n"]
    assert own_traces(names) == ["b2", "co_install"]
    assert trace_feature("co_install").name == "trace_co_install_ratio"
    assert trace_of("trace_co_install_ratio") == "co_install"
    assert [trace_of(name) for name in ("density", "trace__ratio", "trace_b2_ratio\n")] == [
        None
    ] * 3


def test_the_feature_of_an_own_trace_is_as_that_of_a_shipped_one() -> None:
    by_name = {feature.name: feature for feature in FEATURES}
    assert by_name["trace_co_post_ratio"] == trace_feature("co_post")
