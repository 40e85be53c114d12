"""The Spark engine: local, standalone, YARN or Kubernetes, PySpark 4.0."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from graph.engines.base import BatchFunction, GroupFunction, InputError
from graph.engines.spark_components import connected_components
from graph.engines.spark_files import is_local, map_files, written_files
from graph.engines.spark_session import start_session

# Above this many rows a table travels faster as a parquet file than through the JVM's socket.
ROWS_THROUGH_SOCKET = 200_000


class SparkEngine:
    """A Spark session and the run's scratch folder."""

    name = "spark"
    api_root = "pyspark.sql"

    def __init__(self, session: SparkSession, scratch: str) -> None:
        self.session = session
        self.scratch = scratch
        self._numbers = count()

    def read(
        self, paths: Sequence[str], file_format: str, schema: pa.Schema | None = None
    ) -> DataFrame:
        """See Engine.read."""
        reader = self.session.read
        if schema is not None and file_format != "parquet":
            reader = reader.schema(from_arrow_schema(schema))
        if file_format == "csv":
            reader = reader.options(header=True, multiLine=True, escape='"')
        try:
            if file_format == "jsonl":
                return reader.json(list(paths))
            return reader.format(file_format).load(list(paths))
        except AnalysisException as error:
            raise InputError(f"cannot read {', '.join(paths)} as {file_format}: {error}") from None

    def write(self, frame: DataFrame, path: str, files: int | None = None) -> None:
        """See Engine.write."""
        if files is not None:
            frame = frame.coalesce(files)
        frame.write.mode("error").parquet(path)

    def materialize(self, frame: DataFrame, name: str) -> DataFrame:
        """See Engine.materialize."""
        path = f"{self.scratch}/{name}"
        frame.write.mode("overwrite").parquet(path)
        return self.session.read.schema(frame.schema).parquet(path)

    def from_arrow(self, table: pa.Table) -> DataFrame:
        """See Engine.from_arrow."""
        if table.num_rows <= ROWS_THROUGH_SOCKET or not is_local(self.session, self.scratch):
            return self.session.createDataFrame(table)
        folder = Path(self.scratch) / f"from-arrow-{next(self._numbers)}"
        folder.mkdir(parents=True)
        rows = -(-table.num_rows // self.session.sparkContext.defaultParallelism)
        for part, start in enumerate(range(0, table.num_rows, rows)):
            pq.write_table(table.slice(start, rows), folder / f"part-{part:05}.parquet")
        return self.session.read.schema(from_arrow_schema(table.schema)).parquet(str(folder))

    def to_arrow(self, frame: DataFrame) -> pa.Table:
        """See Engine.to_arrow."""
        files = written_files(frame)
        if files:
            return pq.read_table(files, columns=frame.columns)
        return frame.toArrow()

    def map_arrow(self, frame: DataFrame, function: BatchFunction, schema: pa.Schema) -> DataFrame:
        """See Engine.map_arrow."""
        files = written_files(frame)
        if files:
            return map_files(frame, files, function, schema)
        return frame.mapInArrow(function, from_arrow_schema(schema))

    def map_groups_arrow(
        self, frame: DataFrame, keys: Sequence[str], function: GroupFunction, schema: pa.Schema
    ) -> DataFrame:
        """See Engine.map_groups_arrow."""
        return frame.groupBy(*keys).applyInArrow(function, from_arrow_schema(schema))

    def connected_components(self, links: DataFrame) -> DataFrame:
        """See Engine.connected_components; by GraphFrames."""
        name = f"graphframes-{next(self._numbers)}"
        return connected_components(
            self.session,
            links,
            f"{self.scratch}/{name}",
            lambda f: self.materialize(f, name + "-result"),
        )

    def close(self) -> None:
        """See Engine.close."""
        self.session.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)


def open_spark(
    application: str, scratch: Path | str, settings: dict[str, str] | None = None
) -> SparkEngine:
    """Start a Spark engine, or take the session that spark-submit configured.

    `settings` are Spark properties; those given to spark-submit win. Raises DependencyError when no
    JVM can be started.
    """
    session = start_session(application, Path(scratch), settings or {})
    return SparkEngine(session, str(scratch))
