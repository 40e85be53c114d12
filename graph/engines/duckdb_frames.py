"""Frames of the embedded engine: PySpark's DataFrame in the subset that this program uses.

Columns, functions and windows are SQLFrame's. Its own frames are not used: they copy their whole
query at each step, which took 15 s for the steps of one day, whatever the day's size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import duckdb
from sqlframe.base.column import Column
from sqlglot.expressions import Literal  # comes with SQLFrame, whose columns are made of it

JOINS = {
    "inner": "JOIN",
    "left": "LEFT JOIN",
    "right": "RIGHT JOIN",
    "full_outer": "FULL JOIN",
    "left_semi": "SEMI JOIN",
    "left_anti": "ANTI JOIN",
}

TYPES = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "HUGEINT": "bigint",  # the engine casts sums when it computes them
    "UTINYINT": "smallint",
    "USMALLINT": "int",
    "UINTEGER": "bigint",
    "UBIGINT": "decimal(20,0)",
    "FLOAT": "float",
    "DOUBLE": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp_ntz",
    "TIMESTAMP_S": "timestamp_ntz",
    "TIMESTAMP_MS": "timestamp_ntz",
    "TIMESTAMP_NS": "timestamp_ntz",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BLOB": "binary",
}
"""Spark's names of DuckDB's types."""


def spark_type(kind: Any) -> str:
    """Name a DuckDB type as Spark does; raises KeyError for one that Spark has not."""
    children = dict(kind.children) if kind.id in ("list", "array", "struct", "map") else {}
    if kind.id in ("list", "array"):
        return f"array<{spark_type(children['child'])}>"
    if kind.id == "struct":
        fields = ",".join(f"{name}:{spark_type(child)}" for name, child in children.items())
        return f"struct<{fields}>"
    if kind.id == "map":
        return f"map<{spark_type(children['key'])},{spark_type(children['value'])}>"
    if kind.id == "decimal":
        return str(kind).lower()
    return TYPES[str(kind)]


def quoted(name: str) -> str:
    """A name as DuckDB's SQL takes any."""
    return '"' + name.replace('"', '""') + '"'


