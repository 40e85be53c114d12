"""The entity types that events can name, one a file; this list is the registry."""

from graph.entities.content import CONTENT
from graph.entities.device import DEVICE
from graph.entities.ip import IP
from graph.entities.ip_network import IP_NETWORK
from graph.entities.target import TARGET

ENTITY_TYPES = [DEVICE, IP, IP_NETWORK, CONTENT, TARGET]
