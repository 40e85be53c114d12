"""What an importing side finds out about a batch before it acts on it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from exporters.enforcement.approvals import (
    NAMESPACE,
    RELEASE_NAMESPACE,
    Approvers,
    read_approvals,
    sign,
)
from exporters.enforcement.release_note import NOT_RELEASED, release_path
from exporters.enforcement.verify import PROPOSED, sums_sha256_of, verify_batch
from tests.exporters.enforcement.builders import (
    NOW,
    approve,
    approvers_of,
    decided,
    key_pair,
    let_out,
    many,
    write,
    write_new_sums,
)

TWO = "[{accounts: 0, approvers: 1}, {accounts: 10, approvers: 2}]"


@pytest.fixture
def approvers(keys: Path) -> Approvers:
    return approvers_of(keys, ["lead_1", "lead_2"], needed=TWO)


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    return write(tmp_path, many(12))[0]


def problems(batch: Path, approvers: Approvers | None, **changed: object) -> list[str]:
    return verify_batch(batch, approvers, **{"now": NOW, **changed}).problems  # type: ignore[arg-type]


def test_an_approved_batch_may_be_imported(batch: Path, approvers: Approvers, keys: Path) -> None:
    approve(batch, keys, "lead_1", "lead_2")
    let_out(batch)
    assert problems(batch, approvers) == []


def test_an_approved_batch_waits_for_its_release(
    batch: Path, approvers: Approvers, keys: Path
) -> None:
    approve(batch, keys, "lead_1", "lead_2")
    (problem,) = problems(batch, approvers)
    assert problem.startswith(f"{NOT_RELEASED}: {batch.name}.release.json")
    let_out(batch)
    note = release_path(batch)
    for text in (note.read_text().replace(sums_sha256_of(batch), "0" * 64), "{}", "released"):
        note.write_text(text)
        (problem,) = problems(batch, approvers)
        assert problem.startswith(NOT_RELEASED)


def test_only_the_releasing_job_writes_the_note_where_importers_know_its_key(
    batch: Path, keys: Path
) -> None:
    """Somebody put a batch that was held, and a note, into the folder that importers read."""
    public = key_pair("job", keys).with_suffix(".pub").read_text().strip()
    releaser = "name: job, role: releaser, markets: [all], valid_to: 2027-06-30, key: " + public
    approvers = approvers_of(keys, ["lead_1", "lead_2", "job"], needed=TWO, job=releaser)
    approve(batch, keys, "lead_1", "lead_2")
    let_out(batch)
    forged = f"{NOT_RELEASED}: {batch.name}.release.json has no signature of a releaser's key"
    assert problems(batch, approvers)[0].startswith(forged)
    for name, purpose in (("lead_1", RELEASE_NAMESPACE), ("job", NAMESPACE)):
        let_out(batch, sign(sums_sha256_of(batch), name, key_pair(name, keys), NOW, purpose))
        assert problems(batch, approvers)[0].startswith(forged)
    let_out(
        batch, sign(sums_sha256_of(batch), "job", key_pair("job", keys), NOW, RELEASE_NAMESPACE)
    )
    assert problems(batch, approvers) == []
    late = approvers_of(keys, ["lead_1", "lead_2", "job"], needed=TWO,
                        job=releaser.replace("2027", "2020"))  # fmt: skip
    assert problems(batch, late)[0].startswith(forged)


def test_a_releaser_approves_nothing(batch: Path, keys: Path) -> None:
    public = key_pair("job", keys).with_suffix(".pub").read_text().strip()
    releaser = "name: job, role: releaser, markets: [all], valid_to: 2027-06-30, key: " + public
    approvers = approvers_of(keys, ["lead_1", "job"], needed=TWO, job=releaser)
    approve(batch, keys, "lead_1", "job")
    assert "approval of job: signs releases, and may approve nothing" in problems(batch, approvers)


def test_ssh_keygen_itself_confirms_an_approval(batch: Path, keys: Path, tmp_path: Path) -> None:
    approve(batch, keys, "lead_1")
    (approval,) = read_approvals(batch.parent / f"{batch.name}.approvals.jsonl")
    public = key_pair("lead_1", keys).with_suffix(".pub").read_text()
    (tmp_path / "allowed").write_text(f"lead_1 {public}")
    (tmp_path / "sig").write_text(approval.signature)
    command = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "allowed"), "-I", "lead_1"]
    done = subprocess.run(
        [*command, "-n", NAMESPACE, "-s", str(tmp_path / "sig")],
        input=sums_sha256_of(batch),
        text=True,
        check=False,
    )
    assert done.returncode == 0


def test_without_enough_approvals_it_is_only_proposed(
    batch: Path, approvers: Approvers, keys: Path
) -> None:
    absent = f"; {batch.name}.approvals.jsonl is not beside it"
    assert problems(batch, approvers) == [f"{PROPOSED}: 0 of 2 approvals{absent}"]
    approve(batch, keys, "lead_1")
    assert problems(batch, approvers) == [f"{PROPOSED}: 1 of 2 approvals"]
    assert problems(batch, None)[0].startswith(PROPOSED)


def test_a_small_batch_needs_fewer_people(tmp_path: Path, approvers: Approvers, keys: Path) -> None:
    small, _ = write(tmp_path, many(9))
    approve(small, keys, "lead_1")
    let_out(small)
    assert problems(small, approvers) == []


def test_a_retraction_needs_one_approver(tmp_path: Path, approvers: Approvers, keys: Path) -> None:
    back, _ = write(tmp_path, many(50), "20261122-r1", "reverse")
    approve(back, keys, "lead_2")
    let_out(back)
    assert problems(back, approvers) == []


@pytest.mark.parametrize("environment", ["demo", "shadow"])
def test_only_production_is_acted_on(
    tmp_path: Path, approvers: Approvers, keys: Path, environment: str
) -> None:
    folder, _ = write(tmp_path, many(2), environment=environment)
    approve(folder, keys, "lead_1")
    let_out(folder)
    (problem,) = problems(folder, approvers)
    assert problem.startswith(f"environment is {environment}")
    told = problems(folder, approvers, allow_demo=True)
    assert told == ([] if environment == "demo" else [problem])


def test_a_batch_ends(batch: Path, approvers: Approvers, keys: Path) -> None:
    approve(batch, keys, "lead_1", "lead_2")
    late = NOW + timedelta(hours=73)
    assert "has passed" in problems(batch, approvers, now=late)[0]


def test_a_batch_that_another_replaces_or_takes_back_says_so(
    batch: Path, approvers: Approvers, keys: Path
) -> None:
    approve(batch, keys, "lead_1", "lead_2")
    let_out(batch)
    write(batch.parent, many(3), "20261123-e1", supersedes=[batch.name])
    assert problems(batch, approvers) == ["is superseded by 20261123-e1"]
    write(batch.parent, many(1), "20261123-r1", "reverse", retracts=[batch.name])
    assert "taken back" in problems(batch, approvers)[1]


def test_what_was_taken_back_in_part_may_be_imported_after_the_retraction(
    batch: Path, approvers: Approvers, keys: Path
) -> None:
    approve(batch, keys, "lead_1", "lead_2")
    let_out(batch)
    write(batch.parent, many(1), "20261123-r1", "reverse", retracts=[batch.name])
    (problem,) = problems(batch, approvers)
    assert problem.endswith("20261123-r1: import that first, and say --imported 20261123-r1 then")
    assert problems(batch, approvers, imported=["20261123-r1"]) == []


def edit(name: str, before: str, after: str) -> Callable[[Path], object]:
    def change(batch: Path) -> None:
        path = batch / name
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after, 1))

    return change


def drop_line(name: str) -> Callable[[Path], object]:
    def change(batch: Path) -> None:
        lines = (batch / name).read_text().splitlines(keepends=True)
        (batch / name).write_text("".join(lines[:-1]))

    return change


def repeat_line(name: str) -> Callable[[Path], object]:
    def change(batch: Path) -> None:
        lines = (batch / name).read_text().splitlines(keepends=True)
        (batch / name).write_text("".join([*lines, lines[-1]]))

    return change


def twice(batch: Path) -> None:
    """Both files get a second row of one account, under another decision."""
    for name in ("accounts.jsonl", "accounts.csv"):
        text = (batch / name).read_text()
        (batch / name).write_text(text.replace("a0001", "a0000"))


HARM = {
    "an account in one file": (edit("accounts.csv", "a0003", "a9999"), "other rows"),
    "an account in the other": (edit("accounts.jsonl", "a0003", "a9999"), "other rows"),
    "a row less": (drop_line("accounts.jsonl"), "other rows"),
    "a row more": (repeat_line("accounts.jsonl"), "other rows"),
    "an account twice": (twice, "different account_id and policy_id"),
    "an unknown action": (edit("accounts.jsonl", '"suspend"', '"delete"'), "action is 'delete'"),
    "a restricted bystander": (edit("accounts.jsonl", '"actor"', '"bystander"'), "subject_role"),
    "no reason": (edit("accounts.jsonl", '"reason_code":"default"', '"reason_code":""'), "given"),
    "another batch's row": (edit("accounts.jsonl", "20261122-e1", "20261121-e1"), "batch_id"),
    "a later end": (edit("accounts.jsonl", "2026-11-25T12", "2027-11-25T12"), "valid_until"),
    "a foreign key": (edit("accounts.jsonl", '"idempotency_key":"', '"idempotency_key":"0'), "key"),
    "a field more": (edit("accounts.jsonl", '{"sch', '{"note":"x","sch'), "cannot be read"),
    "a field twice": (edit("accounts.jsonl", '{"sch', '{"action":"challenge","sch'), "be read"),
    "evidence of others": (edit("evidence.jsonl", '"decision_id":"', '"decision_id":"0'), "match"),
    "networks lost": (drop_line("networks.jsonl"), "rows"),
    "not JSON": (edit("evidence.jsonl", "{", "["), "cannot be read"),
    "not UTF-8": (lambda b: (b / "accounts.jsonl").write_bytes(b'{"a":"\xff"}\n'), "cannot be"),
    "empty rows": (lambda b: (b / "accounts.jsonl").write_text(""), "other rows"),
    "a manifest's count": (edit("manifest.json", '"rows": 12', '"rows": 13'), "manifest"),
    "an unknown environment": (edit("manifest.json", '"production"', '"prod"'), "environment"),
    "a hidden file": (lambda b: (b / ".more.jsonl").write_text("{}"), "not in SHA256SUMS"),
    "a link": (lambda b: (b / "more").symlink_to("/etc/hostname"), "not in SHA256SUMS"),
    "a lost file": (lambda b: (b / "signals.jsonl").unlink(), "is missing"),
    "no manifest": (lambda b: (b / "manifest.json").unlink(), "cannot be read"),
    "no checksums": (lambda b: (b / "SHA256SUMS").unlink(), "cannot be read"),
    "a path in checksums": (edit("SHA256SUMS", "  manifest", "  ../manifest"), "no checksum"),
    "a deep path in checksums": (
        edit("SHA256SUMS", "  internal/", "  internal/../"),
        "no checksum",
    ),
    "a file more inside": (
        lambda b: (b / "internal" / "more").write_text("{}"),
        "not in SHA256SUMS",
    ),
    "a folder more": (lambda b: (b / "more").mkdir(), "not in SHA256SUMS"),
    "another name": (lambda b: b.rename(b.parent / "20261122-e9"), "folder is called"),
}


@pytest.mark.parametrize("harm", HARM)
def test_harm_is_found(batch: Path, approvers: Approvers, keys: Path, harm: str) -> None:
    approve(batch, keys, "lead_1", "lead_2")
    change, message = HARM[harm]
    change(batch)
    folder = next(path for path in batch.parent.iterdir() if path.is_dir())
    assert message in "\n".join(problems(folder, approvers))


@pytest.mark.parametrize("harm", list(HARM)[:20])
def test_harm_behind_new_checksums_is_found_in_the_rows(
    batch: Path, approvers: Approvers, keys: Path, harm: str
) -> None:
    approve(batch, keys, "lead_1", "lead_2")
    change, message = HARM[harm]
    change(batch)
    write_new_sums(batch)
    found = "\n".join(problems(batch, approvers))
    assert message in found
    assert "for other content" in found or "environment" in found


def test_a_changed_batch_voids_its_approvals(batch: Path, approvers: Approvers, keys: Path) -> None:
    approve(batch, keys, "lead_1", "lead_2")
    manifest = json.loads((batch / "manifest.json").read_text())
    manifest["contact"] = "somebody else"
    (batch / "manifest.json").write_text(json.dumps(manifest))
    write_new_sums(batch)
    found = problems(batch, approvers)
    assert found[0] == f"{PROPOSED}: 0 of 2 approvals"
    assert "changed after it was approved" in found[1]


def forged(batch: Path, keys: Path) -> None:
    """approver 2's key, under somebody's name."""
    approve(batch, keys, "lead_2")
    path = batch.parent / f"{batch.name}.approvals.jsonl"
    path.write_text(path.read_text().replace('"approver":"lead_2"', '"approver":"lead_1"'))


def borrowed(batch: Path, keys: Path) -> None:
    """somebody's approval of another batch."""
    other, _ = write(batch.parent / "elsewhere", many(3), "20261122-e2")
    approve(other, keys, "lead_1")
    line = (other.parent / f"{other.name}.approvals.jsonl").read_text()
    (batch.parent / f"{batch.name}.approvals.jsonl").write_text(line)


