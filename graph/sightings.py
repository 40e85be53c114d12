"""The events that can link: each sighting of an entity that at least two accounts share."""

from __future__ import annotations

from collections.abc import Iterable

from graph.config import Trace
from graph.engines.base import Engine
from graph.frames import Column, DataFrame, F, Window
from graph.tables import TIMESTAMP, Table, columns

SIGHTINGS = Table(
    name="sightings",
    grain="event, entity and occurrence, of what a trace with a window looks at",
    key=("account_id", "entity_type", "entity_id", "event_type", "event_at", "occurrence"),
    schema=columns(
        account_id="string",
        entity_type="string",
        entity_id="string",
        event_type="string",
        event_id="string",
        event_at=TIMESTAMP,
        occurrence="int64",  # number among rows that are equal but for their event id
        may_link="bool",  # false: kept only because its event id stands on several rows
    ),
)


def sightings(
    engine: Engine,
    rows: DataFrame,
    entities: DataFrame,
    events_repeat: bool,
    traces: Iterable[Trace],
    name: str = "sighted",
) -> DataFrame:
    """Keep the entity_events of entities that may link, numbered; columns of SIGHTINGS.

    Only what `traces` with a window look at is kept: others rest on edges. `entities` has
    entity_type, entity_id, degree, is_hub. An entity may link when it is no hub and at least two
    accounts were seen with it. Where one event id may stand on several rows (`events_repeat`), such
    rows of other entities are kept too: they count as participation. `name` is unique in the run.
    """
    rows = _looked_at(rows, traces)
    linking = entities.filter((F.col("degree") >= 2) & ~F.col("is_hub")).select(
        "entity_type", "entity_id"
    )
    kept = rows.join(linking, on=["entity_id", "entity_type"], how="left_semi").withColumn(
        "may_link", F.lit(True)
    )
    if events_repeat:
        others = rows.join(linking, on=["entity_id", "entity_type"], how="left_anti")
        repeated = rows.groupBy("entity_type", "event_id").agg(F.count(F.lit(1)).alias("rows"))
        repeated = repeated.filter(F.col("event_id").isNotNull() & (F.col("rows") > 1))
        others = others.join(
            repeated.select("entity_type", "event_id"),
            on=["event_id", "entity_type"],
            how="left_semi",
        )
        kept = kept.unionByName(others.withColumn("may_link", F.lit(False)))
    kept = engine.materialize(kept, name)
    return kept.withColumn("occurrence", _occurrence(engine, kept)).select(*SIGHTINGS.columns)


def _occurrence(engine: Engine, rows: DataFrame) -> Column:
    """The number of each row among its equals; as a rule none has any, and all are the first."""
    # Times first: Spark sorts by the first eight bytes of the first column, then compares rows.
    equal = ["event_at", "entity_id", "account_id", "event_type", "entity_type"]
    keys = engine.count_keys(rows.select(*equal))
    if keys.rows == keys.hashes:
        return F.lit(1).cast("bigint")
    equal_rows = Window.partitionBy(*equal).orderBy(F.col("event_id").asc_nulls_first())
    return F.row_number().over(equal_rows).cast("bigint")


def _looked_at(rows: DataFrame, traces: Iterable[Trace]) -> DataFrame:
    """Keep the rows of the entity and event types of traces with a window.

    Who was first on an entity is a question to its events of all types.
    """
    looked_at = F.lit(False)
    for trace in traces:
        if trace.window is not None:
            all_types = trace.events is None or trace.exclude_originator
            looked_at |= (F.col("entity_type") == trace.entity) & (
                F.lit(True) if all_types else F.col("event_type").isin(*(trace.events or ()))
            )
    return rows.filter(looked_at)
