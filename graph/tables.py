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
