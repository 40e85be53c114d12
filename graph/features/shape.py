"""How a network is knit: its size and shape, and which traces and families link it."""

from typing import get_args

from graph.config import Family
from graph.feature import Feature

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
"""The traces of conf/traces.yaml; those of a site have no feature of their own."""

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

SHAPE_FEATURES = [
    Feature(
        "accounts",
        "network",
        "accounts",
        "Number of members.",
        "networks.accounts",
        low=2,
    ),
    Feature(
        "core_ratio",
        "network",
        "ratio",
        "Share of the members that are at the core.",
        "networks.core_accounts / networks.accounts",
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
    ),
    Feature(
        "multi_family_ratio",
        "network",
        "ratio",
        "Share of the members that two families or more link to two core members or more.",
        "members for which at least two families stand in families of their account_links to core "
        "members, and at least two core members are at the other ends / members",
    ),
    *(
        Feature(
            f"family_{family}_ratio",
            "network",
            "ratio",
            f"Share of the links that rest, also or only, on the family {family}.",
            f"links whose account_links.families has {family} / links",
        )
        for family in get_args(Family)
    ),
    *(
        Feature(
            f"trace_{trace}_ratio",
            "network",
            "ratio",
            f"Share of the links that rest, also or only, on the trace {trace}.",
            f"links whose account_links.traces has {trace} / links",
        )
        for trace in SHIPPED_TRACES
    ),
    *(
        Feature(
            f"event_{event_type}_ratio",
            "network",
            "ratio",
            f"Share of the members' events that are of type {event_type}.",
            f"account_activity of entity_type any and bin_width_us 0: events of {event_type} / "
            "events, both added up over the members",
        )
        for event_type in EVENT_TYPES
    ),
]
