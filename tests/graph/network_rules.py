"""The rules of the features of networks, read literally, in plain Python over lists of rows."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from graph.features.shape import EVENT_TYPES, SHIPPED_TRACES, own_traces
from graph.ip_networks import KINDS
from tests.graph.feature_days import DS, END, TRACES, Row
from tests.graph.network_view import Network, Number, events, median, share

FAMILIES = ("device", "network", "signup", "content", "target", "timing")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ZONES = available_timezones() - {"Factory"}
"""Factory stands for a machine whose zone nobody has set."""

Rule = Callable[[Network], Number]
NETWORK_RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Declare the rule of the feature that is named like the function."""
    NETWORK_RULES[function.__name__] = function
    return function


NETWORK_RULES |= {
    "accounts": lambda n: n.row["accounts"],
    "core_ratio": lambda n: n.row["core_accounts"] / n.row["accounts"],
    "density": lambda n: n.row["density"],
    "families": lambda n: len(n.row["families"]),
}


@rule
def star_ratio(n: Network) -> Number:
    links = n.inside(n.day["account_links"])
    ends = Counter(row[end] for row in links for end in ("account_a", "account_b"))
    return share(max(ends.values(), default=0), len(links))


@rule
def bridge_ratio(n: Network) -> Number:
    return n.share_of_members(lambda a: any(o not in n.members for o, _ in n.links_of(a)))


@rule
def multi_family_ratio(n: Network) -> Number:
    return n.share_of_members(lambda a: len(n.core_families(a)) >= 2 <= len(n.core_links(a)))


def links_with(column: str, name: str) -> Rule:
    def ratio(n: Network) -> Number:
        links = n.inside(n.day["account_links"])
        return share(sum(name in row[column] for row in links), len(links))

    return ratio


def events_of(event_type: str) -> Rule:
    def ratio(n: Network) -> Number:
        rows = [row for account in n.members for row in n.activity(account)]
        return share(events(r for r in rows if r["event_type"] == event_type), events(rows))

    return ratio


NETWORK_RULES |= {f"family_{name}_ratio": links_with("families", name) for name in FAMILIES}
NETWORK_RULES |= {
    f"trace_{name}_ratio": links_with("traces", name)
    for name in (*SHIPPED_TRACES, *own_traces(TRACES))
}
NETWORK_RULES |= {f"event_{name}_ratio": events_of(name) for name in EVENT_TYPES}


# Infrastructure

NETWORK_RULES |= {
    "devices": lambda n: len(n.users("device")) or None,
    "accounts_per_device": lambda n: share(len(n.edges("device")), len(n.users("device"))),
    "shared_device_ratio": lambda n: n.share_of_members(lambda a: n.shared_edges(a, "device")),
    "ip_networks": lambda n: len(n.users("ip_network")) or None,
    "content_diversity": lambda n: share(len(n.users("content")), len(n.edges("content"))),
}


@rule
def top_devices_ratio(n: Network) -> Number:
    most = sorted(n.users("device").items(), key=lambda item: (-len(item[1]), item[0]))[:3]
    on_them = {row["account_id"] for _, rows in most for row in rows}
    return n.share_of_members(on_them.__contains__)


@rule
def ip_networks_per_account(n: Network) -> Number:
    return median(Counter(row["account_id"] for row in n.edges("ip_network")).values())


@rule
def top_ip_network_ratio(n: Network) -> Number:
    most = max((len(rows) for rows in n.users("ip_network").values()), default=None)
    return None if most is None else most / len(n.members)


@rule
def signup_ip_networks(n: Network) -> Number:
    rows = [row for row in n.day["edge_activity"] if row["account_id"] in n.members]
    rows = [
        row for row in rows if (row["entity_type"], row["event_type"]) == ("ip_network", "signup")
    ]
    return len({row["entity_id"] for row in rows}) or None


def events_from(kind: str) -> Rule:
    def ratio(n: Network) -> Number:
        known = [row for row in n.edges("ip") if n.node(row)["ip_kind"] is not None]
        return share(events(r for r in known if n.node(r)["ip_kind"] == kind), events(known))

    return ratio


NETWORK_RULES |= {f"ip_{kind}_ratio": events_from(kind) for kind in KINDS}


@rule
def hub_ratio(n: Network) -> Number:
    return share(events(row for row in n.all_edges if n.is_hub(row)), events(n.all_edges))


