"""Simulated logs that the tests look at from outside, with SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs.simulation.evasion import Evasion
from jobs.simulation.settings import Settings
from jobs.simulation.simulator import simulate

ACCOUNTS, DAYS = 12_000, 6


@dataclass(frozen=True)
class Log:
    """One simulation as views: events, truth, accounts, ip_networks and planted (the actors)."""

    folder: Path
    connection: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.sql(query).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]


def open_log(folder: Path) -> Log:
    # Times as UTC without a zone: DuckDB's calendar for zones is an extension that may be absent.
    connection = duckdb.connect(config={"threads": 1})
    for name, files, time in (
        ("events", "*/*.parquet", "event_time"),
        ("accounts", "*.parquet", "created_at"),
    ):
        connection.sql(f"""
            create view {name} as
            select * replace (make_timestamp(epoch_us({time})) as {time})
            from read_parquet('{folder}/{name}/{files}')""")
    for name in ("truth", "ip_networks"):
        connection.sql(f"create view {name} as from read_parquet('{folder}/{name}/*.parquet')")
    connection.sql("create view planted as from truth where planted")
    return Log(folder, connection)


def simulated(folder: Path, level: float, clean: bool) -> Log:
    settings = Settings(
        accounts=ACCOUNTS, days=DAYS, seed=7, evasion=Evasion.from_level(level), clean=clean
    )
    simulate(settings, folder)
    return open_log(folder)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """Nobody evades; no dirt."""
    log = simulated(tmp_path_factory.mktemp("plain"), 0.0, clean=True)
    yield log
    log.connection.close()


@pytest.fixture(scope="session")
def evasive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """Operators evade at 0.5; no dirt."""
    log = simulated(tmp_path_factory.mktemp("evasive"), 0.5, clean=True)
    yield log
    log.connection.close()


@pytest.fixture(scope="session")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """As logs are: with dirt."""
    log = simulated(tmp_path_factory.mktemp("dirty"), 0.0, clean=False)
    yield log
    log.connection.close()
