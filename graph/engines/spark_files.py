"""Tasks that open written parquet files themselves, instead of receiving rows through Spark.

Moving rows from the JVM to Python costs more than reading them from a file, so a frame that is
nothing but written files on a local (or shared, mounted) filesystem is read by name with pyarrow.
Files on object stores are left to Spark, which has the credentials.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from graph.engines.base import BatchFunction

ROWS_A_BATCH = 1 << 18


def written_files(frame: DataFrame) -> list[str]:
    """The local parquet files that are exactly this frame's rows; empty if it is anything else.

    A selection of columns under their own names is allowed, a filter or any computed column is not.
    """
    plan = frame._jdf.queryExecution().optimizedPlan()
    if plan.nodeName() == "Project" and _only_names_columns(plan.projectList()):
        plan = plan.child()
    if plan.nodeName() != "LogicalRelation":
        return []
    locations = [urlparse(file) for file in frame.inputFiles()]
    if not locations or any(location.scheme != "file" for location in locations):
        return []
    files = [unquote(location.path) for location in locations]
    return (
        files
        if all(file.endswith(".parquet") for file in files) and _holds(files[0], frame)
        else []
    )


def is_local(session: SparkSession, path: str) -> bool:
    """Whether this is a plain path, and Spark takes plain paths for local ones."""
    if urlparse(path).scheme:
        return False
    folder = hadoop_path(session, path)
    return bool(folder.getFileSystem(session._jsc.hadoopConfiguration()).getScheme() == "file")


def hadoop_path(session: SparkSession, path: str) -> Any:
    """The JVM's own object for a path, which knows the filesystem that Spark would use."""
    jvm: Any = session._jvm
    return jvm.org.apache.hadoop.fs.Path(path)


def map_files(
    frame: DataFrame, files: Sequence[str], function: BatchFunction, schema: pa.Schema
) -> DataFrame:
    """Apply a function to the batches of files, in as many tasks as there are cores."""
    session = frame.sparkSession
    tasks = session.sparkContext.defaultParallelism
    columns, files = frame.columns, sorted(files)

    def read_and_apply(numbers: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        own = [number.as_py() for batch in numbers for number in batch.column(0)]
        return function(_batches(files, columns, own, tasks))

    numbers = session.range(0, tasks, 1, tasks)
    return numbers.mapInArrow(read_and_apply, from_arrow_schema(schema))


def _batches(
    files: Sequence[str], columns: Sequence[str], own: Sequence[int], tasks: int
) -> Iterator[pa.RecordBatch]:
    """The batches of every tasks-th row group, counted over all files."""
    group = 0
    for path in files:
        with pq.ParquetFile(path) as file:
            wanted = [row for row in range(file.num_row_groups) if (group + row) % tasks in own]
            group += file.num_row_groups
            if wanted:
                yield from file.iter_batches(ROWS_A_BATCH, row_groups=wanted, columns=columns)


def _only_names_columns(expressions: Any) -> bool:
    return all(
        expressions.apply(place).getClass().getSimpleName() == "AttributeReference"
        for place in range(expressions.size())
    )


def _holds(file: str, frame: DataFrame) -> bool:
    """Whether the file has the frame's columns in just the frame's types."""
    if not Path(file).is_file():
        return False
    stored = pq.read_schema(file)
    wanted = to_arrow_schema(frame.schema)
    return all(
        field.name in stored.names and stored.field(field.name).type == field.type
        for field in wanted
    )