@rule
def listed_shared_ratio(n: Network) -> Number:
    listed = [row for row in n.all_edges if (n.node(row)["hub_reason"] or "").startswith("shared:")]
    return n.share_of_members({row["account_id"] for row in listed}.__contains__)


@rule
def shared_content_ratio(n: Network) -> Number:
    on_shared = sum(events(rows) for rows in n.shared("content").values())
    return share(on_shared, events(n.edges("content")))


@rule
def content_rarity(n: Network) -> Number:
    rarities: dict[str, float] = {}
    for row in n.evidence():
        if row["entity_type"] == "content":
            entity = row["entity_id"]
            rarities[entity] = max(row["rarity"], rarities.get(entity, 0))
    return share(math.fsum(rarities.values()), len(rarities))


@rule
def leader_ratio(n: Network) -> Number:
    first = Counter(rows[0]["account_id"] for rows in n.shared("content").values())
    return share(max(first.values(), default=0), first.total())


@rule
def top_targets_ratio(n: Network) -> Number:
    by_target = sorted((events(rows) for rows in n.users("target").values()), reverse=True)
    return share(sum(by_target[:3]), sum(by_target))


def on_members(n: Network) -> list[Row]:
    """The edges of members to other members."""
    rows = [row for row in n.edges("target") if row["entity_id"] in n.members]
    return [row for row in rows if row["entity_id"] != row["account_id"]]


@rule
def member_target_ratio(n: Network) -> Number:
    return share(events(on_members(n)), events(n.edges("target")))


# Timing


@rule
def coordinated_ratio(n: Network) -> Number:
    whole = sum(events(n.activity(account)) for account in n.members)
    return share(sum(n.coordinated(account) for account in n.members), whole)


@rule
def link_delay_s(n: Network) -> Number:
    return median(row["avg_time_delta_s"] for row in n.kept_links())


