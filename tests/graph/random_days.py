"""Random small days: two networks and strangers around them, few ids, so that everything meets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from hypothesis import strategies as st

from tests.graph.feature_days import (
    DS,
    END,
    INPUTS,
    LOG_BEGINS,
    TRACES,
    Day,
    Fact,
    account,
    acted,
    ago,
    apart,
    day_of,
    declared,
    did,
    evidence,
    happened,
    labelled,
    linked,
    member,
    node,
    profile,
    seen,
    trace_link,
    used,
)

ACCOUNTS = ["B", "a", "b", "x' \"y", "é", "ä", "～", "𐀀"]
"""UTF-8 orders ids as code points do; UTF-16 would put 𐀀 before ～."""

IDS = ["1", "2", "～", "𐀀"]
ENTITIES = [f"{kind} {name}" for kind in ("device", "content", "ip", "ip_network") for name in IDS]
ENTITIES += [f"target {name}" for name in (*ACCOUNTS[:4], "post 1", "post 2")]
FAMILIES = ["device", "network", "signup", "content", "target", "timing"]
MICROSECOND = timedelta(microseconds=1)

any_account = st.sampled_from(ACCOUNTS)
any_pair = st.sampled_from(list(combinations(sorted(ACCOUNTS), 2)))
any_entity = st.sampled_from(ENTITIES)
any_type = st.sampled_from(["post", "comment", "share", "like", "poke"])
near = st.sampled_from([timedelta(0), MICROSECOND, -MICROSECOND])

times = st.builds(
    lambda days, beside: min(ago(days) + beside, END - MICROSECOND),
    st.sampled_from([0, 0.5, 1, 6, 7, 8, 27]),
    near,
)
"""In the look-back, often equal, often a microsecond beside a whole day."""

creations = st.none() | st.builds(
    lambda days, hours, beside: ago(days, hours=hours) + beside,
    st.sampled_from([7, 30, 0, 8, 400, -1]),
    st.sampled_from([0, 1, 2]),
    near,
)
"""Around the ages that rules ask for, an hour apart, and after the day."""

wakings = st.builds(
    lambda days, beside: LOG_BEGINS + timedelta(days=days) + beside,
    st.sampled_from([0, 2, 2.5, 3]),
    near,
)
"""First signs of life, as the log begins or around two days later."""

zones = st.sampled_from(
    [
        None,
        "UTC",
        "Asia/Kolkata",
        "America/New_York",
        "Pacific/Auckland",
        "Mars/Olympus",
        "Factory",
        "",
    ]
)


def some(
    items: st.SearchStrategy[Any], most: int, key: Callable[[Any], Any] = repr
) -> st.SearchStrategy[list[Any]]:
    """Up to so many different ones, often that many."""
    few = st.lists(items, max_size=most, unique_by=key)
    return few | st.lists(items, min_size=most // 2, max_size=most, unique_by=key)


def words(names: Iterable[str]) -> st.SearchStrategy[str]:
    chosen = st.lists(st.sampled_from(list(names)), min_size=1, max_size=3, unique=True)
    return chosen.map(" ".join)


def by(*names: str) -> Callable[[Fact], tuple[Any, ...]]:
    """The columns of a fact that make it one."""
    return lambda fact: tuple(fact[1][name] for name in names)


@st.composite
def memberships(draw: st.DrawFn) -> list[Fact]:
    """Each account in one of two networks or in none; a network has at least two."""
    homes = draw(st.lists(st.sampled_from("nnom"), min_size=8, max_size=8))
    return [
        member(
            name,
            core=draw(st.booleans()),
            strength=draw(st.sampled_from([0, 0.5, 1, 1.5, 7.25])),
            joined=DS - timedelta(days=draw(st.sampled_from([0, 6, 7, 30]))),
            network=home,
        )
        for name, home in zip(ACCOUNTS, homes, strict=True)
        if home != "o" and homes.count(home) >= 2
    ]


account_links = some(
    st.builds(
        lambda pair, families, traces: linked(*pair, families, traces),
        any_pair,
        words(FAMILIES),
        words([*TRACES, "co_like"]),
    ),
    14,
    by("account_a", "account_b"),
)

trace_links = some(
    st.builds(
        lambda pair, trace, delay, kept: trace_link(*pair, trace, delay, kept),
        any_pair,
        st.sampled_from(list(TRACES)),
        st.sampled_from([None, 0.0, 0.25, 3.5]),
        st.sampled_from([True, True, False]),
    ),
    14,
    by("account_a", "account_b", "trace"),
)

edges = some(
    st.builds(
        lambda name, entity, two, events, days: used(
            name, entity, min(two), max(two), events, days
        ),
        any_account,
        any_entity,
        st.tuples(times, times),
        st.integers(1, 4),
        st.integers(1, 28),
    ),
    40,
    by("account_id", "entity_type", "entity_id"),
)

edge_activity = some(
    st.builds(did, any_account, st.sampled_from(["signup", "login"]), any_entity, times),
    8,
    by("account_id", "entity_type", "entity_id", "event_type"),
)


@st.composite
def behind(draw: st.DrawFn, link: Fact) -> list[Fact]:
    """An entity behind a trace's link, and what its two accounts did around that time."""
    a, b, trace = (link[1][name] for name in ("account_a", "account_b", "trace"))
    of_type = [name for name in ENTITIES if name.startswith(TRACES[trace].entity + " ")]
    entity = draw(st.sampled_from(of_type))
    first, last = sorted((draw(times), draw(times)))
    rarity = draw(st.sampled_from([0.0, 0.000001, 2.5, 7.123457]))
    rows = st.builds(seen, st.sampled_from([a, b]), st.just(entity), times, any_type)
    entity_id = entity.split(" ", 1)[1]
    return [
        evidence(a, b, entity_id, first, last, trace, rarity),
        *draw(st.lists(rows, max_size=3)),
    ]


