"""What `actorgraph status` tells of a warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.published import DESCRIPTION
from jobs import journal
from jobs.files import write_json
from jobs.lock import exclusive
from jobs.show_status import main


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "warehouse"


def publish(warehouse: Path, ds: str, rows: int) -> None:
    table = {"table": "edges", "rows": rows, "grain": "account and entity", "run_id": f"run-{ds}"}
    write_json(warehouse / "edges" / f"ds={ds}" / DESCRIPTION, table)
    run = {"job": "build_graph", "status": "done", "ended_at": "2026-11-23T00:00:00+00:00"}
    run |= {"seconds": 1.5, "run_id": f"run-{ds}", "reason": None}
    write_json(warehouse / "runs" / f"ds={ds}" / "build_graph.json", run)


def status(warehouse: Path, *arguments: str) -> int:
    return main(["--set", f"home={warehouse.parent}", *arguments])


def test_nothing_published_yet(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(warehouse) == 0
    assert "nothing was run yet; try `actorgraph run`" in capsys.readouterr().out
    assert not warehouse.exists()


def test_the_latest_day_is_shown_or_the_one_asked_for(
    warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(warehouse, "2026-11-21", 1234)
    publish(warehouse, "2026-11-22", 5)
    assert status(warehouse) == 0
    printed = capsys.readouterr().out
    assert "Jobs of 2026-11-22" in printed
    assert "build_graph  done" in printed
    assert "2 days, 2026-11-21 to 2026-11-22, in " in printed
    assert status(warehouse, "--ds", "2026-11-21") == 0
    assert "edges  1,234  account and entity  run-2026-11-21" in capsys.readouterr().out
    assert status(warehouse, "--ds", "2026-11-20") == 0
    assert "nothing was run for 2026-11-20 yet" in capsys.readouterr().out


def test_a_publication_whose_writer_died_is_finished_first(
    warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(warehouse, "2026-11-22", 5)
    commit = {"run_id": "dead", "targets": ["edges/ds=2026-11-22"], "replaced": [], "undo": False}
    write_json(warehouse / journal.NAME, commit)
    with exclusive(warehouse, "another run"):
        assert status(warehouse) == 5
    assert "in use by `another run`" in capsys.readouterr().err
    assert status(warehouse) == 0
    assert "finished the publication of run dead" in capsys.readouterr().out
