"""What is checked of every table before it is published: columns, types, keys."""

from __future__ import annotations

from graph.engines.base import Engine
from graph.frames import Column, DataFrame, F
from graph.tables import Table, sql_type
from jobs.errors import DataStop


def declared_columns(frame: DataFrame, table: Table) -> DataFrame:
    """The table's columns in their declared order and types; raises DataStop when one is absent."""
    absent = [name for name in table.columns if name not in frame.columns]
    if absent:
        raise DataStop(f"table {table.name} lacks {', '.join(absent)}; it has {frame.columns}")
    return frame.select(
        *(F.col(field.name).cast(sql_type(field.type)).alias(field.name) for field in table.schema)
    )


def check_rows(engine: Engine, table: Table, path: str) -> int:
    """Count a written table's rows; raises DataStop when a key is null or not unique.

    64-bit hashes are counted several times as fast as keys. Different hashes prove different keys;
    equal ones do not prove equal keys, so a finding is counted again by the keys themselves.
    """
    frame = engine.read([path], "parquet").select(*table.key)
    whole_key = F.struct(*table.key)
    hash_function = "xxhash64" if engine.name == "spark" else "hash"
    hashed = F.call_function(hash_function, *(F.col(name) for name in table.key))
    counts = _count_keys(engine, frame, table, hashed)
    if counts["keys"] != counts["rows"]:
        counts = _count_keys(engine, frame, table, whole_key)
    rows, key = counts["rows"], ", ".join(table.key)
    if counts["null_keys"]:
        raise DataStop(
            f"table {table.name}: {counts['null_keys']} of {rows} rows have a null {key}"
        )
    if counts["keys"] != rows:
        raise DataStop(
            f"table {table.name}: {rows} rows have only {counts['keys']} different {key}"
        )
    return rows


def _count_keys(engine: Engine, frame: DataFrame, table: Table, key: Column) -> dict[str, int]:
    """Rows, different keys, and rows with a null in the key."""
    nulls = sum((F.when(F.col(name).isNull(), 1).otherwise(0) for name in table.key), F.lit(0))
    rows = frame.select(key.alias("key"), F.when(nulls > 0, 1).otherwise(0).alias("null_keys"))
    # Nearly every key is different: counting before the shuffle would only cost.
    per_key = rows.repartition("key").groupBy("key")
    counts = per_key.agg(
        F.count(F.lit(1)).alias("rows"), F.sum("null_keys").alias("null_keys")
    ).agg(
        F.sum("rows").alias("rows"),
        F.count(F.lit(1)).alias("keys"),
        F.sum("null_keys").alias("null_keys"),
    )
    return {name: value or 0 for name, value in engine.to_arrow(counts).to_pylist()[0].items()}
