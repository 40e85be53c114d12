"""The rules of the declared features, read literally, in plain Python over lists of rows."""

from __future__ import annotations

from collections.abc import Callable

from tests.graph.feature_days import Day, Row, Values
from tests.graph.network_rules import DAY, NETWORK_RULES, days, device_break_of, on_members, regular
from tests.graph.network_view import Network, Number, events, median, share

AccountRule = Callable[[Network, str], Number]


def outside_link_ratio(n: Network, account: str) -> Number:
    others = [other for other, _ in n.links_of(account)]
    return share(sum(other not in n.members for other in others), len(others))


def strength_ratio(n: Network, account: str) -> Number:
    typical_strength = median(row["strength"] for row in n.members.values())
    return share(n.members[account]["strength"], typical_strength or 0)


def led(n: Network, account: str) -> list[tuple[Row, Row]]:
    """The account's edges to shared devices that it had first, each with the second member's."""
    on_shared = n.shared_edges(account, "device")
    return [(row, rows[1]) for row, rows in on_shared if rows[0] is row]


def device_lead_days(n: Network, account: str) -> Number:
    if not n.shared_edges(account, "device"):
        return None
    leads = [second["first_seen_at"] - first["first_seen_at"] for first, second in led(n, account)]
    return max(days(leads), default=0)


def left_device_days(n: Network, account: str) -> Number:
    left = [second["first_seen_at"] - row["last_seen_at"] for row, second in led(n, account)]
    return min((max(day, 0) for day in days(left)), default=None)


def first_poster_ratio(n: Network, account: str) -> Number:
    posted = n.shared_edges(account, "content")
    return share(sum(rows[0] is row for row, rows in posted), len(posted))


def targeted_ratio(n: Network, account: str) -> Number:
    received = [row for row in on_members(n) if row["entity_id"] == account]
    return share(events(received), events(on_members(n)))


def age_days(n: Network, account: str) -> Number:
    age = n.age(account)
    return None if age is None else age / DAY


def shared_address_ratio(n: Network, account: str) -> Number:
    own = [row for row in n.edges("ip") if row["account_id"] == account]
    kinds = ("mobile", "vpn", "education")
    by_strangers = [row for row in own if n.is_hub(row) or n.node(row)["ip_kind"] in kinds]
    return share(events(by_strangers), events(own))


def account_hosting_ratio(n: Network, account: str) -> Number:
    kinds = [(row, n.node(row)["ip_kind"]) for row in n.edges("ip") if row["account_id"] == account]
    known = [row for row, kind in kinds if kind is not None]
    return share(events(row for row, kind in kinds if kind == "hosting"), events(known))


ACCOUNT_RULES: dict[str, AccountRule] = {
    "is_core": lambda n, a: int(a in n.core),
    "core_links": lambda n, a: len(n.core_links(a)),
    "link_families": lambda n, a: len(n.core_families(a)),
    "strength_ratio": strength_ratio,
    "outside_link_ratio": outside_link_ratio,
    "age_days": age_days,
    "longest_gap_days": lambda n, a: n.profiles.get(a, {}).get("longest_gap_days"),
    "ip_networks_used": lambda n, a: sum(r["account_id"] == a for r in n.edges("ip_network")),
    "shared_address_ratio": shared_address_ratio,
    "account_hosting_ratio": account_hosting_ratio,
    "shared_devices": lambda n, a: len(n.shared_edges(a, "device")),
    "device_lead_days": device_lead_days,
    "left_device_days": left_device_days,
    "device_break": device_break_of,
    "first_poster_ratio": first_poster_ratio,
    "account_coordinated_ratio": lambda n, a: share(n.coordinated(a), events(n.activity(a))),
    "account_regularity": lambda n, a: regular(n.moments(a)),
    "targeted_ratio": targeted_ratio,
    "account_verified": lambda n, a: n.accounts.get(a, {}).get("verified"),
}


def expected(day: Day) -> Values:
    """All features of a day by the rules."""
    values: Values = {}
    for row in day["networks"]:
        network = Network(day, row["network_id"])
        subject = (row["network_id"],)
        values[subject] = {name: of(network) for name, of in NETWORK_RULES.items()}
        for account in network.members:
            values[*subject, account] = {
                name: of(network, account) for name, of in ACCOUNT_RULES.items()
            }
    return values
