"""SQLFrame's session and frames on DuckDB, with what they lack of those of PySpark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
from sqlframe.duckdb import DuckDBDataFrame, DuckDBSession
from sqlglot import exp

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
    """A frame that knows its types under Spark's names, and has no partitions."""

    @property
    def dtypes(self) -> list[tuple[str, str]]:
        """The names and types of the columns."""
        relation = self.session._conn.sql(self.sql(dialect="duckdb", optimize=False, pretty=False))
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

    def frame_of(self, table: str, columns: Sequence[str]) -> Frame:
        """A frame of a table or view of DuckDB."""
        query = exp.select(*(exp.column(name, quoted=True) for name in columns)).from_(table)
        frame: Frame = self.sql(query, qualify=False)
        # Names lose their case on the way.
        frame.display_name_mapping.update(zip(frame._columns, columns, strict=True))
        return frame

    def stop(self) -> None:
        """Close the connection with its cursors; what is left open prints lines at exit."""
        if udf := getattr(self, "_udf_conn", None):
            udf.close()
        super().stop()