class Frame:
    """A query in steps: its own SQL, over those of the frames it was made of.

    Steps are numbered as they are made, so a step's number is above those that it reads. One that
    `streams` makes each row of one row that it reads: whoever reads it does so anew.
    """

    _numbers = count()

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        sql: str,
        columns: Sequence[str],
        *parents: Frame,
        table: str | None = None,
        streams: bool = True,
    ) -> None:
        self.connection = connection
        self.columns = list(columns)
        self.parents = parents
        self.table = table  # the whole of which this frame is, if it is that of a table
        self.streams = streams
        self._sql = sql
        self._number = next(self._numbers)

    @property
    def name(self) -> str:
        """What steps that read this one call it."""
        return f"step_{self._number}"

    def query(self) -> str:
        """The whole query in DuckDB's SQL.

        Left to itself, DuckDB stores the rows of every step that is read twice: of one that
        streams, such as the accepted events, that costs more than to make them twice, and memory.
        """
        steps: dict[int, Frame] = {}
        waiting = list(self.parents)
        while waiting:
            step = waiting.pop()
            if steps.setdefault(step._number, step) is step:
                waiting += (each for each in step.parents if each._number not in steps)
        readers = Counter(parent._number for parent in self.parents)
        named = []
        for number, step in sorted(steps.items(), reverse=True):
            stored = readers[number] > 1 and not step.streams
            named.append(f"{step.name} AS {'' if stored else 'NOT '}MATERIALIZED ({step._sql})")
            for parent in step.parents:
                readers[parent._number] += 1 if stored else readers[number]
        return f"WITH {', '.join(reversed(named))} {self._sql}" if named else self._sql

    @property
    def dtypes(self) -> list[tuple[str, str]]:
        """The names of the columns and, as Spark names them, their types."""
        types = self.connection.sql(self.query()).types
        return [(name, spark_type(kind)) for name, kind in zip(self.columns, types, strict=True)]

    def count(self) -> int:
        """How many rows there are."""
        query = f"SELECT count(*) FROM ({self.query()})"
        return int(self.connection.execute(query).fetchall()[0][0])

    def select(self, *columns: Column | str) -> Frame:
        """Choose and compute columns."""
        return self._step(_selected(columns), _names(columns))

    def filter(self, condition: Column | str) -> Frame:
        """Keep the rows for which a condition, or a column of that name, is true."""
        return self._step("*", self.columns, f"WHERE {_expression(condition)}")

    where = filter

    def withColumn(self, name: str, column: Column) -> Frame:
        """Add a column, or compute one anew in its place."""
        value = f"{_expression(column)} AS {quoted(name)}"
        columns = [value if each == name else quoted(each) for each in self.columns]
        if name in self.columns:
            return self._step(", ".join(columns), self.columns)
        return self._step(", ".join([*columns, value]), [*self.columns, name])

    def withColumnRenamed(self, old: str, new: str) -> Frame:
        """Rename a column."""
        return self.withColumnsRenamed({old: new})

    def withColumnsRenamed(self, names: Mapping[str, str]) -> Frame:
        """Rename columns; `names` maps old ones to new ones."""
        renamed = [names.get(name, name) for name in self.columns]
        pairs = zip(self.columns, renamed, strict=True)
        return self._step(", ".join(f"{quoted(a)} AS {quoted(b)}" for a, b in pairs), renamed)

    def drop(self, *names: str) -> Frame:
        """Leave columns out."""
        return self.select(*(name for name in self.columns if name not in names))

    def distinct(self) -> Frame:
        """Keep one of equal rows."""
        return self._step("DISTINCT *", self.columns, streams=False)

    def limit(self, rows: int) -> Frame:
        """Keep at most so many rows, whichever."""
        return self._step("*", self.columns, f"LIMIT {rows}", streams=False)

    def orderBy(self, *columns: Column | str) -> Frame:
        """Sort the rows, for whoever reads them next."""
        order = ", ".join(map(_expression, columns))
        return self._step("*", self.columns, f"ORDER BY {order}", streams=False)

    def repartition(self, *_: object) -> Frame:
        """Nothing to do: DuckDB divides work among threads by itself."""
        return self

    coalesce = repartition

    def union(self, other: Frame) -> Frame:
        """Put the rows of both together, columns by their places."""
        sql = f"FROM {self.name} UNION ALL FROM {other.name}"
        return Frame(self.connection, sql, self.columns, self, other)

    unionAll = union

    def unionByName(self, other: Frame) -> Frame:
        """Put the rows of both together, columns by their names."""
        return self.union(other.select(*self.columns))

    def join(self, other: Frame, on: str | Sequence[str], how: str = "inner") -> Frame:
        """Join by columns of equal names, which the result has once and first."""
        keys = [on] if isinstance(on, str) else list(on)
        left = [name for name in self.columns if name not in keys]
        right = [name for name in other.columns if name not in keys]
        using = ", ".join(map(quoted, keys))
        if how in ("left_semi", "left_anti"):
            right = []
        columns = ", ".join(
            [
                using,
                *(f"a.{quoted(name)}" for name in left),
                *(f"b.{quoted(name)}" for name in right),
            ]
        )
        sql = (
            f"SELECT {columns} FROM {self.name} AS a {JOINS[how]} {other.name} AS b USING ({using})"
        )
        return Frame(self.connection, sql, [*keys, *left, *right], self, other, streams=False)

    def crossJoin(self, other: Frame) -> Frame:
        """Pair each row with each of another frame's."""
        sql = f"FROM {self.name} AS a CROSS JOIN {other.name} AS b"
        columns = [*self.columns, *other.columns]
        return Frame(self.connection, sql, columns, self, other, streams=False)

    def groupBy(self, *keys: str) -> Grouped:
        """Group rows by columns."""
        return Grouped(self, keys)

    def agg(self, *columns: Column) -> Frame:
        """Aggregate all rows to one."""
        return self.groupBy().agg(*columns)

    def _step(
        self, selected: str, columns: Sequence[str], rest: str = "", streams: bool = True
    ) -> Frame:
        sql = f"SELECT {selected} FROM {self.name} {rest}"
        has_window = " OVER (" in sql
        return Frame(self.connection, sql, columns, self, streams=streams and not has_window)


class Grouped:
    """The groups of a frame's rows that `groupBy` made."""

    def __init__(self, frame: Frame, keys: Sequence[str]) -> None:
        self._frame = frame
        self._keys = keys

    def agg(self, *columns: Column) -> Frame:
        """Aggregate each group to a row: the keys and these columns."""
        selected: list[Column | str] = [*self._keys, *columns]
        by = f"GROUP BY {', '.join(map(quoted, self._keys))}" if self._keys else ""
        return self._frame._step(_selected(selected), _names(selected), by, streams=False)


def _selected(columns: Sequence[Column | str]) -> str:
    names = _names(columns)
    return ", ".join(
        f"{_expression(column)} AS {quoted(name)}"
        for column, name in zip(columns, names, strict=True)
    )


def _names(columns: Sequence[Column | str]) -> list[str]:
    return [each if isinstance(each, str) else each.alias_or_name for each in columns]


def _expression(column: Column | str) -> str:
    """A column as SQL. Python's floats are doubles, as on Spark: to DuckDB, 0.5 is a decimal."""
    if isinstance(column, str):
        return quoted(column)
    expression = column.column_expression
    for literal in expression.find_all(Literal):
        if literal.is_number and "." in literal.name and "e" not in literal.name.lower():
            literal.set("this", f"{literal.name}e0")
    return expression.sql(dialect="duckdb", identify=True)
