"""Which signature names the networks of each planted kind, and of whom the innocent ones are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.integration.sites import Row

NAMES = {
    "ban_evasion": "Ban evasion",
    "content_farm": "Content-farm syndicate",
    "copypasta_ring": "Copypasta ring",
    "device_farm": "Device farm",
    "emulator_farm": "Emulator farm",
    "engagement_ring": "Engagement ring",
    "false_reporting": "Mass false reporting",
    "hijacked_accounts": "Account-takeover wave",
    "reshare_amplifier": "Fast-reshare amplifier ring",
    "rotating_bot_net": "IP-rotating bot net",
    "sign_up_burst": "Bulk sign-up",
    "sleeper_network": "Sleeper network that wakes",
    "spam_link_campaign": "Spam link campaign",
}
"""The signature that names each planted kind."""

Confusion = Counter[tuple[str | None, str | None]]
"""Networks by the kind that most members were planted as, and by the signature that names them."""


def confusion(truth: Iterable[Row], memberships: Iterable[Row], scores: Iterable[Row]) -> Confusion:
    """Count the networks of a scored week; None: no member is planted, or no signature names it."""
    planted = {row["account_id"]: row["kind"] for row in truth if row["planted"]}
    kinds: dict[str, Counter[str | None]] = defaultdict(Counter)
    for row in memberships:
        kinds[row["network_id"]][planted.get(row["account_id"])] += 1
    titles = {row["network_id"]: row["title"] for row in scores}
    return Counter(
        (counts.most_common(1)[0][0], titles[network]) for network, counts in kinds.items()
    )


EXPLAINED_BY = {
    "activists": "Activists",
    "campus": "Campus",
    "carrier_nat": "Carrier NAT",
    "cloned_device_id": "Cloned device id",
    "fan_community": "Fan community",
    "household": "Household or family tablet",
    "internet_cafe": "Internet cafe",
    "office": "Office",
    "scheduler_users": "Scheduler users",
    "school_tablets": "School or library tablets",
    "talent_agency": "Talent agency",
}
"""The signature that explains the networks of each kind of look-alikes that has one."""

EVERYWHERE = ("carrier_nat", "viral_hash")
"""Look-alikes that describe accounts of all others, too."""


def innocent_networks(truth: Iterable[Row], memberships: Iterable[Row]) -> dict[str, str | None]:
    """The networks without a planted account, each with what most of its members look like."""
    planted = {row["account_id"] for row in truth if row["planted"]}
    kinds = defaultdict(set)
    for row in truth:
        if row["role"] == "bystander" and not row["planted"]:
            kinds[row["account_id"]].add(row["kind"])
    members = defaultdict(list)
    for row in memberships:
        members[row["network_id"]].append(row["account_id"])
    found: dict[str, str | None] = {}
    for network, accounts in members.items():
        if planted.isdisjoint(accounts):
            alike = Counter(kind for name in accounts for kind in kinds[name])
            special = {kind: n for kind, n in alike.items() if kind not in EVERYWHERE}
            most = Counter(special or alike).most_common(1)
            found[network] = most[0][0] if most else None
    return found