def relabelled(batch: Path, keys: Path) -> None:
    """somebody's approval of another batch, with this one's checksum written over."""
    borrowed(batch, keys)
    path = batch.parent / f"{batch.name}.approvals.jsonl"
    approval = json.loads(path.read_text())
    approval["sha256"] = sums_sha256_of(batch)
    path.write_text(json.dumps(approval) + "\n")


def other_purpose(batch: Path, keys: Path) -> None:
    """A signature that approver 1 made for something else."""
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", "file", "-f", str(key_pair("lead_1", keys))],
        input=sums_sha256_of(batch),
        capture_output=True,
        text=True,
        check=True,
    )
    approve(batch, keys, "lead_1")
    path = batch.parent / f"{batch.name}.approvals.jsonl"
    approval = json.loads(path.read_text())
    approval["signature"] = done.stdout
    path.write_text(json.dumps(approval) + "\n")


@pytest.mark.parametrize(
    ("attack", "word"),
    [
        (forged, "not of this person's key"),
        (borrowed, "for other content"),
        (relabelled, "not of this person's key"),
        (other_purpose, "not of this person's key"),
        (lambda b, k: approve(b, k, "lead_3"), "nobody that the approvers file names"),
        (lambda b, k: approve(b, k, "lead_1", "lead_1"), "each person counts once"),
        (
            lambda b, k: (b.parent / f"{b.name}.approvals.jsonl").write_text("yes\n"),
            "line 1: is no approval",
        ),
        (
            lambda b, k: (b.parent / f"{b.name}.approvals.jsonl").write_text(
                '{"approver":"lead_1","signed_at":"now","sha256":"' + sums_sha256_of(b) + '",'
                '"signature":""}\n'
            ),
            "not of this person's key",
        ),
    ],
)
def test_no_other_signature_counts(
    batch: Path, approvers: Approvers, keys: Path, attack: Callable[[Path, Path], None], word: str
) -> None:
    attack(batch, keys)
    found = problems(batch, approvers)
    assert found[0].startswith(PROPOSED)
    assert word in "\n".join(found)


