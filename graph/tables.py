"""What a table is: columns, grain, key and version, declared once and checked when published."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Table:
    """One published table: one row per `grain`, unique by `key`, never null in `key`."""

    name: str
    grain: str
    key: tuple[str, ...]
    schema: pa.Schema
    version: int = 1

    def __post_init__(self) -> None:
        absent = [column for column in self.key if column not in self.schema.names]
        if absent:
            raise ValueError(f"table {self.name}: key columns {absent} are not in its schema")

    @property
    def columns(self) -> list[str]:
        """The columns in their published order."""
        return list(self.schema.names)


def columns(**types: pa.DataType | str) -> pa.Schema:
    """Shorten schemas: `columns(account_id="string", events="int64", first_at=TIMESTAMP)`."""
    return pa.schema(
        [
            (name, pa.type_for_alias(kind) if isinstance(kind, str) else kind)
            for name, kind in types.items()
        ]
    )


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
