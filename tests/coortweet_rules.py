"""CooRTweet's rules by brute force, an oracle for inputs that have no handed-over answer.

Checked itself against CooRTweet's answers in tests/integration/test_coortweet.py.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple


class Share(NamedTuple):
    object_id: str
    account_id: str
    content_id: str
    second: int


class Pair(NamedTuple):
    """Two shares of one object within the window, the smaller content id first."""

    object_id: str
    content_id: str
    content_id_y: str
    account_id: str
    account_id_y: str
    seconds: int


def find_pairs(shares: Iterable[Share], window: int, min_participation: int) -> list[Pair]:
    """All coordinated pairs; a row that occurs twice counts twice."""
    rows = _active(list(shares), min_participation)
    by_object: dict[str, list[Share]] = defaultdict(list)
    for row in rows:
        by_object[row.object_id].append(row)
    pairs = [
        pair(one, other)
        for in_object in by_object.values()
        for one, other in combinations(in_object, 2)
        if abs(one.second - other.second) <= window
        and one.account_id != other.account_id
        and one.content_id != other.content_id
        and one.object_id not in (one.content_id, other.content_id)
    ]
    survivors = {content for each in pairs for content in (each.content_id, each.content_id_y)}
    remaining = _active([row for row in rows if row.content_id in survivors], min_participation)
    active = {row.content_id for row in remaining}
    return [each for each in pairs if each.content_id in active or each.content_id_y in active]


def pair(one: Share, other: Share) -> Pair:
    """Bring two shares of an object to a pair."""
    first, second = sorted((one, other), key=lambda share: (share.content_id, share.account_id))
    return Pair(
        one.object_id,
        first.content_id,
        second.content_id,
        first.account_id,
        second.account_id,
        abs(one.second - other.second),
    )


def weigh(pairs: Iterable[Pair]) -> Counter[tuple[str, str]]:
    """Count the pairs of each two accounts."""
    return Counter(tuple(sorted((each.account_id, each.account_id_y))) for each in pairs)  # type: ignore[misc]


def _active(rows: list[Share], min_participation: int) -> list[Share]:
    counts = Counter(row.account_id for row in rows)
    return [row for row in rows if counts[row.account_id] >= min_participation]
