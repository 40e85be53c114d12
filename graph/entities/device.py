"""A device that accounts sign in from."""

from graph.entity import EntityType, clean_hash

DEVICE = EntityType(
    name="device",
    label="Device",
    relationship="USED_DEVICE",
    column="device_id",
    clean=clean_hash,
)
