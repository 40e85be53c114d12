"""Which signature names the networks of each planted kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.integration.sites import Row

NAMES = {
    "copypasta_ring": "Copypasta ring",
    "device_farm": "Device farm",
    "engagement_ring": "Engagement ring",
    "false_reporting": "Mass false reporting",
    "hijacked_accounts": "Account-takeover wave",
    "reshare_amplifier": "Fast-reshare amplifier ring",
    "rotating_bot_net": "IP-rotating bot net",
    "sign_up_burst": "Bulk sign-up",
    "sleeper_network": "Sleeper network that wakes",
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
