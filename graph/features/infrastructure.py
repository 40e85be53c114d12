"""What a network runs on: its devices, its networks of addresses, its content and its targets."""

from graph.feature import Feature
from graph.ip_networks import KINDS

INFRASTRUCTURE_FEATURES = [
    Feature(
        "devices",
        "network",
        "entities",
        "Number of devices that members used.",
        "distinct device entity_id of members' edges; null without any",
        low=1,
    ),
    Feature(
        "accounts_per_device",
        "network",
        "accounts",
        "Members per device: device reuse.",
        "members' edges to devices / distinct devices of them; null without any",
        low=1,
    ),
    Feature(
        "shared_device_ratio",
        "network",
        "ratio",
        "Share of the members that used a device which another member used.",
        "members with edges to a shared device that is no hub / members",
    ),
    Feature(
        "top_devices_ratio",
        "network",
        "ratio",
        "Share of the members on the three devices with the most members.",
        "members with edges to one of the three devices that most members have edges to / members",
    ),
    Feature(
        "ip_networks",
        "network",
        "entities",
        "Number of address networks that members used.",
        "distinct ip_network entity_id of members' edges; null without any",
        low=1,
    ),
    Feature(
        "ip_networks_per_account",
        "network",
        "entities",
        "Address networks that a typical member used.",
        "median over members of their edges to ip_network, members without one left out",
        low=1,
    ),
    Feature(
        "top_ip_network_ratio",
        "network",
        "ratio",
        "Share of the members on the address network with the most members, hub or not.",
        "largest number of members with edges to one ip_network / members",
    ),
    Feature(
        "signup_ip_networks",
        "network",
        "entities",
        "Number of address networks that members signed up from.",
        "distinct ip_network entity_id of members' signup rows in edge_activity; null without any",
        low=1,
    ),
    *(
        Feature(
            f"ip_{kind}_ratio",
            "network",
            "ratio",
            f"Share of the events, where the kind of address network is known, that came from "
            f"{kind}.",
            f"events of members' edges to ip whose nodes.ip_kind is {kind} / those whose ip_kind "
            "is known; null without any",
        )
        for kind in KINDS
    ),
    Feature(
        "hub_ratio",
        "network",
        "ratio",
        "Share of the members' events on entities that are hubs.",
        "events of members' edges to nodes with is_hub / events of members' edges",
    ),
    Feature(
        "listed_shared_ratio",
        "network",
        "ratio",
        "Share of the members that used an entity on the site's list of shared ones.",
        "members with edges to a node whose hub_reason begins with `shared:` / members",
    ),
    Feature(
        "content_diversity",
        "network",
        "ratio",
        "Distinct pieces of content per posting of one by a member: near 0 where all repeat a few.",
        "distinct content entity_id of members' edges / members' edges to content; null "
        "without any",
    ),
    Feature(
        "shared_content_ratio",
        "network",
        "ratio",
        "Share of the members' events on content that another member also posted.",
        "events of members' edges to shared content / those to content; null without any",
    ),
    Feature(
        "content_rarity",
        "network",
        "",
        "How rare the content is that links members: 0 where everybody posts it.",
        "mean of link_evidence.rarity over the distinct content of links between members; null "
        "without any",
    ),
    Feature(
        "leader_ratio",
        "network",
        "ratio",
        "Share of the shared content that one and the same member posted first.",
        "over shared content, the member with the earliest edges.first_seen_at is its "
        "first poster: "
        "largest number of one member / shared content; null without any",
    ),
    Feature(
        "top_targets_ratio",
        "network",
        "ratio",
        "Share of the members' events on targets that went to the three commonest.",
        "events of members' edges to the three targets with the most of them / those to targets; "
        "null without any",
    ),
    Feature(
        "member_target_ratio",
        "network",
        "ratio",
        "Share of the members' events on targets that went to other members.",
        "events of members' edges to a target that is another member's account_id / those to "
        "targets; null without any",
    ),
]
