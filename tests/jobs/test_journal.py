"""Publishing survives death at any moment: tables are all old or all new, never a mixture."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from jobs import journal
from jobs.errors import DataStop
from jobs.files import remove

TARGETS = ["edges/ds=2026-11-22", "links/ds=2026-11-22", "runs/ds=2026-11-22/build.json"]
FILE_EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"}
KILLED, FINISHED = 9, 0
LAST = 200
OLD = {"a.parquetold", "b.parquetold"}
NEW = {"a.parquetnew", "b.parquetnew"}


def write(path: Path, text: str) -> None:
    """A target with the given content: a folder with two files, or one JSON file."""
    if path.suffix:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return
    path.mkdir(parents=True)
    for name in ("a.parquet", "b.parquet"):
        (path / name).write_text(text)


def contents(warehouse: Path) -> list[set[str] | None]:
    """What a reader finds in each target."""
    found: list[set[str] | None] = []
    for target in (warehouse / target for target in TARGETS):
        if target.is_dir():
            found.append({path.name + path.read_text() for path in target.iterdir()})
        else:
            found.append({target.read_text()} if target.exists() else None)
    return found


def publish(warehouse: Path, run_id: str) -> None:
    for target in TARGETS:
        write(journal.staged(warehouse, run_id, target), run_id)
    journal.publish(warehouse, run_id, TARGETS)


def killed_before_step(step: int, action: Callable[[], object]) -> bool:
    """Run an action in a child that dies before its `step`-th file operation; whether it died."""
    child = os.fork()
    if child == 0:
        steps = 0

        def on_event(event: str, _: object) -> None:
            nonlocal steps
            steps += event in FILE_EVENTS
            if steps == step:
                os._exit(KILLED)

        sys.addaudithook(on_event)
        action()
        os._exit(FINISHED)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


@pytest.mark.parametrize("first_day", [True, False], ids=["first day", "rerun of a day"])
def test_a_publication_killed_at_any_step_is_all_old_or_all_new(
    tmp_path: Path, first_day: bool
) -> None:
    outcomes = []
    for step in range(1, LAST):
        warehouse = tmp_path / str(step)
        warehouse.mkdir()
        if not first_day:
            publish(warehouse, "old")
        before = contents(warehouse)
        killed = killed_before_step(step, partial(publish, warehouse, "new"))
        journal.recover(warehouse)
        assert contents(warehouse) in (before, [NEW, NEW, {"new"}])
        outcomes.append(contents(warehouse) != before)
        publish(warehouse, "next")
        assert contents(warehouse)[2] == {"next"}
        if not killed:
            break
    assert not killed
    assert outcomes == sorted(outcomes), "old until committed, new ever after"
    assert set(outcomes) == {False, True}


@pytest.fixture
def half_published(tmp_path: Path) -> Callable[[str], Path]:
    """Makes warehouses whose writer died between the two moves of the second target."""

    def make(name: str, step: int) -> Path:
        warehouse = tmp_path / name
        warehouse.mkdir()
        publish(warehouse, "old")
        killed_before_step(step, lambda: publish(warehouse, "new"))
        return warehouse

    for step in range(1, LAST):
        first, second, _ = contents(make(f"probe-{step}", step))
        if first == NEW and second is None:
            return lambda name: make(name, step)
    pytest.fail("no such step")


def test_recovery_can_be_killed_at_any_step_too(half_published: Callable[[str], Path]) -> None:
    for step in range(1, LAST):
        warehouse = half_published(str(step))
        killed = killed_before_step(step, partial(journal.recover, warehouse))
        journal.recover(warehouse)
        assert contents(warehouse) == [NEW, NEW, {"new"}]
        assert journal.recover(warehouse) is None
        if not killed:
            break
    assert not killed


def test_lost_staging_brings_the_old_tables_back_even_if_killed_meanwhile(
    half_published: Callable[[str], Path],
) -> None:
    for step in range(1, LAST):
        warehouse = half_published(str(step))
        remove(warehouse / journal.STAGING / "new" / "new")
        killed = killed_before_step(step, partial(journal.recover, warehouse))
        journal.recover(warehouse)
        assert contents(warehouse) == [OLD, OLD, {"old"}]
        assert journal.recover(warehouse) is None
        if not killed:
            break
    assert not killed


def test_staged_tables_of_a_run_that_died_are_removed(tmp_path: Path) -> None:
    write(journal.staged(tmp_path, "dead", TARGETS[0]), "dead")
    assert journal.recover(tmp_path) == "removed the staged tables of a run that did not end"
    assert journal.recover(tmp_path) is None
    assert contents(tmp_path) == [None, None, None]


def test_a_damaged_journal_stops_every_run_until_a_person_has_looked(tmp_path: Path) -> None:
    (tmp_path / journal.NAME).write_text("{")
    with pytest.raises(DataStop, match=r"is damaged .* then delete the journal"):
        journal.recover(tmp_path)
