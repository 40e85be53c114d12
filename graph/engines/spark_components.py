"""Connected components by GraphFrames, for graphs whose accounts outgrow one machine's memory.

GraphFrames' own answer depends on its defaults, so every argument is given by name: ids of their
own as components, and the two-phase algorithm (the GraphX one needs as many rounds as the longest
path). What it leaves behind (the last checkpoint, persisted frames) is removed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from graph.engines.base import DependencyError
from graph.engines.spark_files import hadoop_path
from graph.jvm_artifacts import graphframes


def connected_components(
    session: SparkSession,
    links: DataFrame,
    checkpoints: str,
    materialize: Callable[[DataFrame], DataFrame],
) -> DataFrame:
    """From links account_a, account_b to rows account_id, component_id (the smallest member).

    `checkpoints` is a folder of this call alone, removed at the end; `materialize` keeps the
    result. Raises DependencyError when GraphFrames' JVM half is not on the class path.
    """
    require_graphframes(session)
    from graphframes import GraphFrame

    edges = links.select(F.col("account_a").alias("src"), F.col("account_b").alias("dst"))
    vertices = edges.select(F.col("src").alias("id")).union(edges.select("dst")).distinct()
    with _left_as_found(session, checkpoints):
        found = GraphFrame(vertices, edges).connectedComponents(
            algorithm="graphframes",
            checkpointInterval=2,
            broadcastThreshold=1_000_000,
            useLabelsAsComponents=True,
        )
        result = materialize(
            found.select(F.col("id").alias("account_id"), F.col("component").alias("component_id"))
        )
        found.unpersist()
    return result


def require_graphframes(session: SparkSession) -> None:
    """Raise DependencyError, with what to type, unless GraphFrames' JVM half is there."""
    try:
        jvm: Any = session._jvm
        loader = jvm.Thread.currentThread().getContextClassLoader()
        loader.loadClass("org.graphframes.GraphFramePythonAPI")
    except Py4JError:
        raise DependencyError(
            "GraphFrames' JVM half is not on Spark's class path. Submit the job with\n"
            f"  spark-submit --packages {graphframes().coordinates} ...\n"
            "or set components.algorithm to forest, which does not need it."
        ) from None


@contextmanager
def _left_as_found(session: SparkSession, checkpoints: str) -> Iterator[None]:
    """Checkpoint under `checkpoints`; afterwards restore settings and drop what was kept."""
    context: Any = session.sparkContext._jsc.sc()
    adaptive = session.conf.get("spark.sql.adaptive.enabled") or "true"
    previous = context.getCheckpointDir()
    cache = session._jsparkSession.sharedState().cacheManager()
    nothing_cached = cache.isEmpty()
    persisted = set(session.sparkContext._jsc.getPersistentRDDs())
    session.sparkContext.setCheckpointDir(checkpoints)
    try:
        yield
    finally:
        session.conf.set("spark.sql.adaptive.enabled", adaptive)
        if nothing_cached:
            session.catalog.clearCache()
        for number, rdd in dict(session.sparkContext._jsc.getPersistentRDDs()).items():
            if number not in persisted:
                rdd.unpersist()
        folder = hadoop_path(session, checkpoints)
        folder.getFileSystem(session._jsc.hadoopConfiguration()).delete(folder, True)
        getattr(context, "checkpointDir_$eq")(previous)
