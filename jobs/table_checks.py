"""What is checked of every table before it is published: columns, types, keys."""

from __future__ import annotations

from graph.engines.base import Engine
from graph.frames import DataFrame, F
from graph.reach import read_files
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
    keys = read_files(engine, [path]).select(*table.key)
    counts = engine.count_keys(keys)
    key = ", ".join(table.key)
    if nulls := counts.rows - counts.whole:
        raise DataStop(f"table {table.name}: {nulls} of {counts.rows} rows have a null {key}")
    if counts.hashes != counts.rows and (different := keys.distinct().count()) != counts.rows:
        raise DataStop(
            f"table {table.name}: {counts.rows} rows have only {different} different {key}"
        )
    return counts.rows
