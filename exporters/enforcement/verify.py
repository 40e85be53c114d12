"""Whether a batch may be imported: what an importing side can check for itself, before it acts.

Needs neither Spark nor Java, nor anything of the side that made the batch but its approvers file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from exporters.enforcement.approvals import Approvers, counted, read_approvals
from exporters.enforcement.fields import CSV_NAME, INTERNAL, MANIFEST_NAME, ROW_FILES, SUMS_NAME
from exporters.enforcement.files import files_of, named, sha256_of
from exporters.enforcement.manifest import Manifest, read_manifest
from exporters.enforcement.release_note import release_problems
from exporters.enforcement.row_checks import check_rows

PROPOSED = "PROPOSED, do not import"

PARENT = "parent"
"""The suffix of the folder beside a stage that holds what its approvals were given for."""


@dataclass
class Verdict:
    """What is wrong with a batch: with its content, and with importing it now.

    `taken_back_by` names the retractions beside it that must be imported before it.
    """

    content: list[str] = field(default_factory=list)
    import_now: list[str] = field(default_factory=list)
    taken_back_by: list[str] = field(default_factory=list)

    @property
    def not_now(self) -> list[str]:
        """What stands against importing it now, a line each."""
        return [
            *self.import_now,
            *(
                f"was taken back, in whole or in part, by {other}: import that first, and say "
                f"--imported {other} then"
                for other in self.taken_back_by
            ),
        ]

    @property
    def problems(self) -> list[str]:
        """All problems, a line each."""
        return [*self.content, *self.not_now]


def verify_batch(
    folder: Path,
    approvers: Approvers | None,
    now: datetime,
    allow_demo: bool = False,
    imported: Collection[str] = (),
) -> Verdict:
    """Check a batch's folder and the files beside it; without approvers nothing is approved.

    `imported` names the retractions that the importing side has acted on.
    """
    verdict, folder = Verdict(), named(folder)
    try:
        manifest = verify_content(folder, verdict.content)
    except ValueError as error:
        verdict.content.append(str(error))
        return verdict
    verdict.import_now += _environment(manifest, allow_demo)
    if manifest.until < now:
        verdict.import_now.append(f"valid_until {manifest.valid_until} has passed: ask for a new")
    for other in _beside(folder):
        if manifest.batch_id in other.supersedes:
            verdict.import_now.append(f"is superseded by {other.batch_id}")
        elif manifest.batch_id in other.retracts and manifest.operation == "apply":
            verdict.taken_back_by += {other.batch_id} - {*imported}
    verdict.import_now += approval_problems(folder, manifest, approvers, now) or (
        release_problems(folder, sums_sha256_of(folder), approvers, now) if approvers else []
    )
    return verdict


def verify_content(folder: Path, problems: list[str], called: str | None = None) -> Manifest:
    """Check files, checksums, rows and counts, and add what is wrong to `problems`.

    `called` is the batch's id where its folder does not have that name yet. Returns the manifest;
    raises ValueError where there is none to be read.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    manifest = read_manifest(folder)
    if manifest.batch_id != (called or folder.name):
        problems.append(f"the folder is called {folder.name}, its batch {manifest.batch_id}")
    with ThreadPoolExecutor(1) as side:  # hashing and reading rows need one core each
        sums = side.submit(lambda: list(_checksums(folder, manifest)))
        rows = _guarded(check_rows(folder, manifest))
        problems += _result(sums) + rows
    return manifest


def _result(sums: Future[list[str]]) -> list[str]:
    try:
        return sums.result()
    except OSError as error:
        return [str(error)]


def _guarded(found: Iterator[str]) -> list[str]:
    try:
        return list(found)
    except OSError as error:
        return [str(error)]


def _checksums(folder: Path, manifest: Manifest) -> Iterator[str]:
    listed = _read_sums(folder)
    present = files_of(folder)
    for name in sorted({*present, *listed} - {SUMS_NAME}):
        path = present.get(name)
        if path is None:
            yield f"{name}: is missing"
        elif name not in listed:
            yield f"{name}: is not in {SUMS_NAME}"
        elif path.is_symlink() or not path.is_file():
            yield f"{name}: is not a plain file"
    told = {entry.name: entry for entry in manifest.files}
    expected = {CSV_NAME, *(file.name for file in ROW_FILES)}
    for name in sorted({*told, *expected} ^ (set(listed) - {MANIFEST_NAME})):
        yield f"{name}: {MANIFEST_NAME} and {SUMS_NAME} name other files"
    for name, sha256 in sorted(listed.items()):
        path = present.get(name)
        if path is None or path.is_symlink() or not path.is_file():
            continue
        found = sha256_of(path)
        if found != sha256:
            yield f"{name}: its SHA-256 is {found[:12]}..., {SUMS_NAME} says {sha256[:12]}..."
        entry = told.get(name)
        if entry and (entry.sha256 != found or entry.bytes != path.stat().st_size):
            yield f"{name}: is not the file that {MANIFEST_NAME} names"


