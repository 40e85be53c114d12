"""A published day as a GraphFrame, for motif finding and the like in a notebook; Spark's alone."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from graph.build import EDGES, NODES
from graph.config import Config
from graph.engines.base import InputError
from graph.engines.spark import SparkEngine
from graph.engines.spark_components import require_graphframes
from graph.engines.spark_session import start_session
from graph.engines.spark_store import store_settings
from graph.entities import ENTITY_TYPES
from graph.jvm_artifacts import graphframes_jar
from graph.local_tables import LocalTables
from graph.published import JOURNAL, read_table
from graph.remote_tables import RemoteTables

if TYPE_CHECKING:
    from graphframes import GraphFrame


def open_day(
    ds: date | str,
    home: Path | str | None = None,
    session: SparkSession | None = None,
    warehouse: str | None = None,
) -> GraphFrame:
    """The graph that build-graph published for a day.

    Vertices: id `<type>:<id>` and the columns of nodes. Edges: src (an account), dst (an entity),
    relationship (USED_DEVICE, POSTED, ...) and the columns of edges. Hubs are among them:
    leave them out before looking for motifs, `open_day(ds).filterVertices("NOT is_hub")`.

    `home` is by default that of the commands; `warehouse` is the setting of that name, where the
    tables are on an object store, and needs no home. Without `session` the active one is used; if
    there is none, one is started. Raises InputError for a day that is not published, or only in
    part, DependencyError when the session lacks GraphFrames' JVM half.
    """
    home = Path(home or os.environ.get("ACTORGRAPH_HOME") or Config.model_fields["home"].default)
    if (home / "warehouse" / JOURNAL).exists():
        raise InputError(
            f"{home / 'warehouse'}: tables are being replaced, or were when a run died: try again, "
            "or let `actorgraph status` finish it"
        )
    session = session or SparkSession.getActiveSession() or _start(warehouse)
    require_graphframes(session)
    from graphframes import GraphFrame

    day = date.fromisoformat(ds) if isinstance(ds, str) else ds
    published = RemoteTables(warehouse) if warehouse else LocalTables(home / "warehouse")
    found = [published.day(table.name, day) for table in (NODES, EDGES)]
    if len({each.description["run_id"] for each in found if each.description}) > 1:
        raise InputError(f"{published.place}: tables of {day} are being replaced: try again")
    engine = SparkEngine(session, scratch=published.place)  # only reads
    nodes, edges = (
        read_table(engine, table, day, each)
        for table, each in zip((NODES, EDGES), found, strict=True)
    )
    relationships = F.create_map(
        *(F.lit(text) for each in ENTITY_TYPES for text in (each.name, each.relationship))
    )
    return GraphFrame(
        nodes.select(F.concat_ws(":", "node_type", "node_id").alias("id"), *nodes.columns),
        edges.select(
            F.concat(F.lit("account:"), "account_id").alias("src"),
            F.concat_ws(":", "entity_type", "entity_id").alias("dst"),
            relationships[F.col("entity_type")].alias("relationship"),
            *edges.columns,
        ),
    )


def _start(warehouse: str | None) -> SparkSession:
    settings = {"spark.jars": str(graphframes_jar())} | (store_settings() if warehouse else {})
    with TemporaryDirectory(prefix="actorgraph-") as scratch:
        return start_session("actorgraph", Path(scratch), settings)
