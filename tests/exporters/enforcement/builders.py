"""Small decisions, keys and approvers, from which tests make whole batches."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from exporters.enforcement.approvals import Approval, Approvers, read_approvers, sign
from exporters.enforcement.batch import Written, write_batch
from exporters.enforcement.fields import MANIFEST_NAME, SUMS_NAME
from exporters.enforcement.files import files_of, sha256_of, write_sums
from exporters.enforcement.formats import FORMATS, formats
from exporters.enforcement.release_note import release_note, release_path
from exporters.enforcement.rows import Decided, RowMaker
from exporters.enforcement.verify import sums_sha256_of
from exporters.enforcement.wording import read_wording
from signatures.frozen_evidence import FrozenEvidence, SharedEntity
from signatures.life_cycle import decision_id

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = b"k" * 32
SIGNATURE = "b6f1a1c2-0000-4000-8000-000000000001"
CONTENT = "c0ffee" + "0" * 58


def entity(**changed: Any) -> SharedEntity:
    return SharedEntity(
        **{
            "trace": "co_post",
            "family": "content",
            "entity_type": "content",
            "entity_id": CONTENT,
            "members": 3,
            "co_actions": 4,
            "rarity": 5.5,
            "first_at": "2026-11-20T08:00:00+00:00",
            "last_at": "2026-11-21T09:30:00+00:00",
            **changed,
        }
    )


EVIDENCE = FrozenEvidence(
    shared=(
        entity(),
        entity(trace="co_device", family="device", entity_type="device", entity_id="dev-1"),
        entity(trace="co_ip", family="network", entity_type="ip", entity_id="203.0.113.7"),
    ),
    against=("posts at its own hours",),
    role=("takes part",),
    grounds=("97% of the events came from data centres",),
    not_counted=("the signature is not stable yet",),
)


def decided(account: str = "a1", network: str = "n1", **changed: Any) -> Decided:
    """A decision of the calibrated route with evidence for and against; it may stand."""
    stands = bool(changed.pop("stands", False))
    alike = changed.pop("alike", 5)
    row = {
        "account_id": account,
        "network_id": network,
        "snapshot_sha256": "5" * 64,
        "route": "calibrated",
        "action": "suspend",
        "duration_s": None,
        "policy_id": "inauthentic_accounts",
        "episode": 1,
        "subject_role": "actor",
        "signature_ids": [SIGNATURE],
        "market": "de",
        "ds": date(2026, 11, 22),
        "batch_id": "20261122-e1",
        **changed,
    }
    row.setdefault(
        "decision_id",
        decision_id(account, row["policy_id"], row["action"], row["episode"]),
    )
    return Decided(row, EVIDENCE, members=7, alike=alike, followers=10, stands=stands)


def many(count: int) -> list[Decided]:
    return [decided(f"a{number:04d}", f"n{number // 5:03d}") for number in range(count)]


def maker(batch_id: str = "20261122-e1", operation: str = "apply", **changed: Any) -> RowMaker:
    return RowMaker(
        **{
            "batch_id": batch_id,
            "operation": operation,
            "created_at": NOW,
            "valid_until": NOW + timedelta(hours=72),
            "wording": read_wording(),
            "key": KEY,
            "precision": {SIGNATURE: 0.985},
            "titles": {SIGNATURE: "Copypasta ring"},
            "tags": {SIGNATURE: ["disarm.t0084.001", "attack.t1585.001", "policy.spam"]},
            **changed,
        }
    )


def particulars(**changed: Any) -> dict[str, Any]:
    return {
        "environment": "production",
        "ds": "2026-11-22",
        "run_id": "run-1",
        "code_version": "0.1.0",
        "config_sha256": "c" * 64,
        "requested_by": "requester",
        "reason": None,
        "limits": {"batch": 5000, "population": 0.005},
        "lists": {},
        "stages": [],
        "parent": None,
        "supersedes": [],
        "retracts": [],
        "audit_head": "0" * 64,
        "audit_kept_days": 2557,
        "contact": "trust-and-safety",
        **changed,
    }


def write_new_sums(batch: Path) -> None:
    """Checksums over a batch's files as they are now."""
    (batch / SUMS_NAME).unlink()
    names = sorted(set(files_of(batch)) - {MANIFEST_NAME})
    write_sums(batch, [{"name": name, "sha256": sha256_of(batch / name)} for name in names])


def write(
    parent: Path,
    decisions: Iterable[Decided],
    batch_id: str = "20261122-e1",
    operation: str = "apply",
    others: Sequence[str] = tuple(each.name for each in FORMATS),
    made_by: Mapping[str, Any] | None = None,
    **changed: Any,
) -> tuple[Path, Written]:
    """A whole batch in a folder of its name below `parent`."""
    folder = parent / batch_id
    folder.mkdir(parents=True)
    row_maker = maker(batch_id, operation, **(made_by or {}))
    written = write_batch(folder, row_maker, decisions, formats(others), particulars(**changed))
    return folder, written


@cache
def key_pair(name: str, folder: Path) -> Path:
    """A private key of that name, made by ssh-keygen; its public half stands beside it."""
    path = folder / name
    if path.exists():
        return path
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True
    )
    return path


def approvers_file(
    folder: Path, names: Sequence[str], needed: str = "[{accounts: 0, approvers: 1}]", **of: str
) -> Path:
    """An approvers file of these people; `of` changes what is written of one of them."""
    lines = [f"needed: {needed}", "approvers:" if names else "approvers: []"]
    for name in names:
        public = key_pair(name, folder).with_suffix(".pub").read_text().strip()
        entry = f"name: {name}, role: approver, markets: [all], valid_to: 2027-06-30, key: {public}"
        lines.append(f"  - {{{of.get(name, entry)}}}")
    path = folder / "approvers.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def approvers_of(folder: Path, names: Sequence[str], **changed: str) -> Approvers:
    return read_approvers(approvers_file(folder, names, **changed))


def approve(batch: Path, keys: Path, *names: str, at: datetime = NOW) -> None:
    """Put these people's approvals beside a batch."""
    beside = batch.parent / f"{batch.name}.approvals.jsonl"
    with beside.open("a") as file:
        for name in names:
            approval = sign(sums_sha256_of(batch), name, key_pair(name, keys), at)
            file.write(approval.line() + "\n")


def let_out(batch: Path, signed: Approval | None = None) -> None:
    """Put the note of a release beside a batch, as `export release` does."""
    signature = signed and signed.signature
    note = release_note(batch.name, sums_sha256_of(batch), "releaser", NOW, signature)
    release_path(batch).write_text(note)
