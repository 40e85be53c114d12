"""Examples of origin: ages, sign-ups, earlier silence, earlier decisions, markets, lists."""

from __future__ import annotations

from datetime import date, timedelta

from tests.graph.feature_days import (
    account,
    ago,
    declared,
    did,
    happened,
    labelled,
    member,
    node,
    profile,
    used,
)
from tests.graph.feature_examples.example import example, members

MICROSECOND = timedelta(microseconds=1)
OLD = [account(name, ago(400)) for name in "abc"]
OWN = [used(name, f"device of {name}", ago(20)) for name in "abc"]
"""Accounts older than a month, each with a device of its own for twenty days."""

DECIDED = [used("x", "device d1"), profile("x", decisions=1)]
"""Somebody outside over whom a decision was made."""

HISTORY_EXAMPLES = [
    example(
        "new_account_ratio",
        "exactly a week is not younger than a week",
        0.5,
        account("a", ago(7)),
        account("b", ago(7) + MICROSECOND),
    ),
    example(
        "new_account_ratio",
        "a sign-up in the log tells the age, unless the site does",
        0.5,
        did("a", "signup", "ip 1", ago(1)),
        did("b", "signup", "ip 1", ago(1)),
        account("b", ago(400)),
    ),
    example(
        "new_account_ratio",
        "a creation after the day is no creation",
        1,
        account("a", ago(-1)),
        account("b", ago(-1)),
        did("b", "signup", "ip 1", ago(3)),
    ),
    example("new_account_ratio", "no age is known", None),
    example(
        "median_age_days",
        "of 1.5, 7 and an unknown one the lower",
        1.5,
        account("a", ago(1.5)),
        account("b", ago(7)),
        account("c"),
    ),
    example(
        "signup_spread_hours",
        "nine of ten within two hours",
        2,
        members("a b c d e f g h i j"),
        [account(name, ago(9, hours=n / 4)) for n, name in enumerate("abcdefghi")],
        account("j", ago(300)),
    ),
    example(
        "signup_spread_hours",
        "with three, 90% are all of them",
        48,
        account("a", ago(1)),
        account("b", ago(1)),
        account("c", ago(3)),
    ),
    example(
        "signup_spread_hours", "two are too few", None, account("a", ago(1)), account("b", ago(1))
    ),
    example(
        "signup_hour_ratio",
        "an hour with both ends holds two of three",
        2 / 3,
        account("a", ago(1)),
        account("b", ago(1, hours=1)),
        account("c", ago(1, hours=3)),
    ),
    example(
        "signup_hour_ratio",
        "a microsecond more, and it holds one",
        1 / 3,
        account("a", ago(1)),
        account("b", ago(1, hours=1) - MICROSECOND),
        account("c", ago(1, hours=3)),
    ),
    example("age_span_days", "from 2 to 12 days", 10, account("a", ago(2)), account("b", ago(12))),
    example("age_span_days", "one age has no span", None, account("a", ago(2))),
    example(
        "dormant_ratio",
        "30 days of silence, not 29; c has no profile",
        1 / 3,
        profile("a", gap_days=30),
        profile("b", gap_days=29),
    ),
    example(
        "wake_day_ratio",
        "a and b woke on the third day of the log; the first two days wake nobody",
        2 / 3,
        OLD,
        profile("x"),
        profile("a", first=ago(26)),
        profile("b", first=ago(25) - MICROSECOND),
        profile("c", first=ago(26) - MICROSECOND),
    ),
    example(
        "wake_day_ratio",
        "who is younger than a month, or of unknown age, is not woken; c is a month old",
        1 / 3,
        profile("x"),
        account("a", ago(30) + MICROSECOND),
        account("c", ago(30)),
        profile("a", first=ago(20)),
        profile("c", first=ago(20)),
        profile("b", first=ago(20)),
    ),
    example(
        "device_break_ratio",
        "a came to d1 lately; b had it long; c has no device of its own",
        0.5,
        OLD,
        OWN[:2],
        used("a", "device d1", ago(7)),
        used("b", "device d1", ago(8)),
        used("c", "device d1", ago(1)),
    ),
    example(
        "device_break_ratio",
        "younger than a month, or of unknown age",
        None,
        account("a", ago(30) + MICROSECOND),
        OWN,
        used("a", "device d1", ago(1)),
        used("b", "device d1", ago(1)),
    ),
    example(
        "device_break_ratio",
        "a hub is neither shared nor their own",
        None,
        OLD,
        used("a", "device 0000", ago(20)),
        used("b", "device 0000", ago(1)),
        node("device", "0000", "degree"),
    ),
    example(
        "growth_ratio",
        "ds is a Sunday, the week began on Monday",
        2 / 3,
        member("a", joined=date(2026, 11, 16)),
        member("b", joined=date(2026, 11, 22)),
        member("c", joined=date(2026, 11, 15)),
    ),
    example(
        "re_emerged",
        "it shares rare entities with an enforced one",
        1,
        happened("re-emerged"),
        happened("grew"),
    ),
    example(
        "re_emerged",
        "it only grew; another one re-emerged",
        0,
        happened("grew"),
        happened("re-emerged", network="other"),
    ),
    example(
        "prior_decision_ratio",
        "a was decided over; c has no profile",
        1 / 3,
        profile("a", decisions=2),
        profile("b"),
    ),
    example(
        "decided_device_ratio", "a is on a device of x", 1 / 3, DECIDED, used("a", "device d1")
    ),
    example(
        "decided_device_ratio",
        "also where x is in another network",
        1 / 3,
        DECIDED,
        used("a", "device d1"),
        members("a b c"),
        members("x y", network="other"),
    ),
    example(
        "decided_device_ratio",
        "a hub tells nothing, nor does a decision over a member",
        0,
        DECIDED,
        used("a", "device d1"),
        node("device", "d1", "degree"),
        profile("b", decisions=1),
        used("b", "device d2"),
        used("c", "device d2"),
    ),
    example(
        "abusive_label_ratio",
        "two of three, one of them labelled twice",
        2 / 3,
        labelled("a"),
        labelled("a"),
        labelled("b"),
        labelled("b", "benign"),
        labelled("c", "unsure"),
        labelled("x"),
    ),
    example(
        "verified_ratio",
        "one of the two for whom it is known",
        0.5,
        account("a", verified=True),
        account("b", verified=False),
        account("c"),
    ),
    example(
        "top_market_ratio",
        "two of the three that have one",
        2 / 3,
        members("a b c d"),
        account("a", market="de"),
        account("b", market="de"),
        account("c", market="fr"),
    ),
    example(
        "declared_ratio",
        "the club names two of three, the agency one",
        2 / 3,
        declared("a", "club"),
        declared("b", "club"),
        declared("c", "agency"),
        declared("x", "club"),
    ),
]
