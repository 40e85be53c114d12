"""The entity types that events can name, one a file; this list is the registry."""

import pyarrow as pa

from graph.entities.content import CONTENT
from graph.entities.device import DEVICE
from graph.entities.ip import IP
from graph.entities.ip_network import IP_NETWORK
from graph.entities.target import TARGET

ENTITY_TYPES = [DEVICE, IP, IP_NETWORK, CONTENT, TARGET]


def clean_id(entity_type: str, entity_id: str) -> tuple[str | None, str | None]:
    """The id that a site's list gives an entity, as the log's are cleaned, or why it has none.

    Ids of a type that is not cleaned, as derived ones are, stay as they are.
    """
    for kind in ENTITY_TYPES:
        if kind.name == entity_type and kind.clean is not None:
            cleaned = kind.clean(pa.array([entity_id], pa.string()))
            return cleaned.ids[0].as_py(), cleaned.reasons[0].as_py()
    return entity_id, None