def gaps(moments: list[datetime]) -> list[int]:
    """Pauses in microseconds."""
    return [(later - earlier) // timedelta(microseconds=1) for earlier, later in pairwise(moments)]


def burst(moments: list[datetime]) -> Number:
    if len(moments) < 10:
        return None
    mean, deviation = statistics.fmean(gaps(moments)), statistics.pstdev(gaps(moments))
    return (deviation - mean) / (deviation + mean)


def regular(moments: list[datetime]) -> Number:
    if len(moments) < 10:
        return None
    usual = statistics.median_low(gaps(moments))
    return statistics.fmean(20 * abs(gap - usual) <= usual for gap in gaps(moments))


def entropy(moments: list[datetime]) -> Number:
    if len(moments) < 24:
        return None
    hours = Counter(moment.hour for moment in moments)
    return sum(-n / len(moments) * math.log2(n / len(moments)) for n in hours.values())


def typical(of: Callable[[list[datetime]], Number]) -> Rule:
    return lambda n: median(of(n.moments(account)) for account in n.members)


NETWORK_RULES |= {
    "burstiness": typical(burst),
    "regularity": typical(regular),
    "hour_entropy": typical(entropy),
}


@rule
def night_ratio(n: Network) -> Number:
    zones = {account: zone for account, zone in n.known("time_zone").items() if zone in ZONES}
    hours = [
        moment.astimezone(ZoneInfo(str(zones[account]))).hour
        for account, moment in n.all_moments()
        if account in zones
    ]
    return share(sum(hour < 6 for hour in hours), len(hours))


@rule
def round_minute_ratio(n: Network) -> Number:
    moments = [moment for _, moment in n.all_moments()]
    return share(sum(m.second == 0 and m.minute % 5 == 0 for m in moments), len(moments))


@rule
def active_days(n: Network) -> Number:
    most: dict[str, int] = {}
    for row in n.all_edges:
        most[row["account_id"]] = max(row["active_days"], most.get(row["account_id"], 0))
    return median(most.values())


# History


@rule
def new_account_ratio(n: Network) -> Number:
    return share(sum(age < 7 * DAY for age in n.ages()), len(n.ages()))


def days(times: Iterable[timedelta]) -> list[float]:
    return [time / DAY for time in times]


@rule
def signup_spread_hours(n: Network) -> Number:
    ages = n.ages()
    if len(ages) < 3:
        return None
    held = -(-9 * len(ages) // 10)
    return min(ages[i + held - 1] - ages[i] for i in range(len(ages) - held + 1)) / HOUR


@rule
def signup_hour_ratio(n: Network) -> Number:
    ages = n.ages()
    if len(ages) < 3:
        return None
    return max(sum(start <= age <= start + HOUR for age in ages) for start in ages) / len(ages)


def by_profile(column: str, least: int) -> Rule:
    return lambda n: n.share_of_members(lambda a: n.profiles.get(a, {}).get(column, -1) >= least)


NETWORK_RULES |= {
    "median_age_days": lambda n: median(days(n.ages())),
    "age_span_days": lambda n: (n.ages()[-1] - n.ages()[0]) / DAY if len(n.ages()) > 1 else None,
    "dormant_ratio": by_profile("longest_gap_days", 30),
    "prior_decision_ratio": by_profile("prior_decisions", 1),
    "growth_ratio": lambda n: n.share_of_members(
        lambda a: DS - timedelta(days=6) <= n.members[a]["joined_on"] <= DS
    ),
    "re_emerged": lambda n: int(
        any(
            (row["network_id"], row["event"]) == (n.row["network_id"], "re-emerged")
            for row in n.day["history"]
        )
    ),
}


@rule
def wake_day_ratio(n: Network) -> Number:
    first = {a: row["first_seen_ever_at"] for a, row in n.profiles.items()}
    began = min(first.values(), default=END)
    woken = {a for a, at in first.items() if at >= began + 2 * DAY}
    old = {a for a in n.members if (n.age(a) or HOUR) >= 30 * DAY}
    by_day = Counter(first[account].date() for account in woken & old)
    return max(by_day.values(), default=0) / len(n.members)


def device_break_of(n: Network, account: str) -> Number:
    own = [row for row in n.edges("device") if row["account_id"] == account]
    on_shared = [row for row, _ in n.shared_edges(account, "device")]
    own = [row for row in own if row not in on_shared]
    age = n.age(account)
    if age is None or age < 30 * DAY or not own:
        return None
    latest = max(row["first_seen_at"] for row in own)
    came = [row["first_seen_at"] for row in on_shared]
    return int(
        bool(came)
        and min(came) > latest
        and (min(came) >= END - 7 * DAY or min(came) >= latest + 7 * DAY)
    )


@rule
def device_break_ratio(n: Network) -> Number:
    known = [b for account in n.members if (b := device_break_of(n, account)) is not None]
    return share(sum(known), len(known))


def decided(n: Network, account: str) -> bool:
    return bool(n.profiles.get(account, {}).get("prior_decisions", 0) > 0)


def undecided(n: Network) -> list[str]:
    return [account for account in n.members if not decided(n, account)]


@rule
def undecided_accounts(n: Network) -> Number:
    return len(undecided(n))


@rule
def undecided_new_ratio(n: Network) -> Number:
    ages = [age for account in undecided(n) if (age := n.age(account)) is not None]
    return share(sum(age < 7 * DAY for age in ages), len(ages))


@rule
def decided_device_ratio(n: Network) -> Number:
    theirs = [
        row
        for row in n.day["edges"]
        if row["entity_type"] == "device" and decided(n, row["account_id"])
    ]
    on_theirs = {
        row["account_id"]
        for row in n.edges("device")
        for other in theirs
        if other["entity_id"] == row["entity_id"]
        and row["first_seen_at"] < other["last_seen_at"] + 7 * DAY
        and other["first_seen_at"] < row["last_seen_at"] + 7 * DAY
    }
    return share(sum(account in on_theirs for account in undecided(n)), len(undecided(n)))


@rule
def abusive_label_ratio(n: Network) -> Number:
    if "labels" not in n.day.rows:
        return None
    abusive = {row["account_id"] for row in n.day["labels"] if row["label"] == "abusive"}
    return n.share_of_members(abusive.__contains__)


@rule
def verified_ratio(n: Network) -> Number:
    known = n.known("verified")
    return share(sum(value is True for value in known.values()), len(known))


@rule
def top_market_ratio(n: Network) -> Number:
    active_in = {a: n.nodes.get(("account", a), {}).get("market") for a in n.members}
    known = {a: market for a, market in active_in.items() if market} | n.known("market")
    markets = Counter(known.values())
    return share(max(markets.values(), default=0), markets.total())


@rule
def declared_ratio(n: Network) -> Number:
    if "declared_networks" not in n.day.rows:
        return None
    named = {(row["network"], row["account_id"]) for row in n.day["declared_networks"]}
    sizes = Counter(network for network, account in named if account in n.members)
    return max(sizes.values(), default=0) / len(n.members)
