"""Publishing on an object store survives death at any request: all days are old, or all are new."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from graph.engines.duckdb import open_duckdb
from graph.filesystems import names_in
from graph.frames import engine_api
from graph.remote_tables import CURRENT
from graph.tables import Table, columns
from jobs.files import remove
from jobs.warehouse import Publication, Warehouse
from tests.object_store import ObjectStore

DAY = date(2026, 11, 22)
TABLES = [
    Table(name, "account", ("account_id",), columns(account_id="string"))
    for name in ("edges", "links")
]
REPORT = "reports/ds=2026-11-22/build.json"
LAST = 200
WRITERS = multiprocessing.get_context("forkserver")
WRITERS.set_forkserver_preload(["tests.jobs.test_putting"])


def publish(folder: Path, url: str, run_id: str) -> None:
    """Publish two tables, each with one row that tells the run, and a report."""
    warehouse = Warehouse(folder, url)
    with warehouse.writing("test"):
        scratch = folder.with_name("scratch")
        remove(scratch)  # as every command does
        engine = open_duckdb(scratch, {"threads": "1"})
        with engine_api(engine.api_root):
            publication = Publication(warehouse, engine, run_id)
            for table in TABLES:
                row = pa.table({"account_id": [run_id]})
                publication.stage(table, DAY, engine.from_arrow(row))
            publication.stage_json(REPORT, run_id)
            publication.publish()
        engine.close()


def publish_until(
    folder: Path, url: str, endpoint: str, run_id: str, file_step: int | None = None
) -> None:
    """Publish in a process that dies before a step of its work on local files, if one is given."""
    os.environ["AWS_ENDPOINT_URL"] = endpoint  # of this test's server
    steps = 0

    def on_event(event: str, _: object) -> None:
        nonlocal steps
        if event in ("os.rename", "os.remove"):
            steps += 1
            if steps == file_step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(on_event)
    publish(folder, url, run_id)


def exit_code(action: Callable[..., None], *arguments: object) -> int | None:
    """What becomes of an action in a process of its own: other tests may have an engine open."""
    process = WRITERS.Process(target=action, args=arguments)
    process.start()
    process.join()
    return process.exitcode


def contents(warehouse: Warehouse) -> list[str | None]:
    """The run that each target tells of; in no day is there a file that does not count."""
    found: list[str | None] = []
    for table in TABLES:
        day = warehouse.published.day(table.name, DAY)
        if not day.description:
            found.append(None)
            assert not names_in(day.place)
            continue
        (run,) = day.dataset().to_table()["account_id"].to_pylist()
        assert names_in(day.place) == [CURRENT, f"run={run}"]
        found.append(run)
    report = warehouse.folder / REPORT
    return [*found, json.loads(report.read_text()) if report.exists() else None]


@pytest.mark.parametrize(
    ("moment", "first_day"),
    [("unanswered request", False), ("answered request", False), ("file step", True)],
)
def test_a_publication_killed_at_any_moment_is_all_old_or_all_new(
    tmp_path: Path, store: ObjectStore, moment: str, first_day: bool
) -> None:
    outcomes, endpoint = [], os.environ["AWS_ENDPOINT_URL"]
    place = f"{moment} {first_day}".replace(" ", "-")
    for step in range(1, LAST):
        # A first day begins anew at each step; later ones follow whatever the step before left.
        name = f"{place}-{step}" if first_day else place
        folder, url = tmp_path / name / "warehouse", f"{store.url}/{name}"
        warehouse = Warehouse(folder, url)
        if step == 1 and not first_day:
            assert exit_code(publish_until, folder, url, endpoint, "first") == 0
        before, new = contents(warehouse), [f"at-{step}"] * 3
        file_step = step if moment == "file step" else None
        store.kill_at(None if file_step else step, is_answered=moment.startswith("answered"))
        writer = WRITERS.Process(
            target=publish_until, args=(folder, url, endpoint, new[0], file_step)
        )
        writer.start()
        assert writer.pid
        store.aim_at(writer.pid)
        writer.join()
        store.kill_at(None)
        warehouse.recover("test")
        warehouse.create()
        with warehouse.writing("test"):
            found = contents(warehouse)
        assert found in (before, new)
        outcomes.append(found == new)
        if writer.exitcode == 0:
            break
        assert writer.exitcode == -signal.SIGKILL
    assert writer.exitcode == 0
    assert outcomes == sorted(outcomes), "as before until committed, new ever after"
    assert set(outcomes) == {False, True}
    assert exit_code(publish_until, folder, url, endpoint, "next") == 0
    assert contents(warehouse) == ["next"] * 3
