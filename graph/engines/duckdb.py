"""The embedded engine: DuckDB in this process, spoken to by SQLFrame; no Spark and no Java."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, cast
from weakref import finalize

import duckdb
import pyarrow as pa
import sqlframe.base.util
from duckdb.sqltypes import HUGEINT
from sqlframe.base.session import _BaseSession
from sqlframe.duckdb import DuckDBSession

from graph.engines.base import BatchFunction, GroupFunction, Item, KeyCounts, Result
from graph.engines.duckdb_batches import ROWS_A_BATCH, between_groups, each_group
from graph.engines.duckdb_files import query_of_files
from graph.engines.duckdb_frames import Frame, quoted
from graph.engines.duckdb_keys import count_keys
from graph.engines.side_by_side import Shared, Task, side_by_side
from graph.id_index import id_type_of

if TYPE_CHECKING:
    from graph.frames import DataFrame

# Rows that one call of a function gets, more or less, where equal values belong together; a call
# takes some 200 bytes a row.
ROWS_TOGETHER = 1_000_000

# Fewer rows are not worth dividing among threads, though they may make very many pairs.
ROWS_TO_DIVIDE = 1_000

# Each call reads its rows by a scan of all, which is cheaper than sorting them. Where that makes
# more scans than this, rows are sorted instead, and cut between groups.
MOST_SCANS = 64

# The default level makes files a seventh smaller, and takes almost twice as long to write them. A
# dictionary of ids is tried in vain, up to its limit; version 2 is a fifth faster to read.
PARQUET = (
    "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2, "
    "DICTIONARY_SIZE_LIMIT 1000"
)

# What makes integers of 128 bits: sums of any kind, counts of what is true, and casts. To ask
# DuckDB for a query's types takes as long as to plan it.
MAY_BE_HUGE = re.compile("sum|count_?if|huge", re.IGNORECASE)

FIXED_SETTINGS = {
    "TimeZone": "UTC",
    "preserve_insertion_order": "false",
    # It goes to the standard output, where other programs read, and runs log their own steps.
    "enable_progress_bar": "false",
}


# SQLFrame asks for its dialect's name with every column, and to answer imports all dialects of
# sqlglot, anew each time: a tenth of a small run. A dialect's key is its class's name.
sqlframe.base.util.dialect_to_string = lambda dialect: type(dialect).__name__.lower()


class UnknownSetting(Exception):
    """A setting that DuckDB does not know, or a value that it cannot have."""


class DuckDBEngine:
    """A DuckDB connection, whose tables are the run's scratch space, and a folder it spills to."""

    name = "duckdb"
    api_root = "sqlframe.duckdb"
    streams_components = True
    on_one_machine = True

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: str) -> None:
        self.connection = connection
        self.scratch = scratch
        self._sqlframe = DuckDBSession(connection)  # its functions ask which engine they are for
        self._numbers = count()
        self._threads = int(
            connection.execute("SELECT current_setting('threads')").fetchall()[0][0]
        )
        self._tables: dict[str, str] = {}
        self._open = [connection]

    def read(
        self,
        paths: Sequence[str],
        file_format: str,
        merge_columns: bool = False,
        source: str | None = None,
    ) -> DataFrame:
        """See Engine.read."""
        query = query_of_files(self.connection, paths, file_format, merge_columns, source)
        columns = self.connection.sql(query).columns
        return cast("DataFrame", Frame(self.connection, query, columns))

    def write(self, frame: DataFrame, path: str, files: int | None = None) -> None:
        """See Engine.write; one file, whose row groups are read and written side by side."""
        Path(path).mkdir(parents=True)
        target = str(Path(path) / "part-00000.parquet").replace("'", "''")
        self.connection.execute(f"COPY ({self._sql(frame)}) TO '{target}' ({PARQUET})")

    def materialize(self, frame: DataFrame, name: str) -> DataFrame:
        """See Engine.materialize; what `map_arrow` returned is stored already."""
        table = cast("Frame", frame).table
        if table is None or table in self._tables.values():
            table = self._create(frame)
            frame = self._frame_of(table)
        if earlier := self._tables.get(name):
            self._drop(earlier)
        self._tables[name] = table
        return frame

    def from_arrow(self, table: pa.Table) -> DataFrame:
        """See Engine.from_arrow."""
        return self._frame_of(self._store(table.to_batches(), table.schema))

    def to_arrow(self, frame: DataFrame) -> pa.Table:
        """See Engine.to_arrow."""
        return self.connection.sql(self._sql(frame)).to_arrow_table()

    def count_keys(self, frame: DataFrame) -> KeyCounts:
        """See Engine.count_keys."""
        with self._cursor() as cursor:
            return count_keys(cursor, self._sql(frame), frame.columns)

    def map_arrow(
        self,
        frame: DataFrame,
        function: BatchFunction,
        schema: pa.Schema,
        together: Sequence[str] = (),
    ) -> DataFrame:
        """See Engine.map_arrow; computed at once."""
        if not together:
            with self._batches(self._sql(frame)) as batches:
                each_takes = Shared(batches)
                tasks: list[Task] = [partial(function, each_takes)] * self._threads
                return self._frame_of(self._store(side_by_side(tasks, self._threads), schema))
        stored = frame if cast("Frame", frame).table else self._frame_of(self._create(frame))
        return self._map_groups(cast("Frame", stored), together, function, schema)

    def _create(self, frame: DataFrame) -> str:
        table = self._new_table()
        self.connection.execute(f"CREATE TABLE {table} AS {self._sql(frame)}")
        return table

    def _map_groups(
        self, stored: Frame, together: Sequence[str], function: BatchFunction, schema: pa.Schema
    ) -> DataFrame:
        rows, keys = stored.count(), ", ".join(map(quoted, together))
        rounds = -(-rows // (ROWS_TOGETHER * self._threads))  # in each, every thread has a part
        parts = rounds * self._threads if rows > ROWS_TO_DIVIDE else 1
        if parts <= MOST_SCANS:
            chosen = (f"WHERE hash({keys}) % {parts} = {part}" for part in range(parts))
            tasks: Iterable[Task] = (
                partial(self._apply, function, f"FROM {stored.table} {rows_of}")
                for rows_of in chosen
            )
            return self._frame_of(self._store(side_by_side(tasks, self._threads), schema))
        with self._batches(f"FROM {stored.table} ORDER BY {keys}") as batches:
            chunks = between_groups(batches, together, ROWS_TOGETHER)
            tasks = (partial(function, chunk.to_batches()) for chunk in chunks)
            return self._frame_of(self._store(side_by_side(tasks, self._threads), schema))

    def _apply(self, function: BatchFunction, query: str) -> Iterator[pa.RecordBatch]:
        with self._batches(query) as batches:
            yield from function(batches)

    def map_groups_arrow(
        self, frame: DataFrame, keys: Sequence[str], function: GroupFunction, schema: pa.Schema
    ) -> DataFrame:
        """See Engine.map_groups_arrow; computed at once."""
        query = f"FROM ({self._sql(frame)}) ORDER BY {', '.join(map(quoted, keys))}"
        with self._batches(query) as batches:
            made = (
                made for group in each_group(batches, keys) for made in function(group).to_batches()
            )
            return self._frame_of(self._store(made, schema))

    def independent(self, step: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """See Engine.independent; one after the other, for every statement fills all threads."""
        return [step(item) for item in items]

    def connected_components(self, links: DataFrame) -> DataFrame:
        """See Engine.connected_components; memory grows with the accounts, not with the links."""
        from graph.union_find import Forest

        forest = Forest(id_type_of(links, "account_a"))
        with self._batches(self._sql(links.select("account_a", "account_b"))) as batches:
            for batch in batches:
                forest.add(batch.column("account_a"), batch.column("account_b"))
        return self.from_arrow(forest.components())

    def interrupt(self) -> None:
        """End what is being computed by duckdb.InterruptException; other threads may call this."""
        for connection in [*self._open]:
            with suppress(duckdb.ConnectionException):  # it has just been closed
                connection.interrupt()

    def close(self) -> None:
        """See Engine.close."""
        self._sqlframe._udf_conn.close()  # what is left open prints lines when Python ends
        self._sqlframe.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _sql(self, frame: DataFrame) -> str:
        """The query that a frame stands for, with sums as bigint, as Spark's are."""
        query = cast("Frame", frame).query()
        if not MAY_BE_HUGE.search(query):
            return query
        relation = self.connection.sql(query)
        if HUGEINT not in relation.types:
            return query
        columns = ", ".join(
            f"{quoted(name)}::BIGINT AS {quoted(name)}" if kind == HUGEINT else quoted(name)
            for name, kind in zip(relation.columns, relation.types, strict=True)
        )
        return f"SELECT {columns} FROM ({query})"

    def _frame_of(self, table: str) -> DataFrame:
        """The frame of a whole table, which is dropped when nothing is left that could read it."""
        columns = self.connection.table(table).columns
        frame = Frame(self.connection, f"FROM {table}", columns, table=table)
        finalize(frame, self._drop, table).atexit = False
        return cast("DataFrame", frame)

    def _drop(self, table: str) -> None:
        self._tables = {name: each for name, each in self._tables.items() if each != table}
        # It was closed, and the table with it; or it is about to be, after a signal.
        with suppress(duckdb.ConnectionException, duckdb.InterruptException):
            self.connection.execute(f"DROP TABLE IF EXISTS {table}")

    def _new_table(self) -> str:
        return f"scratch_{next(self._numbers)}"

    def _store(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> str:
        """Write record batches to a new table as they come."""
        table = self._new_table()
        failures: list[BaseException] = []

        def made() -> Generator[pa.RecordBatch]:
            try:
                for batch in batches:
                    yield batch.select(schema.names).cast(schema)
            except BaseException as error:
                failures.append(error)  # DuckDB would only tell its text
                raise

        with self._cursor() as cursor, closing(made()) as rows:
            cursor.register("made", pa.RecordBatchReader.from_batches(schema, rows))
            try:
                cursor.execute(f"CREATE TABLE {table} AS FROM made")
            except duckdb.Error:
                if failures:
                    raise failures[0] from None
                raise
        return table

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own, with the settings that DuckDB does not share between them."""
        with closing(self.connection.cursor()) as cursor:
            self._open.append(cursor)
            try:
                for name, value in FIXED_SETTINGS.items():
                    cursor.execute(f"SET {quoted(name)} = ?", [value])
                yield cursor
            finally:
                self._open.remove(cursor)

    @contextmanager
    def _batches(self, query: str) -> Iterator[pa.RecordBatchReader]:
        """The rows of a query as they come, on a connection of their own."""
        with self._cursor() as cursor:
            yield cursor.sql(query).to_arrow_reader(ROWS_A_BATCH)


def open_duckdb(scratch: Path | str, settings: Mapping[str, str] | None = None) -> DuckDBEngine:
    """Open the embedded engine; `settings` are DuckDB's, e.g. memory_limit, temp_directory.

    Raises UnknownSetting, and RuntimeError where one is open already: SQLFrame knows one session a
    process.
    """
    if _BaseSession._instance is not None:
        raise RuntimeError("a DuckDB engine is open in this process: close it first")
    folder = Path(scratch)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = duckdb.connect()
    given = {"temp_directory": str(folder / "spilled"), **(settings or {}), **FIXED_SETTINGS}
    for name, value in given.items():
        try:
            connection.execute(f"SET {quoted(name)} = ?", [value])
        except duckdb.Error as error:
            connection.close()
            raise UnknownSetting(f"{name}: {value}: {error}") from None
    return DuckDBEngine(connection, str(scratch))
