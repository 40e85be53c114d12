"""How a network is knit: its size and shape, and which traces and families link it."""

import re
from collections.abc import Iterable, Mapping
from typing import get_args

from graph.activity import ANY
from graph.config import Family
from graph.feature import Feature
from graph.features.tables import MemberTables, count_where, ratio, sum_where
from graph.frames import DataFrame, F

SHIPPED_TRACES = (
    "shared_device",
    "shared_networks",
    "co_post",
    "fast_reshare",
    "signup_device",
    "signup_networks",
    "co_follow",
    "co_like",
    "co_report",
)
"""The traces of conf/traces.yaml, whose features are declared for every site."""

TRACE_FEATURE = "^trace_([a-z][a-z0-9_]{0,62})_ratio$"
"""What the features of traces are called; a trace whose name does not fit has none."""

EVENT_TYPES = (
    "signup",
    "login",
    "post",
    "comment",
    "share",
    "like",
    "follow",
    "message",
    "report",
    "install",
)
"""The event types that DESIGN names; a log's other types count only in the whole."""

TIES: Mapping[Family, str] = {
    "device": "shared devices",
    "network": "shared address networks",
    "signup": "sign-ups in the same bursts",
    "content": "the same content",
    "target": "the same targets",
    "timing": "the same moments",
}
"""What links of a family rest on, in plain words."""


def trace_feature(trace: str) -> Feature:
    """The feature of a trace, a shipped one or a site's own."""
    return Feature(
        f"trace_{trace}_ratio",
        "network",
        "ratio",
        f"Share of the links that rest, also or only, on the trace {trace}.",
        f"links whose account_links.traces has {trace} / links",
        phrase=f"{{value}} of the links rest on the trace {trace}, alone or with others",
    )


def trace_of(feature: str) -> str | None:
    """The trace whose feature has this name, whether a site has that trace or not; else None."""
    named = re.fullmatch(TRACE_FEATURE, feature)
    return named and named[1]


def own_traces(traces: Iterable[str]) -> list[str]:
    """Those of a site's traces that are not shipped and have a feature, in order of their names."""
    others = set(traces) - set(SHIPPED_TRACES)
    return sorted(each for each in others if trace_of(f"trace_{each}_ratio") == each)


SHAPE_FEATURES = [
    Feature(
        "accounts",
        "network",
        "accounts",
        "Number of members.",
        "networks.accounts",
        low=2,
        phrase="{value} accounts act together",
    ),
    Feature(
        "core_ratio",
        "network",
        "ratio",
        "Share of the members that are at the core.",
        "networks.core_accounts / networks.accounts",
        phrase="{members} belonged to the core",
    ),
    Feature(
        "density",
        "network",
        "ratio",
        "Share of the possible links that exist: 1 for a clique.",
        "networks.density",
    ),
    Feature(
        "star_ratio",
        "network",
        "ratio",
        "Share of the links that meet in the best linked member: 1 for a star.",
        "largest number of links of one member / number of links",
    ),
    Feature(
        "bridge_ratio",
        "network",
        "ratio",
        "Share of the members that are also linked to an account outside.",
        "members with an account_links row whose other end is no member / members",
    ),
    Feature(
        "families",
        "network",
        "families",
        "Number of families of traces that link members.",
        "size of networks.families",
        low=1,
        high=len(get_args(Family)),
        phrase="{value} kind{s} of traces tied the accounts together",
    ),
    Feature(
        "multi_family_ratio",
        "network",
        "ratio",
        "Share of the members that are linked to two core members or more by two families or more.",
        "members for which at least two families stand in families of their account_links to core "
        "members, and at least two core members are at the other ends / members",
        phrase="{members} had links to two core members or more by two kinds of traces or more",
    ),
    *(
        Feature(
            f"family_{family}_ratio",
            "network",
            "ratio",
            f"Share of the links that rest, also or only, on the family {family}.",
            f"links whose account_links.families has {family} / links",
            phrase=f"{{value}} of the links rest on {TIES[family]}, alone or with others",
        )
        for family in get_args(Family)
    ),
    *map(trace_feature, SHIPPED_TRACES),
    *(
        Feature(
            f"event_{event_type}_ratio",
            "network",
            "ratio",
            f"Share of the members' events that are of type {event_type}.",
            f"account_activity of entity_type any and bin_width_us 0: events of {event_type} / "
            "events, both added up over the members",
            phrase=f"{{value}} of what its accounts did was of type {event_type}",
        )
        for event_type in EVENT_TYPES
    ),
]


def shape_features(tables: MemberTables) -> list[DataFrame]:
    """Compute SHAPE_FEATURES, and those of a site's traces.

    Frames of one row a network: network_id (the key) and features.
    """
    return [_of_networks(tables), _of_members(tables), _of_links(tables), _of_events(tables)]


def _of_networks(tables: MemberTables) -> DataFrame:
    return tables.day.networks.select(
        "network_id",
        "accounts",
        ratio(F.col("core_accounts"), F.col("accounts")).alias("core_ratio"),
        "density",
        F.size("families").alias("families"),
    )


def _of_members(tables: MemberTables) -> DataFrame:
    linked_twice = (F.col("link_families") >= 2) & (F.col("core_links") >= 2)
    members = F.count(F.lit(1))
    return tables.linked.groupBy("network_id").agg(
        ratio(F.max("inside_links") * 2, F.sum("inside_links")).alias("star_ratio"),
        ratio(count_where(F.col("outside_links") > 0), members).alias("bridge_ratio"),
        ratio(count_where(linked_twice), members).alias("multi_family_ratio"),
    )


def _of_links(tables: MemberTables) -> DataFrame:
    """Links are seen from both ends, so that shares of the views are shares of the links."""
    inside = tables.views.filter(F.col("other_network") == F.col("network_id"))
    traces = [*SHIPPED_TRACES, *own_traces(tables.day.traces)]
    lists = {
        f"family_{name}_ratio": F.array_contains("families", name) for name in get_args(Family)
    } | {trace_feature(name).name: F.array_contains("traces", name) for name in traces}
    links = F.count(F.lit(1))
    return inside.groupBy("network_id").agg(
        *(ratio(count_where(has), links).alias(name) for name, has in lists.items())
    )


def _of_events(tables: MemberTables) -> DataFrame:
    placed = tables.members.select("network_id", "account_id")
    whole = (F.col("entity_type") == ANY) & (F.col("bin_width_us") == 0)
    activity = tables.day.account_activity.filter(whole).join(placed, on="account_id", how="inner")
    return activity.groupBy("network_id").agg(
        *(
            ratio(sum_where(F.col("event_type") == event_type, "events"), F.sum("events")).alias(
                f"event_{event_type}_ratio"
            )
            for event_type in EVENT_TYPES
        )
    )
