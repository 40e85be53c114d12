"""A piece of content, by its hash or id, that accounts post or share."""

from graph.entity import EntityType, clean_hash

CONTENT = EntityType(
    name="content",
    label="Content",
    relationship="POSTED",
    column="content_hash",
    clean=clean_hash,
)
