"""The features of networks and accounts that signatures may name; these lists are the registry."""

from graph.features.account import ACCOUNT_FEATURES as ACCOUNT_FEATURES
from graph.features.history import HISTORY_FEATURES
from graph.features.infrastructure import INFRASTRUCTURE_FEATURES
from graph.features.shape import SHAPE_FEATURES
from graph.features.timing import TIMING_FEATURES

WORDS = """\
*Members* are the network's accounts in memberships. Their *links* are the rows of account_links
between two of them, their *evidence* the rows of link_evidence of kept links between two of them.
The *moments* of an account are its distinct event_at in sightings, that is, its events on what
others also touched and a trace with a window looks at.

*Shared* is what at least two members used and is no hub. A device that is a hub is an id without
meaning and counts only where a rule says so; hubs of other types count wherever `shared` is not
asked for.

An account's *age* is the time from its creation to the end of ds. Its creation is created_at of the
input accounts if that is not after ds, else the earliest first_seen_at of its signup rows in
edge_activity, else unknown.

Edges, sightings and activity reach back one look-back, profiles and labels to their beginning.
Medians are lower medians, and ties go to the smallest id.
"""

NETWORK_FEATURE_GROUPS = {
    "size and shape": SHAPE_FEATURES,
    "infrastructure and content": INFRASTRUCTURE_FEATURES,
    "timing": TIMING_FEATURES,
    "origin and history": HISTORY_FEATURES,
}

NETWORK_FEATURES = [each for group in NETWORK_FEATURE_GROUPS.values() for each in group]

FEATURES = [*NETWORK_FEATURES, *ACCOUNT_FEATURES]
