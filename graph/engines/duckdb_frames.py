"""SQLFrame's session and frames on DuckDB, with what they lack of those of PySpark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import Any

import duckdb
from sqlframe.base.operations import Operation, operation
from sqlframe.duckdb import DuckDBDataFrame, DuckDBSession
from sqlglot import exp

MAX_STEPS = 3
SIMPLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")

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


class Frame(DuckDBDataFrame):
    """A frame that knows its types under Spark's names, has no partitions, and stays small.

    SQLFrame copies a frame's whole query at each step, which takes longer than to run it; a query
    of more than MAX_STEPS steps goes on as a view.
    """

    def _convert_leaf_to_cte(self, sequence_id: str | None = None, name: str | None = None) -> Frame:
        if len(self.expression.ctes) < MAX_STEPS:
            return super()._convert_leaf_to_cte(sequence_id, name)
        if not isinstance(self.expression, exp.Select):  # a union becomes a query by one more step
            return super()._convert_leaf_to_cte(sequence_id, name)._convert_leaf_to_cte()
        view = self.session.view_of(self.query())
        shortened = self.session.frame_of(view, self.columns)
        return self.copy(expression=shortened.expression, sequence_id=shortened.sequence_id)

    @operation(Operation.FROM)
    def join(self, other: Frame, on: Any = None, how: str = "inner") -> Frame:
        """Join, and be done with it: later steps need not tell columns of both sides apart."""
        joined: Frame = super().join.__wrapped__(self, other, on, how)  # type: ignore[attr-defined]
        return joined._convert_leaf_to_cte()

    def query(self) -> str:
        """The frame in DuckDB's SQL."""
        return self.sql(dialect="duckdb", optimize=False, pretty=False)

    @property
    def dtypes(self) -> list[tuple[str, str]]:
        """The names and types of the columns."""
        relation = self.session._conn.sql(self.query())
        types = [spark_type(kind) for kind in relation.types]
        return list(zip(self.columns, types, strict=True))

    def repartition(self, *_: object) -> Frame:  # type: ignore[override]
        """Nothing to do: DuckDB divides work among threads by itself."""
        return self

    def coalesce(self, *_: object) -> Frame:  # type: ignore[override]
        """Nothing to do either."""
        return self


class Session(DuckDBSession):
    """The one session of a process, on a given connection."""

    _df = Frame

    def __init__(self, conn: duckdb.DuckDBPyConnection | None = None, **settings: Any) -> None:
        super().__init__(conn, **settings)
        if not hasattr(self, "_numbers"):  # SQLFrame calls this again for each look at the session
            self._numbers = count()

    def frame_of(self, table: str, columns: Sequence[str]) -> Frame:
        """A frame of a table or view of DuckDB."""
        names = (exp.to_identifier(name.lower(), quoted=not SIMPLE.fullmatch(name)) for name in columns)
        query = exp.select(*map(exp.column, names)).from_(table)
        frame: Frame = self._create_df(query)._convert_leaf_to_cte()
        # Names lose their case on the way.
        frame.display_name_mapping.update(zip(frame._columns, columns, strict=True))
        return frame

    def view_of(self, query: str) -> str:
        """Give a query a name; returns it."""
        view = f"scratch_view_{next(self._numbers)}"
        self._conn.execute(f"CREATE VIEW {view} AS {query}")
        return view

    def stop(self) -> None:
        """Close the connection with its cursors; what is left open prints lines at exit."""
        if udf := getattr(self, "_udf_conn", None):
            udf.close()
        super().stop()
