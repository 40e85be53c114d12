"""Where a network comes from: ages, sign-ups, earlier sleep, earlier decisions, its market."""

from graph.feature import Feature

HISTORY_FEATURES = [
    Feature(
        "new_account_ratio",
        "network",
        "ratio",
        "Share of the members of known age that are younger than a week.",
        "members with an age below 7 days / members of known age; null without any",
    ),
    Feature(
        "median_age_days",
        "network",
        "days",
        "Age of a typical member.",
        "median age of members of known age; null without any",
    ),
    Feature(
        "signup_spread_hours",
        "network",
        "hours",
        "Length of the shortest time in which nine tenths of the members were created.",
        "shortest time from one creation to another that holds at least 90% of the known "
        "ones; null "
        "with fewer than 3",
    ),
    Feature(
        "signup_hour_ratio",
        "network",
        "ratio",
        "Largest share of the members created within one hour.",
        "most creations in one sliding hour, both ends included / known creations; null with fewer "
        "than 3",
    ),
    Feature(
        "age_span_days",
        "network",
        "days",
        "Time between the creation of the oldest and the youngest member.",
        "largest minus smallest known age; null with fewer than 2",
    ),
    Feature(
        "dormant_ratio",
        "network",
        "ratio",
        "Share of the members that were once silent for a month or longer.",
        "members with account_profile.longest_gap_days >= 30 / members",
    ),
    Feature(
        "device_break_ratio",
        "network",
        "ratio",
        "Share of the older members that came to the network's shared devices only lately.",
        "of members with an age of 30 days or more and an edge to a device that is not shared: "
        "those with an edge to a shared device, each of them first seen later than every one that "
        "is not, and within the last 7 days / those; null without any",
    ),
    Feature(
        "growth_ratio",
        "network",
        "ratio",
        "Share of the members that joined within the last week.",
        "members with memberships.joined_on in the 7 days up to ds / members",
    ),
    Feature(
        "re_emerged",
        "network",
        "flag",
        "Whether the network shares rare entities with one that was enforced.",
        "1 if history has event re-emerged for the network on ds, else 0",
        high=1,
    ),
    Feature(
        "prior_decision_ratio",
        "network",
        "ratio",
        "Share of the members over which a decision was made before.",
        "members with account_profile.prior_decisions > 0 / members",
    ),
    Feature(
        "decided_device_ratio",
        "network",
        "ratio",
        "Share of the members on a device of an outside account over which a decision was made.",
        "members with an edge to a device, no hub, that an account outside with "
        "account_profile.prior_decisions > 0 has an edge to / members",
    ),
    Feature(
        "abusive_label_ratio",
        "network",
        "ratio",
        "Share of the members with a valid label abusive.",
        "members with a row in labels, subject_type account, label abusive, neither withdrawn nor "
        "expired / members; null where the input is absent",
    ),
    Feature(
        "verified_ratio",
        "network",
        "ratio",
        "Share of the members that are verified.",
        "members with accounts.verified true / members where it is known; null without any",
    ),
    Feature(
        "top_market_ratio",
        "network",
        "ratio",
        "Share of the members in the market that most of them are in.",
        "largest number of members of one accounts.market / members with one; null without any",
    ),
    Feature(
        "declared_ratio",
        "network",
        "ratio",
        "Share of the members that one declared network names.",
        "largest number of members in one network of declared_networks, rows not expired "
        "/ members; "
        "null where the input is absent",
    ),
]
