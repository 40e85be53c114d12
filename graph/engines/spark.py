"""The Spark engine: local, standalone, YARN or Kubernetes, PySpark 4.0."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import count
from operator import and_
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import from_arrow_schema

from graph.engines.at_once import at_once
from graph.engines.base import (
    UNPARSED,
    BatchFunction,
    GroupFunction,
    InputError,
    Item,
    KeyCounts,
    Result,
)
from graph.engines.duckdb_keys import count_keys_of_files
from graph.engines.spark_components import connected_components
from graph.engines.spark_files import is_local, map_files, written_files
from graph.engines.spark_session import start_session
from graph.engines.spark_store import require_store, store_settings

# Above this many rows a table travels faster as a parquet file than through the JVM's socket.
ROWS_THROUGH_SOCKET = 200_000

STEPS_AT_ONCE = 3

# What to do about files that Spark refuses, by what its message contains.
ADVICE = {
    "(NANOS": "Spark does not read times in nanoseconds: write them in microseconds (pandas: "
    "to_parquet with coerce_timestamps='us')",
    "CANNOT_MERGE_SCHEMAS": "a column has one type in some files and another in others: write "
    "them alike",
    "UNABLE_TO_INFER_SCHEMA": "there are no such files in it",
    "PATH_NOT_FOUND": "there is nothing of that name",
    "Input Pattern": "Spark takes brackets, braces and stars in the name of a csv file or its "
    "folder for a pattern: rename it",
}


class SparkEngine:
    """A Spark session and the run's scratch folder."""

    name = "spark"
    api_root = "pyspark.sql"
    streams_components = False

    def __init__(self, session: SparkSession, scratch: str) -> None:
        self.session = session
        self.scratch = scratch
        master = session.sparkContext.master or ""
        self.on_one_machine = master.startswith("local") and is_local(session, scratch)
        self._numbers = count()

    def read(
        self,
        paths: Sequence[str],
        file_format: str,
        merge_columns: bool = False,
        source: str | None = None,
    ) -> DataFrame:
        """See Engine.read."""
        frame = self._read(paths, file_format, merge_columns)
        return frame if source is None else frame.withColumn(source, F.input_file_name())

    def _read(self, paths: Sequence[str], file_format: str, merge_columns: bool) -> DataFrame:
        reader = self._reader().option("columnNameOfCorruptRecord", UNPARSED)
        try:
            if file_format == "csv":
                return _read_csv(reader, list(paths))
            if file_format == "jsonl":
                return reader.json(list(paths))
            return reader.option("mergeSchema", merge_columns).parquet(*paths)
        except (AnalysisException, Py4JJavaError) as error:
            known = [advice for sign, advice in ADVICE.items() if sign in str(error)]
            if not known and isinstance(error, Py4JJavaError):
                raise
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            where = f"cannot read {paths[0]}{more} as {file_format}"
            raise InputError(f"{where}: {known[0] if known else error}") from None

    def _reader(self) -> DataFrameReader:
        """Reads paths as they are named: a bracket in one is no pattern."""
        return self.session.read.option("__globPaths__", False)

    def write(self, frame: DataFrame, path: str, files: int | None = None) -> None:
        """See Engine.write."""
        if files is not None:
            frame = frame.coalesce(files)
        frame.write.mode("error").parquet(path)

    def materialize(self, frame: DataFrame, name: str) -> DataFrame:
        """See Engine.materialize."""
        path = f"{self.scratch}/{name}"
        frame.write.mode("overwrite").option("compression", "lz4_raw").parquet(path)
        return self._reader().schema(frame.schema).parquet(path)

    def from_arrow(self, table: pa.Table) -> DataFrame:
        """See Engine.from_arrow."""
        if table.num_rows <= ROWS_THROUGH_SOCKET or not is_local(self.session, self.scratch):
            return self.session.createDataFrame(table)
        folder = Path(self.scratch) / f"from-arrow-{next(self._numbers)}"
        folder.mkdir(parents=True)
        rows = -(-table.num_rows // self.session.sparkContext.defaultParallelism)
        for part, start in enumerate(range(0, table.num_rows, rows)):
            pq.write_table(table.slice(start, rows), folder / f"part-{part:05}.parquet")
        return self._reader().schema(from_arrow_schema(table.schema)).parquet(str(folder))

    def to_arrow(self, frame: DataFrame) -> pa.Table:
        """See Engine.to_arrow."""
        files = written_files(frame)
        if files:
            return pq.read_table(files, columns=frame.columns)
        return frame.toArrow()

    def count_keys(self, frame: DataFrame) -> KeyCounts:
        """See Engine.count_keys; files of this machine are counted here, without a shuffle."""
        if self.on_one_machine and (files := written_files(frame)):
            return count_keys_of_files(files, frame.columns, self.scratch)
        whole = reduce(and_, (F.isnotnull(name) for name in frame.columns))
        hashed = frame.select(F.when(whole, F.xxhash64(*frame.columns)).alias("hash"))
        # Nearly every key is different: counting before the shuffle would only cost.
        per_hash = hashed.repartition("hash").groupBy("hash").agg(F.count("*").alias("rows"))
        found = per_hash.agg(
            F.sum("rows").alias("rows"),
            F.sum(F.when(F.col("hash").isNotNull(), F.col("rows"))).alias("whole"),
            F.count("hash").alias("hashes"),
        )
        (counts,) = found.collect()
        return KeyCounts(counts["rows"] or 0, counts["whole"] or 0, counts["hashes"])

    def map_arrow(
        self,
        frame: DataFrame,
        function: BatchFunction,
        schema: pa.Schema,
        together: Sequence[str] = (),
    ) -> DataFrame:
        """See Engine.map_arrow."""
        if together:
            return frame.repartition(*together).mapInArrow(function, from_arrow_schema(schema))
        files = written_files(frame)
        if files:
            return map_files(frame, files, function, schema)
        return frame.mapInArrow(function, from_arrow_schema(schema))

    def map_groups_arrow(
        self, frame: DataFrame, keys: Sequence[str], function: GroupFunction, schema: pa.Schema
    ) -> DataFrame:
        """See Engine.map_groups_arrow."""
        return frame.groupBy(*keys).applyInArrow(function, from_arrow_schema(schema))

    def independent(self, step: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """See Engine.independent; while one step plans, or runs its last task, another computes."""
        return at_once(step, items, STEPS_AT_ONCE)

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


def _read_csv(reader: DataFrameReader, paths: list[str]) -> DataFrame:
    """Read all columns as strings, and rows of too few or too many fields as UNPARSED."""
    reader = reader.options(header=True, multiLine=True, escape='"')
    found = reader.csv(paths)
    # Columns go by their places: files that have them in another order must not pass for equal.
    reader = reader.option("enforceSchema", len(found.inputFiles()) == 1)
    wanted = T.StructType([*found.schema, T.StructField(UNPARSED, T.StringType())])
    return reader.schema(wanted).csv(paths)


def open_spark(
    application: str,
    scratch: Path | str,
    settings: dict[str, str] | None = None,
    store: str | None = None,
) -> SparkEngine:
    """Start a Spark engine, or take the session that spark-submit configured.

    `settings` are Spark properties; those given to spark-submit win. `store` is a URL on an object
    store, for what would else be in the scratch folder and all machines of a cluster must reach.
    Raises DependencyError when no JVM can be started, or it cannot use the store.
    """
    wanted = {**(store_settings() if store else {}), **(settings or {})}
    session = start_session(application, Path(scratch), wanted)
    if store:
        require_store(session)
    return SparkEngine(session, store or str(scratch))
