"""Examples of infrastructure: which entities members used, and who was first."""

from __future__ import annotations

from graph.ip_networks import KINDS
from tests.graph.feature_days import ago, did, evidence, node, trace_link, used
from tests.graph.feature_examples.example import example, members

TWO_ON_ONE = [used("a", "device d1"), used("b", "device d1"), used("c", "device d2")]
ALL_ON_A_HUB = [used(name, "device 0000") for name in "abc"]
HUB = node("device", "0000", "degree")
POSTED = [
    used("a", "content x", ago(3)),
    used("b", "content x", ago(2)),
    used("a", "content y", ago(1)),
    used("b", "content y", ago(2)),
    used("b", "content z", ago(1)),
    used("c", "content z", ago(1)),
]
"""a was first with x, b with y; with z both were at the same time, and b is the smaller id."""

INFRASTRUCTURE_EXAMPLES = [
    example("devices", "d1 and d2", 2, TWO_ON_ONE),
    example("devices", "an id that so many report is no device", 2, TWO_ON_ONE, ALL_ON_A_HUB, HUB),
    example("devices", "none was used", None),
    example("accounts_per_device", "three edges to two devices", 1.5, TWO_ON_ONE),
    example("accounts_per_device", "not three on one", 1.5, TWO_ON_ONE, ALL_ON_A_HUB, HUB),
    example("shared_device_ratio", "a and b share one", 2 / 3, TWO_ON_ONE),
    example("shared_device_ratio", "sharing a hub is nothing", 0, ALL_ON_A_HUB, HUB),
    example(
        "shared_device_ratio",
        "nor is sharing with somebody outside",
        0,
        used("a", "device d1"),
        used("x", "device d1"),
    ),
    example(
        "top_devices_ratio",
        "d1 to d3 reach four of five members",
        0.8,
        members("a b c d e"),
        [used(name, "device d1") for name in "ab"],
        used("c", "device d2"),
        used("d", "device d3"),
        used("e", "device d4"),
    ),
    example(
        "ip_networks",
        "as1, a hub, and as2",
        2,
        used("a", "ip_network as1"),
        used("b", "ip_network as2"),
        node("ip_network", "as1", "degree"),
    ),
    example(
        "ip_networks_per_account",
        "a has two, b one, c none: the lower median of 1 and 2",
        1,
        used("a", "ip_network as1"),
        used("a", "ip_network as2"),
        used("b", "ip_network as1"),
    ),
    example(
        "top_ip_network_ratio",
        "two of three were on as1, which is a hub",
        2 / 3,
        used("a", "ip_network as1"),
        used("b", "ip_network as1"),
        used("c", "ip_network as2"),
        node("ip_network", "as1", "degree"),
    ),
    example("top_ip_network_ratio", "nothing is known", None, TWO_ON_ONE),
    example(
        "signup_ip_networks",
        "a and b signed up from as1; the login was no sign-up",
        1,
        did("a", "signup", "ip_network as1"),
        did("b", "signup", "ip_network as1"),
        did("b", "login", "ip_network as2"),
        did("b", "signup", "ip 8.8.8.8"),
    ),
    *(
        example(
            f"ip_{kind}_ratio",
            "3 of the 4 events of known kind",
            0.75,
            used("a", "ip 1", events=3),
            node("ip", "1", kind=kind),
            used("b", "ip 2", events=1),
            node("ip", "2", kind="vpn" if kind != "vpn" else "mobile"),
            used("c", "ip 3", events=9),
            used("c", "ip_network as1", events=9),
            node("ip_network", "as1", kind="vpn"),
        )
        for kind in KINDS
    ),
    example(
        "hub_ratio",
        "6 of 8 events, those on hub devices too",
        0.75,
        used("a", "device 0000", events=2),
        HUB,
        used("b", "content viral", events=4),
        node("content", "viral", "degree"),
        used("c", "content own", events=2),
    ),
    example(
        "listed_shared_ratio",
        "c's hub is not on the list, only often used",
        2 / 3,
        used("a", "device d1"),
        node("device", "d1", "shared: library"),
        used("b", "ip 1"),
        node("ip", "1", "shared: airport"),
        used("c", "device 0000"),
        HUB,
    ),
    example("listed_shared_ratio", "no edges, none on the list", 0),
    example("content_diversity", "three pieces, posted six times", 0.5, POSTED),
    example(
        "content_diversity",
        "each posts something else",
        1,
        used("a", "content x"),
        used("b", "content y", events=7),
    ),
    example(
        "shared_content_ratio",
        "2 of 5 events, not the viral ones",
        0.4,
        used("a", "content x"),
        used("b", "content x"),
        used("c", "content own"),
        used("a", "content viral"),
        used("b", "content viral"),
        node("content", "viral", "degree"),
    ),
    example(
        "content_rarity",
        "x by its larger rarity, y once: (3 + 2) / 2",
        2.5,
        trace_link("a", "b"),
        trace_link("b", "c"),
        evidence("a", "b", "x", rarity=1),
        evidence("b", "c", "x", rarity=3),
        evidence("a", "b", "y", rarity=2),
    ),
    example(
        "content_rarity",
        "links that were not kept or lead outside tell nothing",
        None,
        trace_link("a", "b", kept=False),
        evidence("a", "b", "x"),
        trace_link("a", "x"),
        evidence("a", "x", "y"),
    ),
    example("leader_ratio", "b was first with two of three", 2 / 3, POSTED),
    example("leader_ratio", "nobody leads where nothing is shared", None, used("a", "content x")),
    example(
        "top_targets_ratio",
        "three targets got 6 of 7 events",
        6 / 7,
        used("a", "target 1", events=3),
        used("b", "target 2", events=2),
        used("c", "target 3"),
        used("c", "target 4"),
    ),
    example(
        "member_target_ratio",
        "a acted on b twice; on itself and on x is not on members",
        2 / 5,
        used("a", "target b", events=2),
        used("a", "target a", events=1),
        used("a", "target x", events=2),
    ),
]
