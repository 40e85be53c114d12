"""Examples of single accounts: what each of network n's members has of its own."""

from __future__ import annotations

from tests.graph.feature_days import (
    account,
    acted,
    ago,
    linked,
    member,
    node,
    profile,
    seen,
    used,
)
from tests.graph.feature_examples.example import example, members
from tests.graph.feature_examples.history import OLD, OWN
from tests.graph.feature_examples.infrastructure import POSTED
from tests.graph.feature_examples.timing import CLOCK, SHARED, TOGETHER, at, rhythm

PASSED_ON = [
    used("a", "device d1", ago(10), ago(6)),
    used("b", "device d1", ago(4), ago(1)),
    used("c", "device d1", ago(3)),
]
"""a had d1 first, left it after four days, and two days later b had it."""

ACCOUNT_EXAMPLES = [
    example("is_core", "as the membership says", {"a": 1, "b": 0}, *members("a", "b")),
    example(
        "core_links",
        "to core members, not to others",
        {"a": 1, "b": 1, "c": 2},
        linked("a", "b"),
        linked("a", "c"),
        linked("b", "c"),
        linked("a", "x"),
        *members("a b", "c"),
    ),
    example(
        "link_families",
        "device and content; the family to c is not counted",
        {"a": 2, "c": 1},
        linked("a", "b", "device content"),
        linked("a", "c", "target"),
        *members("a b", "c"),
    ),
    example(
        "strength_ratio",
        "beside the lower median, 2",
        {"a": 0.5, "b": 1, "c": 2, "d": 2},
        *(member(name, strength=s) for name, s in zip("abcd", (1, 2, 4, 4), strict=True)),
    ),
    example(
        "strength_ratio",
        "beside nothing",
        {"a": None, "b": None},
        member("a", strength=0),
        member("b", strength=0),
    ),
    example(
        "outside_link_ratio",
        "two of a's three lead out, one of them to another network",
        {"a": 2 / 3, "b": 0, "c": None},
        linked("a", "b"),
        linked("a", "x"),
        linked("a", "y"),
        *members("a b c"),
        *members("y z", network="other"),
    ),
    example(
        "age_days", "from creation to the end of ds", {"a": 1.5, "b": None}, account("a", ago(1.5))
    ),
    example(
        "longest_gap_days", "as its profile says", {"a": 40, "b": None}, profile("a", gap_days=40)
    ),
    example(
        "ip_networks_used",
        "hubs too",
        {"a": 2, "b": 0},
        used("a", "ip_network as1"),
        used("a", "ip_network as2"),
        node("ip_network", "as1", "degree"),
    ),
    example(
        "shared_address_ratio",
        "a's 3 events on a hub and a carrier, of 4; a kind may be unknown",
        {"a": 0.75, "b": 0, "c": None},
        used("a", "ip 1", events=2),
        node("ip", "1", "degree"),
        used("a", "ip 2"),
        node("ip", "2", kind="mobile"),
        used("a", "ip 3"),
        node("ip", "3", kind="residential"),
        used("b", "ip 4"),
        used("c", "ip_network as1"),
    ),
    example(
        "shared_devices",
        "d1, not its own and not the hub",
        {"a": 1, "c": 0},
        OWN,
        used("a", "device d1"),
        used("b", "device d1"),
        used("a", "device 0000"),
        used("c", "device 0000"),
        node("device", "0000", "degree"),
    ),
    example(
        "device_lead_days",
        "a had it six days before b; who was never first has no lead",
        {"a": 6, "b": 0, "c": 0},
        PASSED_ON,
    ),
    example("device_lead_days", "nothing is shared", {"a": None}, OWN),
    example(
        "left_device_days",
        "two days without a when b came; only the first can leave",
        {"a": 2, "b": None},
        PASSED_ON,
    ),
    example(
        "left_device_days",
        "a still has it",
        {"a": 0},
        used("a", "device d1", ago(10), ago(1)),
        used("b", "device d1", ago(4)),
    ),
    example(
        "left_device_days",
        "of two devices the one left last",
        {"a": 0},
        PASSED_ON,
        used("a", "device d2", ago(9), ago(1)),
        used("b", "device d2", ago(8)),
    ),
    example(
        "device_break",
        "long at home, a week ago on d1",
        {"a": 1, "b": 0, "c": None},
        OLD,
        OWN[:2],
        used("a", "device d1", ago(7)),
        used("c", "device d1", ago(1)),
    ),
    example(
        "device_break",
        "b's own device is newer than the shared one",
        {"b": 0},
        OLD,
        used("b", "device new", ago(2)),
        used("b", "device d1", ago(3)),
        used("c", "device d1", ago(1)),
    ),
    example(
        "device_break",
        "on one shared device since long",
        {"a": 0},
        OLD,
        OWN,
        used("a", "device d1", ago(1)),
        used("b", "device d1", ago(1)),
        used("a", "device d2", ago(10)),
        used("b", "device d2", ago(1)),
    ),
    example(
        "first_poster_ratio",
        "a was first with one of two, b with two of three",
        {"a": 0.5, "b": 2 / 3, "c": 0},
        POSTED,
    ),
    example(
        "first_poster_ratio",
        "content of one's own has no order",
        {"a": None},
        used("a", "content own"),
    ),
    example(
        "account_coordinated_ratio",
        "one of a's eight events",
        {"a": 1 / 8, "b": 0, "c": None},
        TOGETHER,
        seen("a", SHARED, at(12, 5)),
    ),
    example(
        "account_regularity",
        "a clock and nine moments",
        {"a": 1, "b": None},
        rhythm("a", CLOCK),
        rhythm("b", CLOCK[1:]),
    ),
    example(
        "targeted_ratio",
        "three of the four events on others inside",
        {"a": 0, "b": 0.75},
        used("a", "target b", events=2),
        used("c", "target b"),
        used("b", "target c"),
        used("b", "target b", events=9),
        used("x", "target b", events=9),
        used("a", "target x", events=9),
    ),
    example("targeted_ratio", "nobody acts on members", {"a": None}, used("a", "target x")),
    example(
        "account_verified",
        "as the site says",
        {"a": 1, "b": 0, "c": None},
        account("a", verified=True),
        account("b", verified=False),
        acted("c", 1),
    ),
]
