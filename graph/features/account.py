"""What is particular to one account among the members of its network."""

from typing import get_args

from graph.config import Family
from graph.feature import Feature

ACCOUNT_FEATURES = [
    Feature(
        "is_core",
        "account",
        "flag",
        "Whether the account is at the core of its network.",
        "1 if memberships.is_core, else 0",
    ),
    Feature(
        "core_links",
        "account",
        "accounts",
        "Number of core members that the account is linked to.",
        "account_links rows whose other end is a core member of the same network",
    ),
    Feature(
        "link_families",
        "account",
        "families",
        "Number of families that link the account to core members.",
        "distinct families of account_links rows to core members of the same network",
        high=len(get_args(Family)),
    ),
    Feature(
        "strength_ratio",
        "account",
        "",
        "Strength of the account's links beside that of a typical member.",
        "memberships.strength / median strength of the network",
    ),
    Feature(
        "outside_link_ratio",
        "account",
        "ratio",
        "Share of the account's links that lead out of its network.",
        "account_links rows whose other end is no member / account_links rows of the account",
    ),
    Feature(
        "age_days",
        "account",
        "days",
        "Age of the account.",
        "its age; null where unknown",
    ),
    Feature(
        "longest_gap_days",
        "account",
        "days",
        "Longest silence of the account between two active days.",
        "account_profile.longest_gap_days",
    ),
    Feature(
        "ip_networks_used",
        "account",
        "entities",
        "Number of address networks that the account used.",
        "its edges to ip_network",
    ),
    Feature(
        "shared_devices",
        "account",
        "entities",
        "Number of devices that the account shares with members.",
        "its edges to devices, no hubs, that another member has an edge to",
    ),
    Feature(
        "device_lead_days",
        "account",
        "days",
        "How long, in the look-back, the account had a shared device before other members.",
        "over its edges to shared devices on which it was first seen first: largest time "
        "to the second "
        "member's first_seen_at; 0 where it was never first; null without a shared device",
    ),
    Feature(
        "left_device_days",
        "account",
        "days",
        "How long the account has not used the shared device that it had first.",
        "over its edges to shared devices on which it was first seen first: smallest time from its "
        "last_seen_at to the second member's first_seen_at, 0 if negative; null without one",
    ),
    Feature(
        "first_poster_ratio",
        "account",
        "ratio",
        "Share of the account's shared content that it posted first.",
        "shared content on which its edges.first_seen_at is the earliest of the members / its "
        "shared content; null without any",
    ),
    Feature(
        "account_coordinated_ratio",
        "account",
        "ratio",
        "Share of the account's events that lie inside the coordinated moments.",
        "as coordinated_ratio, of this account",
    ),
    Feature(
        "account_regularity",
        "account",
        "ratio",
        "How much of the account's rhythm is one constant pause.",
        "share of gaps between its moments that differ from their median by at most 5% of it; null "
        "with fewer than 10 moments",
    ),
    Feature(
        "targeted_ratio",
        "account",
        "ratio",
        "Share of the members' events on members that the account received.",
        "events of other members' edges to the target that is this account_id / events of members' "
        "edges to targets that are members; null without any",
    ),
    Feature(
        "account_verified",
        "account",
        "flag",
        "Whether the account is verified.",
        "1 or 0 by accounts.verified; null where unknown",
    ),
]
