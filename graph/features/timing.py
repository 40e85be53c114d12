"""When a network acts: how evenly, how fast after one another, and at what hours."""

import math

from graph.feature import Feature

TIMING_FEATURES = [
    Feature(
        "coordinated_ratio",
        "network",
        "ratio",
        "Share of the members' events that lie inside the coordinated moments.",
        "members' sightings of an entity for which link_evidence has a row of theirs with first_at "
        "<= event_at <= last_at / events of account_activity of entity_type any, bin_width_us 0",
    ),
    Feature(
        "link_delay_s",
        "network",
        "s",
        "Typical seconds between two linked members' actions on the same thing.",
        "median of links.avg_time_delta_s over kept links between members; null without any",
    ),
    Feature(
        "burstiness",
        "network",
        "",
        "How bursty a typical member is: -1 a clock, 0 chance, 1 one burst.",
        "median over members with at least 10 moments of (s - m)/(s + m), m and s mean "
        "and standard "
        "deviation of the gaps between moments (Goh and Barabasi, EPL 2008); null without any",
        low=-1,
        high=1,
    ),
    Feature(
        "regularity",
        "network",
        "ratio",
        "How much of a typical member's rhythm is one constant pause.",
        "median over members with at least 10 moments of the share of gaps between moments that "
        "differ from the member's median gap by at most 5% of it; null without any",
    ),
    Feature(
        "hour_entropy",
        "network",
        "bits",
        "How evenly a typical member's day is filled: people sleep, machines need not.",
        "median over members with at least 24 moments of the Shannon entropy of the moments' hours "
        "of day, UTC; null without any",
        high=math.log2(24),
    ),
    Feature(
        "night_ratio",
        "network",
        "ratio",
        "Share of the moments between midnight and six in the member's own time zone.",
        "moments with a local hour below 6 / moments, of members whose "
        "accounts.time_zone is known; "
        "null without any",
    ),
    Feature(
        "round_minute_ratio",
        "network",
        "ratio",
        "Share of the moments in the first second of a minute divisible by five, as "
        "schedulers post.",
        "moments with second 0 and minute modulo 5 = 0, UTC / moments; null without any",
    ),
    Feature(
        "active_days",
        "network",
        "days",
        "Days of the look-back on which a typical member was active.",
        "median over members of the largest active_days of their edges; null without any",
        low=1,
    ),
]
