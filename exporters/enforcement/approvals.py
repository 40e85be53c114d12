"""Approvals: SSH signatures over a batch, by people that the approvers file names."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationError, model_validator

from exporters.enforcement.manifest import Manifest
from graph.canonical import canonical_json
from graph.engines.base import DependencyError
from graph.errors import ConfigError
from graph.people import person_key
from graph.setting_types import Settings
from graph.yaml_files import read_mapping

NAMESPACE = "actorgraph-batch"
"""What the signatures are for; a signature made for anything else does not count."""

RELEASE_NAMESPACE = "actorgraph-release"
"""What the signature in the note of a release is for."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]


class Approver(Settings):
    """Somebody who may approve: `markets` is [all], or those whose accounts they decide over.

    `role` tells readers of the file what somebody is: an approver or a lead, who may do the same;
    a releaser signs the notes of releases and approves nothing.
    """

    name: Name
    role: Literal["approver", "lead", "releaser"]
    markets: tuple[str, ...]
    valid_to: date
    key: Annotated[str, Field(pattern=r"^(ssh|sk-ssh|ecdsa|sk-ecdsa)[a-z0-9@.-]* [A-Za-z0-9+/=]+")]


class Needed(Settings):
    """How many people approve a batch from this number of accounts on."""

    accounts: NonNegativeInt
    approvers: PositiveInt


class Approvers(Settings):
    """Who may approve, and how many must."""

    needed: tuple[Needed, ...]
    approvers: tuple[Approver, ...]

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        sizes = [each.accounts for each in self.needed]
        people = [each.approvers for each in self.needed]
        if not sizes or sizes[0] != 0:
            raise ValueError("needed must begin with accounts: 0")
        if sizes != sorted(set(sizes)) or people != sorted(people):
            raise ValueError("needed must rise: larger batches never need fewer people")
        for what, values in (
            ("name", [person_key(each.name) for each in self.approvers]),
            ("key", [" ".join(each.key.split()[:2]) for each in self.approvers]),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"two approvers have one {what}: each person has their own")
        return self

    def named(self, name: str) -> Approver | None:
        """The approver of that name."""
        return next((each for each in self.approvers if each.name == name), None)

    @property
    def releasers(self) -> list[Approver]:
        """Who signs the notes of releases; nobody where notes need no signature."""
        return [each for each in self.approvers if each.role == "releaser"]

    def number(self, manifest: Manifest) -> int:
        """How many people must approve a batch; one for a retraction, whatever its size."""
        if manifest.operation == "reverse":
            return 1
        rows = manifest.counts.rows
        return max(each.approvers for each in self.needed if each.accounts <= rows)


@dataclass(frozen=True)
class Approval:
    """One person's signature over the SHA-256 of a batch's SHA256SUMS."""

    approver: str
    signed_at: str
    sha256: str
    signature: str

    def line(self) -> str:
        """The approval as its line of `<batch_id>.approvals.jsonl`."""
        return canonical_json(asdict(self))


def read_approvers(path: Path | None) -> Approvers:
    """Read the approvers file; raises ConfigError, naming it, for none or a bad one."""
    if path is None:
        raise ConfigError(
            "enforcement.approvers: name the file of those who may approve; "
            "conf/examples/approvers.yaml shows its form"
        )
    try:
        document = read_mapping(path.read_text(encoding="utf-8"), str(path))
        return Approvers.model_validate(document.data)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"enforcement.approvers: cannot read {path}: {error}") from None
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join(map(str, each['loc'])) or 'approvers'}: {each['msg']}"
            for each in error.errors()
        ]
        raise ConfigError("\n".join(lines)) from None


def read_approvals(path: Path) -> list[Approval]:
    """The approvals beside a batch; raises ValueError, naming the line, for what is none."""
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(Approval(**json.loads(line)))
        except (ValueError, TypeError):
            raise ValueError(f"{path.name}, line {number}: is no approval") from None
    return found


def sign(
    sums_sha256: str, approver: str, key_file: Path, at: datetime, namespace: str = NAMESPACE
) -> Approval:
    """Sign a batch with a private key, or an agent's by its public file, for a purpose.

    Raises DependencyError where ssh-keygen is missing, ConfigError where it refuses.
    """
    done = _ssh_keygen(["-Y", "sign", "-n", namespace, "-f", str(key_file)], sums_sha256)
    if done.returncode:
        raise ConfigError(f"cannot sign with {key_file}: {done.stderr.strip()}")
    return Approval(approver, at.isoformat(timespec="seconds"), sums_sha256, done.stdout)


def signed_by(signature: str, sums_sha256: str, approver: Approver, namespace: str) -> bool:
    """Whether a signature over a batch is of this approver's key, for this purpose."""
    with tempfile.TemporaryDirectory(prefix="actorgraph-") as folder:
        allowed, signed = Path(folder, "allowed_signers"), Path(folder, "signature")
        key = " ".join(approver.key.split()[:2])
        allowed.write_text(f'{approver.name} namespaces="{namespace}" {key}\n', encoding="utf-8")
        signed.write_text(signature, encoding="utf-8")
        command = ["-Y", "verify", "-f", str(allowed), "-I", approver.name]
        done = _ssh_keygen([*command, "-n", namespace, "-s", str(signed)], sums_sha256)
    return done.returncode == 0


def counted(
    approvals: Iterable[Approval],
    manifest: Manifest,
    sums_sha256: str,
    approvers: Approvers,
    now: datetime,
) -> tuple[list[str], list[str]]:
    """The people whose approvals count, and why the other approvals do not."""
    names: list[str] = []
    refused: list[str] = []
    for approval in approvals:
        reason = _refusal(approval, manifest, sums_sha256, approvers, now, names)
        if reason:
            refused.append(f"approval of {approval.approver}: {reason}")
        else:
            names.append(approval.approver)
    return names, refused


def _refusal(
    approval: Approval,
    manifest: Manifest,
    sums_sha256: str,
    approvers: Approvers,
    now: datetime,
    names: Sequence[str],
) -> str | None:
    """Why an approval does not count."""
    approver = approvers.named(approval.approver)
    if approver is None:
        return "is nobody that the approvers file names"
    if approver.role == "releaser":
        return "signs releases, and may approve nothing"
    if approval.sha256 != sums_sha256:
        return "is for other content: the batch was changed after it was approved"
    if approver.valid_to < now.date():
        return f"the key counted until {approver.valid_to}"
    if approver.name in names:
        return "has approved already; each person counts once"
    if reason := conflict(approver.name, manifest):
        return reason
    missing = sorted(set(manifest.counts.market) - set(approver.markets) - {""})
    if "all" not in approver.markets and (missing or "" in manifest.counts.market):
        return f"may not decide over the markets {', '.join(missing) or 'that are not known'}"
    if not signed_by(approval.signature, sums_sha256, approver, NAMESPACE):
        return "the signature is not of this person's key over this batch"
    return None


def conflict(name: str, manifest: Manifest) -> str | None:
    """Why somebody may not approve a batch at all: requester, reviewer, approver are three."""
    if person_key(name) == person_key(manifest.requested_by):
        return "requested the batch, so somebody else must approve it"
    if person_key(name) in map(person_key, manifest.reviewers):
        return "reviewed accounts of the batch, so somebody else must approve it"
    return None


def _ssh_keygen(arguments: Sequence[str], text: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments], input=text, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise DependencyError("ssh-keygen is missing: install OpenSSH's client (8.2+)") from None