def _read_sums(folder: Path) -> dict[str, str]:
    """The files and checksums of SHA256SUMS; raises ValueError for a line that is none."""
    try:
        text = (folder / SUMS_NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{SUMS_NAME}: cannot be read: {error}") from None
    listed: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        sha256, space, name = line.partition("  ")
        plain = name.removeprefix(f"{INTERNAL}/")
        if not space or len(sha256) != 64 or "/" in plain or name in listed or not plain:
            raise ValueError(f"{SUMS_NAME}, line {number}: is no checksum of a file")
        listed[name] = sha256
    return listed


def _environment(manifest: Manifest, allow_demo: bool) -> list[str]:
    if manifest.environment == "production" or (allow_demo and manifest.environment == "demo"):
        return []
    hint = "; --allow-demo accepts it in a trial" if manifest.environment == "demo" else ""
    return [f"environment is {manifest.environment}: not meant to be acted on{hint}"]


def _beside(folder: Path) -> Iterator[Manifest]:
    """The manifests of the other batches beside this one."""
    for beside in sorted(folder.absolute().parent.iterdir()):
        if beside.name == folder.name or not (beside / MANIFEST_NAME).is_file():
            continue
        try:
            yield read_manifest(beside)
        except ValueError:
            continue  # it is checked when it is imported itself


def approval_problems(
    folder: Path, manifest: Manifest, approvers: Approvers | None, now: datetime
) -> list[str]:
    """Why a batch is not approved; nothing when enough people approved it."""
    beside = folder.absolute().parent / f"{folder.name}.approvals.jsonl"
    try:
        approved, sums_sha256 = _what_was_approved(folder, manifest)
        approvals = read_approvals(beside)
    except ValueError as error:
        return [f"{PROPOSED}: {error}"]
    if approvers is None:
        return [f"{PROPOSED}: without --approvers nobody's approval can be checked"]
    names, refused = counted(approvals, approved, sums_sha256, approvers, now)
    needed = approvers.number(approved)
    if len(names) >= needed and not refused:
        return []
    absent = "" if beside.exists() else f"; {beside.name} is not beside it"
    told = f"{PROPOSED}: {len(names)} of {needed} approvals{absent}"
    return [told, *refused] if len(names) < needed else refused


def sums_sha256_of(folder: Path) -> str:
    """What approvals sign: the SHA-256 of SHA256SUMS; raises ValueError where there is none."""
    try:
        return hashlib.sha256((folder / SUMS_NAME).read_bytes()).hexdigest()
    except OSError as error:
        raise ValueError(f"{SUMS_NAME}: cannot be read: {error.strerror}") from None


def _what_was_approved(folder: Path, manifest: Manifest) -> tuple[Manifest, str]:
    """The batch that people signed, this one or the one it is a stage of, and its checksum.

    The chain is: approvals sign the parent's SHA256SUMS, which has its manifest, which has each
    stage's SHA256SUMS. Raises ValueError where the chain is broken.
    """
    own = sums_sha256_of(folder)
    if manifest.parent is None:
        return manifest, own
    above = folder.absolute().parent / f"{folder.name}.{PARENT}"
    if not above.is_dir():
        raise ValueError(
            f"it is a stage of {manifest.parent.batch_id}, and {above.name} is not beside it: "
            "deliver all that begins with the batch's id"
        )
    parent = read_manifest(above)
    if _read_sums(above).get(MANIFEST_NAME) != sha256_of(above / MANIFEST_NAME):
        raise ValueError(f"{above.name}: {MANIFEST_NAME} is not the one that was approved")
    stages = [stage for stage in parent.stages if stage.batch_id == manifest.batch_id]
    if parent.batch_id != manifest.parent.batch_id or [own] != [s.sums_sha256 for s in stages]:
        raise ValueError(f"is not a stage of {parent.batch_id} as it was approved")
    return parent, sums_sha256_of(above)
