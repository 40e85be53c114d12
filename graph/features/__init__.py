"""The features of networks and accounts that signatures may name; these lists are the registry.

Words in the rules: *members* are the network's accounts in memberships; their *links* are the rows
of account_links between two of them, their *evidence* the rows of link_evidence of kept links
between two of them. The *moments* of an account are its distinct event_at in sightings, that is,
its events on what others also touched and a trace with a window looks at.
*Shared* is what at least two members used and is no hub. A device that is a hub is an id without
meaning and counts only where a rule says so; hubs of other types count wherever `shared` is not
asked for. Edges, sightings and activity reach back one look-back, profiles and labels to their
beginning. An account's *age* is the time from its creation to the end of ds; its creation is
created_at of the input accounts if that is not after ds, else the earliest first_seen_at of its
signup rows in edge_activity, else unknown. Medians are lower medians, and ties
go to the smallest id.
"""

from graph.features.account import ACCOUNT_FEATURES as ACCOUNT_FEATURES
from graph.features.history import HISTORY_FEATURES
from graph.features.infrastructure import INFRASTRUCTURE_FEATURES
from graph.features.shape import SHAPE_FEATURES
from graph.features.timing import TIMING_FEATURES

NETWORK_FEATURES = [
    *SHAPE_FEATURES,
    *INFRASTRUCTURE_FEATURES,
    *TIMING_FEATURES,
    *HISTORY_FEATURES,
]

FEATURES = [*NETWORK_FEATURES, *ACCOUNT_FEATURES]