@pytest.mark.parametrize(
    ("requester", "reviewers"), [("lead_1", "lead_2, lead_3"), ("LEAD_1", "Lead_2 , carl")]
)
def test_requester_reviewer_and_approver_are_three_however_they_are_spelled(
    tmp_path: Path, approvers: Approvers, keys: Path, requester: str, reviewers: str
) -> None:
    reviewed = [replace(decided("a1"), reviewer=reviewers, reviewed_at=NOW)]
    folder, _ = write(tmp_path, reviewed, requested_by=requester)
    approve(folder, keys, "lead_1", "lead_2")
    found = "\n".join(problems(folder, approvers))
    assert "lead_1: requested the batch" in found
    assert "lead_2: reviewed accounts of the batch" in found


def test_a_key_ends_and_a_market_is_decided_over_by_its_own_people(batch: Path, keys: Path) -> None:
    approve(batch, keys, "lead_1")
    public = key_pair("lead_1", keys).with_suffix(".pub").read_text().strip()
    start = "name: lead_1, role: approver"
    old = approvers_of(
        keys,
        ["lead_1"],
        lead_1=f"{start}, markets: [all], valid_to: 2026-11-21, key: {public}",
    )
    assert "counted until 2026-11-21" in problems(batch, old)[1]
    french = approvers_of(
        keys,
        ["lead_1"],
        lead_1=f"{start}, markets: [fr], valid_to: 2027-01-01, key: {public}",
    )
    assert "may not decide over the markets de" in problems(batch, french)[1]
