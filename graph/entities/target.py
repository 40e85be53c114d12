"""An account or object that accounts follow, like, comment on or report."""

from graph.entity import EntityType, clean_text

TARGET = EntityType(
    name="target",
    label="Target",
    relationship="ACTED_ON",
    column="target_id",
    clean=clean_text,
)
