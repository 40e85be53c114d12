"""Killed at any write step, a command has done nothing or everything, and its ledger agrees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from exporters.audit import verify_log
from exporters.enforcement.ledgers import BATCHES
from exporters.enforcement.verify import verify_content
from jobs.places import audit_folder
from signatures.decisions import DECISIONS
from signatures.life_cycle import check_history, current
from tests.exporters.enforcement.builders import key_pair
from tests.jobs.batches.sites import TODAY, Site, appeal_of

ROOT = Path(__file__).parents[3]

STRIDE = 1 if os.environ.get("ACTORGRAPH_EVERY_STEP") else 17
"""Steps between two kills: each takes most of a second, and there are some sixty a command."""


class Killer:
    """Runs commands in processes of their own that are killed at a given write step."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, site: Site, step: int, *call: str) -> Any:
        """How a command ended that was killed at a step: `killed`, or its exit code."""
        order = {"home": str(site.home), "step": step, "call": [*call, *site.arguments]}
        writer: IO[str] | None = self.process.stdin
        reader: IO[str] | None = self.process.stdout
        assert writer is not None and reader is not None
        writer.write(json.dumps(order) + "\n")
        writer.flush()
        return json.loads(reader.readline())["ended"]


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.batches.crashing"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Killer(process)
        process.communicate()


def whole(site: Site) -> dict[str, set[str]]:
    """Mend what is left, check that everything agrees, and tell which batches are where."""
    with site.changes():
        pass  # whoever comes next finishes or removes what a dead process left
    places = {"proposed": site.store.proposed, "released": site.store.released}
    found = {
        name: {path.name for path in place.glob("*-*") if path.is_dir()}
        for name, place in places.items()
    }
    for name, batches in found.items():
        for batch in batches:
            problems: list[str] = []
            verify_content(places[name] / batch, problems)
            assert problems == []
    events: dict[str, set[str]] = {}
    for row in site.ledger(BATCHES).to_pylist():
        events.setdefault(row["event"], set()).add(row["batch_id"])
    assert events.get("released", set()) == found["released"]
    assert events.get("proposed", set()) == found["proposed"] | found["released"]
    assert verify_log(audit_folder(site.home)) == []
    check_history(site.ledger(DECISIONS))
    assert not (site.home / "warehouse" / "_staging").exists()
    return found


def every_step(
    killer: Killer, site: Site, before: Path, *call: str
) -> Iterator[tuple[bool, dict[str, set[str]], dict[str, int]]]:
    """What is there after the command was killed at its first write step, its second, ..."""
    step, ended = 0, "killed"
    while ended == "killed":
        step += STRIDE
        shutil.rmtree(site.home)
        shutil.copytree(before, site.home)
        ended = killer.run(site, step, *call)
        yield ended == "killed", whole(site), site.counted()
    assert ended == 0
    assert step > 10


def kept(site: Site) -> Path:
    before = site.folder / "before"
    shutil.copytree(site.home, before)
    return before


def test_export(killer: Killer, site: Site) -> None:
    site.decide(["a1", "a2"])
    call = ["jobs.export_enforcement", "--ds", str(TODAY), "--as", "requester"]
    done = []
    for _, found, states in every_step(killer, site, kept(site), *call):
        assert states == {"proposed": 2}
        done.append(len(found["proposed"]))
    assert done == sorted(done)  # nothing up to the commit, one batch after it
    assert set(done) == {0, 1}


def test_approve(killer: Killer, site: Site) -> None:
    site.decide(["a1", "a2"])
    batch = site.export()
    assert batch is not None
    key = key_pair("lead_1", site.keys)
    call = ["jobs.manage_exports", "approve", batch.name, "--key", str(key), "--as", "lead_1"]
    done = []
    for _, _, states in every_step(killer, site, kept(site), *call):
        approved = (batch.parent / f"{batch.name}.approvals.jsonl").exists()
        assert states == ({"approved": 2} if approved else {"proposed": 2})
        done.append(approved)
    assert done == sorted(done)
    assert set(done) == {False, True}


def test_release(killer: Killer, site: Site) -> None:
    site.decide(["a1", "a2"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    call = ["jobs.manage_exports", "release", batch.name, "--as", "releaser"]
    done = []
    for _, found, states in every_step(killer, site, kept(site), *call):
        assert len(found["proposed"]) + len(found["released"]) == 1
        released = bool(found["released"])
        assert states == ({"released": 2} if released else {"approved": 2})
        done.append(released)
    assert done == sorted(done)
    assert set(done) == {False, True}


def test_receipts(killer: Killer, site: Site) -> None:
    site.decide(["a1", "a2"])
    desk = site.desk()
    desk.import_batch(site.release_all())
    path = desk.write_receipts(site.folder / "receipts.jsonl")
    done = []
    for _, _, states in every_step(
        killer, site, kept(site), "jobs.manage_exports", "receipts", str(path)
    ):
        assert states in ({"released": 2}, {"applied": 2})
        done.append("applied" in states)
    assert done == sorted(done)
    assert set(done) == {False, True}


def test_an_overturned_appeal(killer: Killer, applied: Site) -> None:
    """The outcome and the draft of its retraction are there together, or neither is."""
    (decision,) = (
        row["decision_id"]
        for row in current(applied.ledger(DECISIONS)).to_pylist()
        if row["account_id"] == "a1"
    )
    path = applied.folder / "appeals.jsonl"
    path.write_text(json.dumps(appeal_of(decision, "overturned")) + "\n")
    call = ["jobs.manage_exports", "appeals", str(path), "--as", "desk-lead"]
    done = []
    for _, found, states in every_step(killer, applied, kept(applied), *call):
        overturned = bool(found["proposed"])
        assert states == ({"applied": 2, "overturned": 1} if overturned else {"applied": 3})
        done.append(overturned)
    assert done == sorted(done)
    assert set(done) == {False, True}


def test_retract(killer: Killer, applied: Site) -> None:
    call = ["jobs.manage_exports", "retract", "--account", "a1", "--reason", "wrong"]
    done = []
    for _, found, states in every_step(killer, applied, kept(applied), *call, "--as", "lead"):
        assert states == {"applied": 3}, "only a release takes back"
        done.append(len(found["proposed"]))
    assert done == sorted(done)
    assert set(done) == {0, 1}


def test_a_crash_while_importing_acts_once(site: Site) -> None:
    site.decide([f"a{number}" for number in range(5)])
    released = site.release_all()
    for row in range(5):
        with pytest.raises(KeyboardInterrupt):
            site.desk().import_batch(released, crash_after=row)
    for _ in range(2):
        site.desk().import_batch(released)
    desk = site.desk()
    assert len(desk.in_force()) == 5
    assert desk.most_times() == 1