@st.composite
def rhythms(draw: st.DrawFn) -> list[Fact]:
    """An account's moments: as many as rules ask for, one fewer or more, and few kinds of pause."""
    name = draw(any_account)
    moment = draw(st.sampled_from([ago(2, hours=18), ago(1, minutes=3), ago(25)]))
    count = draw(st.sampled_from([9, 10, 11, 23, 24, 25]))
    kinds = [60_000_000, 63_000_000, 63_000_001, 57_000_000, 3_600_000_000, 1]
    moments: list[datetime] = [moment]
    for pause in draw(st.lists(st.sampled_from(kinds), min_size=count - 1, max_size=count - 1)):
        moments.append(moments[-1] + timedelta(microseconds=pause))
    return [seen(name, "content 1", moment) for moment in moments]


@st.composite
def actions(draw: st.DrawFn, links: list[Fact]) -> list[Fact]:
    """Evidence, sightings, and in the activity at least as many events as there are sightings."""
    facts = [fact for link in links if draw(st.booleans()) for fact in draw(behind(link))]
    facts += [fact for rows in draw(st.lists(rhythms(), max_size=3)) for fact in rows]
    facts += draw(st.lists(st.builds(seen, any_account, any_entity, times, any_type), max_size=9))
    facts = list({repr(fact): fact for fact in facts}.values())
    events = Counter(by("account_id", "event_type")(f) for f in facts if f[0] == "sightings")
    events.update(draw(st.lists(st.tuples(any_account, any_type), max_size=9)))
    for (name, event_type), number in events.items():
        fact = acted(name, number, event_type)
        in_bins = (fact[0], fact[1] | {"bin_width_us": 600_000_000, "bin": 1})
        facts += [fact, in_bins, acted(name, number, event_type, "content")]
    return facts


INPUT_FACTS = {
    "accounts": some(
        st.builds(
            account,
            any_account,
            creations,
            st.sampled_from([None, "de", "fr"]),
            zones,
            st.sampled_from([None, True, False]),
        ),
        8,
        by("account_id"),
    ),
    "labels": some(
        st.builds(labelled, any_account, st.sampled_from(["abusive", "benign", "unsure"])), 6
    ),
    "declared_networks": some(
        st.builds(declared, any_account, st.sampled_from(["club", "agency"])), 8
    ),
}


@st.composite
def neighbourhoods(draw: st.DrawFn, inputs: list[str]) -> list[Fact]:
    """Up to two networks and who is around them; all entities that are used are nodes."""
    links = draw(trace_links)
    facts = [*draw(memberships()), *links, *draw(actions(links))]
    for part in (account_links, edges, edge_activity, *(INPUT_FACTS[name] for name in inputs)):
        facts += draw(part)
    reasons = st.sampled_from([None, None, None, "degree", "shared: library", "shared:"])
    kinds = st.sampled_from([None, "mobile", "hosting", "residential"])
    used_ones = (by("entity_type", "entity_id")(fact) for fact in facts if fact[0] == "edges")
    for entity_type, entity_id in dict.fromkeys(used_ones):
        kind = draw(kinds) if entity_type in ("ip", "ip_network") else None
        facts.append(node(entity_type, entity_id, draw(reasons), kind))
    for name in draw(some(any_account, 8)):
        gap, decisions = draw(st.sampled_from([0, 29, 30])), draw(st.integers(0, 1))
        facts.append(profile(name, gap, decisions, draw(wakings)))
    told = st.tuples(st.sampled_from(["born", "grew", "re-emerged"]), st.sampled_from("nm"))
    return facts + [happened(*each) for each in draw(some(told, 3))]


@st.composite
def days(draw: st.DrawFn, least: int = 2, inputs: tuple[str, ...] = ()) -> Day:
    """A day of at least so many neighbourhoods; each input may be absent, but for those named."""
    present = {*inputs, *draw(st.lists(st.sampled_from(list(INPUTS))))}
    parts = draw(st.lists(neighbourhoods(sorted(present)), min_size=least, max_size=2 * least))
    facts = [fact for place, part in enumerate(parts) for fact in apart(part, str(place))]
    return day_of(facts, sorted(present))
