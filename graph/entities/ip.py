"""An IP address: IPv4 as it is, IPv6 as its /64."""

from graph.addresses import clean_addresses
from graph.entity import EntityType

IP = EntityType(
    name="ip",
    label="IP",
    relationship="USED_IP",
    column="ip",
    clean=clean_addresses,
)
