"""Spark on an object store: the settings it needs, and what must be on its class path.

Written files become visible when the job ends, by S3A's magic committer: a task uploads its file in
parts and never completes the upload; the driver completes those of the attempts that succeeded. So
nothing is renamed, which on a store is a slow copy that can die half way, and neither a failed nor
a speculative attempt leaves a file.
"""

from __future__ import annotations

from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from graph.engines.base import DependencyError
from graph.filesystems import store_endpoint
from graph.jvm_artifacts import STORE_PACKAGE

PROTOCOL = "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol"
FILESYSTEM = "org.apache.hadoop.fs.s3a.S3AFileSystem"


def store_settings() -> dict[str, str]:
    """Properties of a session that writes to a store; credentials are Spark's own business."""
    settings = {
        "spark.sql.sources.commitProtocolClass": PROTOCOL,
        "spark.sql.parquet.output.committer.class": (
            "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter"
        ),
        "fs.s3a.committer.name": "magic",
    }
    if endpoint := store_endpoint():
        # A store of one's own seldom has a name for every bucket.
        settings |= {"fs.s3a.endpoint": endpoint, "fs.s3a.path.style.access": "true"}
    return settings


def require_store(session: SparkSession) -> None:
    """Raise DependencyError, with what to type, unless Spark can write to a store."""
    try:
        jvm: Any = session._jvm
        loader = jvm.Thread.currentThread().getContextClassLoader()
        for name in (PROTOCOL, FILESYSTEM):
            loader.loadClass(name)
    except Py4JError:
        package = f"{STORE_PACKAGE}:{session.version}"
        raise DependencyError(
            "`warehouse` is on an object store, and what Spark needs for that is not on its class "
            f"path. Submit the job with\n  spark-submit --packages {package} ..."
        ) from None
