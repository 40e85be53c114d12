"""The network of an IP address: its autonomous system where known, else its /24 (/48)."""

from graph.entity import EntityType

IP_NETWORK = EntityType(
    name="ip_network",
    label="IPNetwork",
    relationship="USED_IP_NETWORK",
    derived_from="ip",
)
