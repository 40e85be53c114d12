"""Matching of networks and their history, without an engine, against a brute-force reading."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from graph.history import Continuation, Older, Overlap, continue_networks, new_network_id

Groups = dict[str, frozenset[str]]
DS = "2026-11-22"


def overlaps(older: Groups, today: Groups) -> list[Overlap]:
    """All pairs with Jaccard index >= 0.3 or at least half of the smaller network."""
    pairs = []
    for network_id, before in older.items():
        for group_id, after in today.items():
            shared = len(before & after)
            alike = Fraction(shared, len(before | after)) >= Fraction(3, 10)
            contained = Fraction(shared, min(len(before), len(after))) >= Fraction(1, 2)
            if alike or contained:
                pairs.append(Overlap(network_id, group_id, shared, len(before), len(after)))
    return pairs


def sets(*members: str) -> Groups:
    """Networks named by their smallest member, written as strings of one-letter accounts."""
    return {min(each): frozenset(each) for each in members}


def follow(older: Groups, today: Groups, dormant: Groups | None = None) -> Continuation:
    known = {name: Older(len(members)) for name, members in older.items()}
    known |= {name: Older(len(members), (), True) for name, members in (dormant or {}).items()}
    sizes = {group: len(members) for group, members in today.items()}
    return continue_networks(DS, sizes, known, overlaps({**older, **(dormant or {})}, today))


def told(continuation: Continuation) -> list[tuple[str, str, list[str], list[str]]]:
    return [
        (row["event"], row["network_id"], row["ids_before"], row["ids_after"])
        for row in continuation.history
    ]


def test_a_new_id_is_a_function_of_day_and_smallest_member() -> None:
    assert new_network_id(DS, "a") == new_network_id(DS, "a")
    ids = {new_network_id(ds, account) for ds in (DS, "2026-11-23") for account in ("a", "b", "ä")}
    assert len(ids) == 6
    # printf '["2026-11-22","a"]' | sha256sum
    assert new_network_id(DS, "a") == "n-3422ad07d1d44b66"


def test_an_unchanged_network_keeps_its_id_and_makes_no_history() -> None:
    result = follow({"old": frozenset("abc")}, sets("abc"))
    assert result.network_ids == {"a": "old"}
    assert result.history == []


def test_growth_and_shrinking_count_accounts_and_overlap() -> None:
    result = follow({"up": frozenset("abc"), "down": frozenset("vwxyz")}, sets("abcd", "xyz"))
    assert [
        (row["network_id"], row["event"], row["accounts_before"], row["accounts_after"])
        for row in result.history
    ] == [("down", "shrank", 5, 3), ("up", "grew", 3, 4)]
    assert [row["overlap_ratio"] for row in result.history] == [3 / 5, 3 / 4]


def test_the_larger_parent_passes_its_id_to_a_merger() -> None:
    result = follow({"big": frozenset("abcdef"), "small": frozenset("xyz")}, sets("abcdefxyz"))
    assert result.network_ids == {"a": "big"}
    assert result.lineages == {"a": ["small"]}
    assert told(result) == [
        ("grew", "big", ["big"], ["big"]),
        ("merged", "big", ["big", "small"], ["big"]),
    ]
    assert result.without_successor == []


def test_the_larger_part_of_a_split_keeps_the_id() -> None:
    result = follow({"old": frozenset("abcdefgh")}, sets("abcde", "fgh"))
    part = new_network_id(DS, "f")
    assert result.network_ids == {"a": "old", "f": part}
    assert result.lineages == {"a": [], "f": ["old"]}
    assert told(result) == [
        ("shrank", "old", ["old"], ["old"]),
        ("split", "old", ["old"], ["old", part]),
    ]


def test_a_network_whose_accounts_scatter_becomes_dormant_and_what_appears_is_born() -> None:
    result = follow({"old": frozenset("abcdefghi")}, sets("a1234", "b5678"))
    born = [new_network_id(DS, "1"), new_network_id(DS, "5")]
    assert sorted(told(result)) == sorted(
        [("born", name, [], [name]) for name in born] + [("dormant", "old", ["old"], [])]
    )
    assert result.without_successor == ["old"]


def test_a_dormant_network_comes_back_under_its_id_and_is_not_told_again_while_away() -> None:
    dormant = {"asleep": frozenset("abc"), "away": frozenset("xyz")}
    result = follow({}, sets("abcd"), dormant)
    assert result.network_ids == {"a": "asleep"}
    assert told(result) == [("revived", "asleep", ["asleep"], ["asleep"])]
    assert result.without_successor == ["away"]


def test_a_network_of_yesterday_goes_before_a_dormant_one() -> None:
    result = follow({"awake": frozenset("abd")}, sets("abcd"), {"asleep": frozenset("abcd")})
    assert result.network_ids == {"a": "awake"}
    assert result.lineages == {"a": []}
    assert result.without_successor == ["asleep"]


def test_lineage_keeps_what_earlier_days_brought_in_and_puts_it_first() -> None:
    known = {"big": Older(6, ("first", "second")), "small": Older(3, ("third",))}
    pairs = [Overlap("small", "a", 3, 3, 9), Overlap("big", "a", 6, 6, 9)]
    result = continue_networks(DS, {"a": 9}, known, pairs)
    assert result.lineages == {"a": ["first", "second", "third", "small"]}


def test_equal_overlaps_go_to_the_larger_then_to_the_smallest_id() -> None:
    known = {"a": Older(4), "b": Older(6), "c": Older(6)}
    # Jaccard 1/2 each: 3/6 against 4/8 twice.
    pairs = [Overlap("c", "g", 4, 6, 6), Overlap("a", "g", 3, 4, 5), Overlap("b", "g", 4, 6, 6)]
    assert continue_networks(DS, {"g": 6}, known, pairs).network_ids == {"g": "b"}


def test_ratios_that_no_float_tells_apart_are_told_apart() -> None:
    huge = 2**30
    pairs = [Overlap("a", "g", huge - 1, huge, huge - 1), Overlap("b", "g", huge, huge, huge + 1)]
    assert (huge - 1) / huge == huge / (huge + 1)
    known = {pair.network_id: Older(pair.accounts_before) for pair in pairs}
    assert continue_networks(DS, {"g": huge}, known, pairs).network_ids == {"g": "b"}


def partitions(prefix: str) -> st.SearchStrategy[Groups]:
    """Disjoint networks over a few accounts, some accounts in none."""

    def group(labels: list[int]) -> Groups:
        named: dict[int, set[str]] = {}
        for account, label in zip("abcdefghijklmn", labels, strict=True):
            if label:
                named.setdefault(label, set()).add(account)
        keyed = {f"{prefix}{label}" if prefix else min(each): each for label, each in named.items()}
        return {key: frozenset(each) for key, each in keyed.items()}

    return st.lists(st.integers(0, 4), min_size=14, max_size=14).map(group)


def brute_force(current: Groups, dormant: Groups, today: Groups) -> dict[str, str]:
    """Take the best pair that is left, again and again, with exact fractions."""
    pairs = [pair for pair in overlaps({**current, **dormant}, today)]
    fed = {pair.group_id for pair in pairs if pair.network_id in current}
    pairs = [pair for pair in pairs if pair.network_id in current or pair.group_id not in fed]
    continued: dict[str, str] = {}
    while pairs:
        best = min(
            pairs,
            key=lambda pair: (
                -Fraction(pair.shared, pair.union),
                -pair.accounts_before,
                pair.network_id,
                pair.group_id,
            ),
        )
        continued[best.group_id] = best.network_id
        pairs = [
            pair
            for pair in pairs
            if pair.group_id != best.group_id and pair.network_id != best.network_id
        ]
    return continued


@given(partitions("live-"), partitions("asleep-"), partitions(""))
def test_ids_equal_brute_force_and_history_accounts_for_every_network(
    current: Groups, dormant: Groups, today: Groups
) -> None:
    result = follow(current, today, dormant)
    continued = brute_force(current, dormant, today)
    expected = {group: continued.get(group, new_network_id(DS, group)) for group in today}
    assert result.network_ids == expected

    keys = [(row["network_id"], row["event"]) for row in result.history]
    assert len(set(keys)) == len(keys)
    by_event: dict[str, list[str]] = {}
    for network_id, event in keys:
        by_event.setdefault(event, []).append(network_id)
    new = set(expected.values()) - set(current) - set(dormant)
    parts = {
        network
        for row in result.history
        if row["event"] in ("split", "merged")
        for network in (*row["ids_before"], *row["ids_after"])
    }
    assert set(by_event.get("revived", [])) == set(continued.values()) & set(dormant)
    assert set(by_event.get("born", [])) | parts >= new
    lost = set(current) - set(expected.values())
    assert lost == set(by_event.get("dormant", [])) | (lost & parts)
    for event in ("grew", "shrank"):
        for network in by_event.get(event, []):
            group = next(group for group, known in continued.items() if known == network)
            assert (len(today[group]) > len(current[network])) == (event == "grew")


@given(partitions("live-"), partitions(""), st.randoms())
def test_the_order_of_input_does_not_matter(current: Groups, today: Groups, random) -> None:  # type: ignore[no-untyped-def]
    known = {name: Older(len(members)) for name, members in current.items()}
    sizes = {group: len(members) for group, members in today.items()}
    pairs = overlaps(current, today)
    once = continue_networks(DS, sizes, known, pairs)
    random.shuffle(pairs)
    again = continue_networks(
        DS, dict(reversed(sizes.items())), dict(reversed(known.items())), pairs
    )
    assert once == again
