"""What attackers and careless insiders do to approvals, each refused with a clear word."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.exporters.enforcement.builders import key_pair, write_new_sums
from tests.jobs.batches.sites import Site, give_label


def test_the_requester_cannot_approve(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.decide(["a1"])
    batch = site.export("--as", "lead_1")
    assert batch is not None
    site.approve(batch, "lead_1", code=6)
    assert "requested the batch" in capsys.readouterr().err
    assert site.counted() == {"proposed": 1}


def test_a_reviewer_cannot_approve(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.decide(["a1"], route="investigated", actor="lead_1, hearer")
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1", code=6)
    assert "reviewed accounts" in capsys.readouterr().err
    site.approve(batch, "lead_2")


SAMPLE = {
    "label_id": "s1",
    "subject_type": "network",
    "subject_id": "n1",
    "label": "abusive",
    "source": "sample",
    "sample_id": "s",
    "sampling_probability": 1.0,
    "reviewer": "lead_1",
    "labelled_at": datetime.now(UTC) - timedelta(hours=1),
}


@pytest.mark.parametrize("when", ["before the export", "after it"])
def test_who_judged_a_network_for_a_sample_cannot_approve(
    site: Site, capsys: pytest.CaptureFixture[str], when: str
) -> None:
    site.decide(["a1"])
    if when == "before the export":
        give_label(site, SAMPLE)
    batch = site.export()
    assert batch is not None
    if when == "after it":
        give_label(site, SAMPLE)
    site.approve(batch, "lead_1", code=6)
    assert "reviewed accounts" in capsys.readouterr().err
    site.approve(batch, "lead_2")


def test_a_release_is_signed_with_the_key_of_the_job(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    public = key_pair("job", site.keys).with_suffix(".pub").read_text().strip()
    entry = f"name: job, role: releaser, markets: [all], valid_to: 2027-06-30, key: {public}"
    with site.approvers.open("a") as file:
        file.write(f"  - {{{entry}}}\n")
    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    site.release(batch, code=2)
    assert "enforcement.release_key: the approvers file has a releaser" in capsys.readouterr().err
    site.settings["enforcement.release_key"] = str(key_pair("job", site.keys))
    released = site.release(batch)
    site.run("verify", str(released), "--approvers", str(site.approvers))
    site.desk().import_batch(released)


def test_a_key_does_not_sign_for_another(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    key = str(key_pair("lead_2", site.keys))
    site.run("approve", batch.name, "--key", key, "--as", "lead_1", code=6)
    assert "not of this person's key" in capsys.readouterr().err
    site.run("approve", batch.name, "--key", key, "--as", "stranger", code=6)
    assert "nobody that the approvers file names" in capsys.readouterr().err
    site.run("approve", batch.name, "--key", "/nowhere", "--as", "lead_1", code=2)
    site.run("approve", "../../etc", "--key", key, "--as", "lead_2", code=2)


def test_nobody_approves_twice_for_two(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.exporters.enforcement.builders import approvers_file

    two = site.folder / "two"
    shutil.copytree(site.keys, two)
    approvers_file(two, ["lead_1", "lead_2"], needed="[{accounts: 0, approvers: 2}]")
    site.settings["enforcement.approvers"] = str(two / "approvers.yaml")
    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    site.approve(batch, "lead_1", code=6)
    assert "each person counts once" in capsys.readouterr().err
    site.release(batch, code=6)
    assert "1 of 2 approvals" in capsys.readouterr().err
    site.approve(batch, "lead_2")
    assert site.counted() == {"approved": 1}


def edited(batch: Path) -> None:
    """An account more, in every file, with new checksums."""
    for name in ("accounts.jsonl", "accounts.csv", "evidence.jsonl"):
        path = batch / name
        path.chmod(0o600)
        path.write_text(path.read_text().replace("a1", "b1"))
    write_new_sums(batch)


def test_a_batch_that_is_approved_needs_nobody_more(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    site.approve(batch, "lead_2", code=6)
    assert f"{batch.name} has the 1 that it needs" in capsys.readouterr().err
    assert site.counted() == {"approved": 1}


def test_an_edited_batch_is_void_and_its_decisions_are_proposed_again(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decide(["a1", "a2"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    edited(batch)
    site.release(batch, code=6)
    assert "approvals are void" in capsys.readouterr().err
    assert site.counted() == {"proposed": 2}
    site.release(batch, code=6)
    assert "export again" in capsys.readouterr().err
    again = site.export()
    assert again is not None and again.name != batch.name


@pytest.mark.parametrize(
    "harm",
    [
        lambda batch: (batch / "accounts.jsonl").write_text(""),
        lambda batch: (batch / "manifest.json").unlink(),
        lambda batch: (batch / "extra").write_text("x"),
    ],
    ids=["emptied", "no manifest", "a file more"],
)
def test_a_damaged_batch_cannot_be_approved(site: Site, harm: Callable[[Path], object]) -> None:
    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    harm(batch)
    site.approve(batch, "lead_1", code=4)
    assert site.counted() == {"proposed": 1}
