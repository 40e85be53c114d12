"""Examples of size and shape: three or four members, and whom they are linked to."""

from __future__ import annotations

from graph.features.shape import EVENT_TYPES, SHIPPED_TRACES
from tests.graph.feature_days import acted, linked
from tests.graph.feature_examples.example import example, members

TRIANGLE = [linked("a", "b"), linked("b", "c"), linked("a", "c")]
STAR = [linked("a", "b"), linked("a", "c"), linked("a", "d")]
BOTH = "device content"

SHAPE_EXAMPLES = [
    example("accounts", "a network of three", 3, *members("a b", "c")),
    example("core_ratio", "two of four are core", 0.5, *members("a b", "c d")),
    example("density", "a clique", 1, TRIANGLE),
    example("density", "3 of the 6 possible links", 0.5, STAR, members("a b c d")),
    example("star_ratio", "all links meet in a", 1, STAR, members("a b c d")),
    example("star_ratio", "each is on two of three links", 2 / 3, TRIANGLE),
    example(
        "star_ratio",
        "links to the outside are no links of the network",
        1,
        linked("a", "b"),
        linked("c", "x"),
        linked("c", "y"),
    ),
    example(
        "bridge_ratio",
        "b is linked to x, who is in no network, and c to y of another",
        2 / 3,
        TRIANGLE,
        linked("b", "x"),
        linked("c", "y"),
        members("a b c"),
        members("y z", network="other"),
    ),
    example("bridge_ratio", "nobody is linked to the outside", 0, TRIANGLE),
    example("families", "device and content", 2, linked("a", "b"), linked("b", "c", "content")),
    example(
        "multi_family_ratio",
        "a has two families to two core members; b and c have one link",
        1 / 3,
        linked("a", "b", "device"),
        linked("a", "c", "content"),
    ),
    example(
        "multi_family_ratio",
        "a's second core member is d, who is not core",
        0,
        linked("a", "b", BOTH),
        linked("a", "d"),
        members("a b", "d"),
    ),
    example(
        "family_device_ratio",
        "also or only: two of three links",
        2 / 3,
        linked("a", "b", BOTH),
        linked("b", "c"),
        linked("a", "c", "content"),
    ),
    *(
        example(
            f"family_{family}_ratio",
            "one of two links",
            0.5,
            linked("a", "b", family),
            linked("b", "c", "device" if family != "device" else "signup"),
        )
        for family in ("device", "network", "signup", "content", "target", "timing")
    ),
    *(
        example(
            f"trace_{trace}_ratio",
            "one of two links; others rest on a trace that the site does not have",
            0.5,
            linked("a", "b", traces=f"{trace} own_trace"),
            linked("b", "c", traces="own_trace"),
        )
        for trace in SHIPPED_TRACES
    ),
    example(
        "trace_co_anything_ratio",
        "a trace that only this site has: one of two links",
        0.5,
        linked("a", "b", traces="co_anything co_post"),
        linked("b", "c", traces="co_post"),
    ),
    *(
        example(
            f"event_{event_type}_ratio",
            "one of a's four events; rows by entity type are others",
            0.25,
            acted("a", 1, event_type),
            acted("a", 3, "poke"),
            acted("a", 9, event_type, "content"),
        )
        for event_type in EVENT_TYPES
    ),
    example(
        "event_post_ratio",
        "events of members are added up: 10 of 12",
        10 / 12,
        acted("a", 10),
        acted("b", 2, "login"),
    ),
    example("event_post_ratio", "what others did is not counted", None, acted("x", 10)),
]
