"""What is checked of every table before it is published: columns, types, keys."""

from __future__ import annotations

import pyarrow as pa

from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.tables import Table
from jobs.errors import DataStop

SQL_TYPES = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.binary(): "binary",
}


def sql_type(kind: pa.DataType) -> str:
    """The name under which all engines know an Arrow type; raises ValueError for unused ones."""
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_list(kind):
        return f"array<{sql_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{sql_type(field.type)}' for field in kind)}>"
    if kind not in SQL_TYPES:
        raise ValueError(f"no table may have a column of type {kind}")
    return SQL_TYPES[kind]


def declared_columns(frame: DataFrame, table: Table) -> DataFrame:
    """The table's columns in their declared order and types; raises DataStop when one is absent."""
    absent = [name for name in table.columns if name not in frame.columns]
    if absent:
        raise DataStop(f"table {table.name} lacks {', '.join(absent)}; it has {frame.columns}")
    return frame.select(
        *(F.col(field.name).cast(sql_type(field.type)).alias(field.name) for field in table.schema)
    )


def check_rows(engine: Engine, table: Table, path: str) -> int:
    """Count a written table's rows; raises DataStop when a key is null or not unique."""
    frame = engine.read([path], "parquet").select(*table.key)
    nulls = sum((F.when(F.col(name).isNull(), 1).otherwise(0) for name in table.key), F.lit(0))
    per_key = frame.groupBy(*table.key).agg(F.count(F.lit(1)).alias("rows"))
    counts = per_key.agg(
        F.sum("rows").alias("rows"),
        F.count(F.lit(1)).alias("keys"),
        F.sum(F.when(nulls > 0, F.col("rows")).otherwise(0)).alias("null_keys"),
    )
    found = {name: value or 0 for name, value in engine.to_arrow(counts).to_pylist()[0].items()}
    rows, key = int(found["rows"]), ", ".join(table.key)
    if found["null_keys"]:
        raise DataStop(f"table {table.name}: {found['null_keys']} of {rows} rows have a null {key}")
    if found["keys"] != rows:
        raise DataStop(f"table {table.name}: {rows} rows have only {found['keys']} different {key}")
    return rows
