"""Features side by side, for whatever SQL reads the tables: what is printed runs, and is right."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from graph.engines.base import Engine
from graph.features.computed import ACCOUNT_FEATURES_TABLE, NETWORK_FEATURES_TABLE
from jobs.print_views import main
from tests.jobs.batches.warehouses import publish

DAYS = [date(2026, 11, 22), date(2026, 11, 23)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two days of one network whose regularity is known on the second day alone."""
    home = tmp_path / "it's `here`"
    for day, known in zip(DAYS, ({"accounts": 5.0}, {"accounts": 6.0, "regularity": 0.5}),
                          strict=True):  # fmt: skip
        rows = [
            {"network_id": "n1", "feature": name, "value": each} for name, each in known.items()
        ]
        publish(home, NETWORK_FEATURES_TABLE, day, rows)
        member = {"network_id": "n1", "account_id": "ann", "feature": "core_links", "value": 2.0}
        publish(home, ACCOUNT_FEATURES_TABLE, day, [member])
    return home


def printed(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["--set", f"home={home}", *arguments]) == 0
    return capsys.readouterr().out.split(";\n")[:-1]


def test_duckdb_runs_them(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect() as connection:
        for statement in printed(home, capsys):
            connection.execute(statement)
        query = "SELECT network_id, accounts, regularity, devices FROM networks_wide ORDER BY ds"
        assert connection.execute(query).fetchall() == [
            ("n1", 5.0, None, None),
            ("n1", 6.0, 0.5, None),
        ]
        query = "SELECT DISTINCT network_id, account_id, core_links FROM accounts_wide"
        assert connection.execute(query).fetchall() == [("n1", "ann", 2.0)]


@pytest.mark.spark
def test_spark_runs_them(
    home: Path, capsys: pytest.CaptureFixture[str], spark_engine: Engine
) -> None:
    session = spark_engine.session  # type: ignore[attr-defined]
    for statement in printed(home, capsys, "--dialect", "spark"):
        session.sql(statement)
    rows = session.sql("SELECT ds, accounts, regularity FROM networks_wide ORDER BY ds").collect()
    assert [tuple(row) for row in rows] == [(DAYS[0], 5.0, None), (DAYS[1], 6.0, 0.5)]
    (row,) = session.sql("SELECT DISTINCT account_id, core_links FROM accounts_wide").collect()
    assert tuple(row) == ("ann", 2.0)


def test_a_site_s_own_trace_has_its_column(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = (
        "{entity: device, family: device, reasons: [shared_device], sources: [own], events: null}"
    )
    networks, _ = printed(home, capsys, "--set", f"traces.co_install={trace}")
    assert '"trace_co_install_ratio"' in networks
