"""What docs/importing.md tells the importing side to type, on batches that were really released."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from exporters.enforcement.json_schemas import schemas
from jobs.enforcement_desk import main
from tests.exporters.enforcement.builders import key_pair
from tests.jobs.batches.sites import Site

PAGE = (Path(__file__).parents[3] / "docs" / "importing.md").read_text()


def by_hand(delivered: Path, batch: str, signed: str) -> subprocess.CompletedProcess[str]:
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    script = script.replace("batch=20261122-e1\n", f"batch={batch}\n")
    script = script.replace("signed=$batch  ", f"signed={signed}  ")
    command = ["bash", "-eu", "-o", "pipefail", "-c", script]
    return subprocess.run(command, cwd=delivered, capture_output=True, text=True, check=False)


def test_a_stage_is_verified_by_hand_from_what_arrives(site: Site, tmp_path: Path) -> None:
    site.settings |= {"enforcement.staged_from": 10, "enforcement.stages": [0.5, 1.0]}
    site.decide([f"a{number:02d}" for number in range(10)])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    site.release(batch)
    stage = f"{batch.name}-1"
    delivered = tmp_path / "delivered"
    delivered.mkdir()
    for path in site.store.released.glob(f"{stage}*"):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, delivered / path.name)
    public = key_pair("lead_1", site.keys).with_suffix(".pub").read_text()
    (delivered / "allowed_signers").write_text(f'lead_1 namespaces="actorgraph-batch" {public}')
    done = by_hand(delivered, stage, f"{stage}.parent")
    assert done.returncode == 0, done.stderr
    assert 'Good "actorgraph-batch" signature for lead_1' in done.stdout
    assert by_hand(delivered, stage, stage).returncode, "the stage itself was not signed"
    site.run("verify", str(delivered / stage), "--approvers", str(site.approvers))


def test_the_desk_imports_a_folder_and_writes_receipts(site: Site, tmp_path: Path) -> None:
    site.decide(["a1", "a2"])
    released = site.release_all()
    receipts = tmp_path / "receipts.jsonl"
    desk = ["--database", str(tmp_path / "desk.sqlite"), "--receipts", str(receipts)]
    assert main([str(released), "--approvers", str(site.approvers), *desk]) == 0
    told = [json.loads(line)["status"] for line in receipts.read_text().splitlines()]
    assert told == ["applied", "applied"]
    waiting = site.store.proposed / "20261122-e9"
    assert main([str(waiting), "--approvers", str(site.approvers), *desk]) == 6
    site.run("receipts", str(receipts))
    assert site.counted() == {"applied": 2}


def test_the_page_tells_the_fields_of_what_goes_back() -> None:
    for name in ("receipts", "appeals"):
        fields = schemas()[f"{name}.schema.json"]["properties"]
        assert all(f"`{field}`" in PAGE for field in fields), name


def test_the_desk_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "jobs.enforcement_desk", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--receipts" in done.stdout
