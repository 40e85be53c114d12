"""What counts of a table on an object store is what the object `current.json` lists."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.engines.base import InputError
from graph.filesystems import filesystem, names_in, put
from graph.published import Draft
from graph.remote_tables import CURRENT, RemoteTables, remove_other_runs
from tests.object_store import ObjectStore

DAY = date(2026, 11, 22)


@pytest.fixture
def tables(store: ObjectStore) -> RemoteTables:
    return RemoteTables(store.url)


def draft(tables: RemoteTables, folder: Path, run_id: str = "first") -> Draft:
    """One file with one row, which names its run."""
    made = tables.draft(lambda _: folder / CURRENT, "edges", DAY, run_id)
    write(f"{made.place}/part-0.parquet", run_id)
    return made


def write(file: str, text: str) -> None:
    store, path = filesystem(file)
    pq.write_table(pa.table({"account_id": [text]}), path, filesystem=store)


def publish(tables: RemoteTables, made: Draft) -> None:
    content = json.dumps({"rows": 1, **tables.listed(made)}).encode()
    put(f"{tables.day('edges', DAY).place}/{CURRENT}", content)


def rows(tables: RemoteTables) -> list[str]:
    found: list[str] = tables.day("edges", DAY).dataset().to_table()["account_id"].to_pylist()
    return found


def test_a_run_that_was_not_published_is_no_day(tables: RemoteTables, tmp_path: Path) -> None:
    made = draft(tables, tmp_path)
    assert (tables.names(), tables.days("edges")) == ([], [])
    assert not tables.day("edges", DAY).description
    publish(tables, made)
    assert (tables.names(), tables.days("edges")) == (["edges"], [DAY])
    assert rows(tables) == ["first"]


def test_files_that_come_late_do_not_count(tables: RemoteTables, tmp_path: Path) -> None:
    made = draft(tables, tmp_path)
    publish(tables, made)
    write(f"{made.place}/part-1.parquet", "of a task that was given up")
    assert rows(tables) == ["first"]


def test_a_run_whose_id_comes_again_writes_beside_itself(
    tables: RemoteTables, tmp_path: Path
) -> None:
    publish(tables, draft(tables, tmp_path))
    again = draft(tables, tmp_path)
    assert again.place.endswith("/run=first.2")
    publish(tables, again)
    place = tables.day("edges", DAY).place
    remove_other_runs(f"{place}/{CURRENT}", (tmp_path / CURRENT).read_bytes())
    assert names_in(place) == [CURRENT, "run=first.2"]
    assert rows(tables) == ["first"]


def test_a_damaged_object_says_which_job_mends_it(tables: RemoteTables) -> None:
    put(f"{tables.day('edges', DAY).place}/{CURRENT}", b"{}")
    with pytest.raises(InputError, match=r"current.json is damaged: run the job that makes edges"):
        tables.day("edges", DAY)
