"""Views of the features, a column each, as SQL for whatever reads the published tables.

Run it by `actorgraph views`. The tables are long, a row a feature, so that a new feature changes no
schema; people want to see them side by side.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from graph.features.computed import (
    ACCOUNT_FEATURE_NAMES,
    ACCOUNT_FEATURES_TABLE,
    NETWORK_FEATURES_TABLE,
    network_feature_names,
)
from graph.tables import Table
from jobs.arguments import settings_parser
from jobs.commands import run_command
from jobs.configuration import load
from jobs.errors import DONE, ConfigError
from jobs.warehouse import Warehouse


@dataclass(frozen=True)
class Dialect:
    """How an SQL makes a view, quotes a name, and reads a folder of all days of a table."""

    create: str
    quote: str
    rows: str
    escape: tuple[str, str]


DIALECTS = {
    "duckdb": Dialect(
        create="CREATE OR REPLACE VIEW",
        quote='"',
        rows="read_parquet('{folder}/ds=*/*.parquet', hive_partitioning = true)",
        escape=("'", "''"),
    ),
    # A lasting view would need a metastore.
    "spark": Dialect("CREATE OR REPLACE TEMPORARY VIEW", "`", "parquet.`{folder}`", ("`", "``")),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the views as a command; returns its exit code."""
    parser = settings_parser("views", "Print SQL for networks_wide and accounts_wide.")
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="duckdb")
    return run_command(parser, argv, _print)


def _print(arguments: argparse.Namespace) -> int:
    config = load(arguments.config, arguments.set, os.environ)
    if config.warehouse:
        raise ConfigError(
            f"the tables are in {config.warehouse}, where each day's current.json says which files "
            "count; SQL that reads folders would count others too: read the tables by "
            "jobs.warehouse, or make the views of a home that is a folder"
        )
    names = network_feature_names(config.active_traces)
    for statement in views(Warehouse.of(config).folder, names, arguments.dialect):
        sys.stdout.write(f"{statement};\n")
    return DONE


def views(warehouse: Path, network_features: Sequence[str], dialect: str) -> Iterator[str]:
    """The statements that create both views: of one row a day and network, or account in one."""
    tables = {
        "networks_wide": (NETWORK_FEATURES_TABLE, network_features),
        "accounts_wide": (ACCOUNT_FEATURES_TABLE, ACCOUNT_FEATURE_NAMES),
    }
    for name, (table, features) in tables.items():
        yield _view(name, table, features, warehouse / table.name, DIALECTS[dialect])


def _view(name: str, table: Table, features: Sequence[str], folder: Path, sql: Dialect) -> str:
    keys = ", ".join(["ds", *table.columns[:-2]])
    columns = "".join(
        f",\n  max(CASE WHEN feature = '{each}' THEN value END) AS {sql.quote}{each}{sql.quote}"
        for each in features
    )
    rows = sql.rows.format(folder=str(folder).replace(*sql.escape))
    return f"{sql.create} {name} AS\nSELECT {keys}{columns}\nFROM {rows}\nGROUP BY {keys}"
