"""Examples of time: moments, pauses, hours of day, coordinated moments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from tests.graph.feature_days import Fact, account, acted, ago, evidence, seen, trace_link, used
from tests.graph.feature_examples.example import example, members

SHARED = "content x"


def rhythm(name: str, pauses_s: Iterable[float], start: datetime | None = None) -> list[Fact]:
    """Sightings of an account with such pauses in between."""
    begin = start or ago(2)
    return [
        seen(name, SHARED, begin + timedelta(seconds=passed))
        for passed in accumulate(pauses_s, initial=0)
    ]


def at(hour: int, minute: int = 0, second: float = 0) -> datetime:
    moment = datetime(2026, 11, 20, hour, minute, tzinfo=UTC)
    return moment + timedelta(seconds=second)


CLOCK = [60] * 9
"""Ten moments, nine equal pauses."""

TOGETHER = [
    trace_link("a", "b"),
    evidence("a", "b", "x", at(12), at(12, 10)),
    acted("a", 8),
    acted("b", 2),
]
"""a and b posted x between 12:00 and 12:10."""

TIMING_EXAMPLES = [
    example(
        "coordinated_ratio",
        "2 of 10 events; the ends belong to the moments",
        0.2,
        TOGETHER,
        seen("a", SHARED, at(12)),
        seen("b", SHARED, at(12, 10)),
        seen("a", SHARED, at(12, 10, 0.000001)),
        seen("a", "content y", at(12, 5)),
        seen("a", SHARED, at(12, 5), "share"),
    ),
    example(
        "coordinated_ratio",
        "from the first to the last link of the entity: 3 of 10",
        0.3,
        TOGETHER,
        trace_link("a", "c"),
        evidence("a", "c", "x", at(15), at(15, 1)),
        seen("a", SHARED, at(12)),
        seen("a", SHARED, at(14)),
        seen("a", SHARED, at(15)),
    ),
    example(
        "coordinated_ratio",
        "one event that names two contents is one",
        0.1,
        TOGETHER,
        trace_link("a", "c"),
        evidence("a", "c", "y", at(12), at(12, 10)),
        seen("a", SHARED, at(12, 3)),
        seen("a", "content y", at(12, 3)),
    ),
    example(
        "coordinated_ratio",
        "links that were not kept or lead outside coordinate nobody",
        0,
        trace_link("a", "b", kept=False),
        evidence("a", "b", "x", at(12), at(13)),
        trace_link("a", "x"),
        evidence("a", "x", "y", at(12), at(13)),
        acted("a", 8),
        seen("a", SHARED, at(12)),
        seen("a", "content y", at(12)),
    ),
    example(
        "coordinated_ratio",
        "a shared device has no moments",
        0,
        trace_link("a", "b", "shared_device"),
        evidence("a", "b", "d1", at(12), at(13), "shared_device"),
        seen("a", "device d1", at(12)),
        acted("a", 8),
    ),
    example(
        "link_delay_s",
        "the lower median of 2 and 30",
        2,
        trace_link("a", "b", delay_s=30),
        trace_link("b", "c", delay_s=2),
        trace_link("a", "c", delay_s=1, kept=False),
        trace_link("a", "x", delay_s=1),
        trace_link("a", "b", "shared_device"),
    ),
    example("burstiness", "a clock", -1, rhythm("a", CLOCK)),
    example("burstiness", "nine moments are too few", None, rhythm("a", CLOCK[1:])),
    example(
        "burstiness", "pauses of 1 and 3, mean 2, deviation 1", -1 / 3, rhythm("a", [1, 3] * 5)
    ),
    example("burstiness", "equal times are one moment", None, rhythm("a", [0, 0, *CLOCK[1:]])),
    example(
        "regularity",
        "63 s are within 5% of 60 s, 63.000001 s are not",
        8 / 9,
        rhythm("a", [60] * 7 + [63, 63.000001]),
    ),
    example(
        "regularity",
        "the typical of three is b",
        0.8,
        rhythm("a", CLOCK),
        rhythm("b", [60] * 8 + [3] * 2),
        rhythm("c", [60] * 5 + [1, 5, 25, 125, 600]),
    ),
    example(
        "hour_entropy", "each hour of a day alike: log2 24", 4.584962501, rhythm("a", [3600] * 23)
    ),
    example(
        "hour_entropy",
        "two hours alike: one bit",
        1,
        rhythm("a", [60] * 12, at(8)),
        rhythm("a", [60] * 12, at(9, 30)),
    ),
    example("hour_entropy", "all in one hour", 0, rhythm("a", [60] * 23, at(8))),
    example("hour_entropy", "23 moments are too few", None, rhythm("a", [60] * 22)),
    example(
        "night_ratio",
        "5:59:59.999999 is night and 6:00 is not",
        0.5,
        account("a", zone="UTC"),
        seen("a", SHARED, at(6, 0, -0.000001)),
        seen("a", SHARED, at(6)),
    ),
    example(
        "night_ratio",
        "0:29 UTC is 5:59 in Kolkata, and 0:30 is 6:00",
        0.5,
        account("a", zone="Asia/Kolkata"),
        seen("a", SHARED, at(0, 29)),
        seen("a", SHARED, at(0, 30)),
    ),
    example(
        "night_ratio",
        "who has no zone, or one that nobody knows, is not counted",
        1,
        account("a", zone="America/New_York"),
        account("b", zone="Mars/Olympus"),
        account("c", zone="Factory"),
        seen("a", SHARED, at(5)),
        seen("b", SHARED, at(12)),
        seen("c", SHARED, at(12)),
    ),
    example("night_ratio", "no zone is known", None, seen("a", SHARED, at(3))),
    example(
        "round_minute_ratio",
        "12:05:00.9 and 12:00 of four",
        0.5,
        seen("a", SHARED, at(12)),
        seen("a", SHARED, at(12, 5, 0.9)),
        seen("b", SHARED, at(12, 5, 1)),
        seen("b", SHARED, at(12, 6)),
    ),
    example(
        "active_days",
        "a's most is 5, b's 2, c has no edge",
        2,
        used("a", SHARED, days=3),
        used("a", "device d1", days=5),
        used("b", SHARED, days=2),
        members("a b c"),
    ),
]
