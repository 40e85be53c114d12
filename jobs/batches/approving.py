"""Approving a batch: a signature beside it and, once enough people signed, its decisions move."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from exporters.enforcement.approvals import conflict, counted, read_approvers, sign
from exporters.enforcement.fields import ACCOUNTS
from exporters.enforcement.ledgers import BATCHES
from exporters.enforcement.manifest import Manifest
from exporters.enforcement.reading import json_rows
from exporters.enforcement.rows import APPLY
from exporters.enforcement.verify import sums_sha256_of, verify_content
from graph.frames import DataFrame, F
from jobs.batches.changes import Changes
from jobs.batches.decided import labellers
from jobs.batches.overridden import overriders
from jobs.batches.sampled import samplers
from jobs.batches.store import FOLDER, Store, approvals_of
from jobs.errors import DataStop, GuardStop
from signatures.decisions import DECISIONS
from signatures.labels import LABELS
from signatures.life_cycle import current_frame, moved_frame


@dataclass(frozen=True)
class Approved:
    """How far a batch's approval is."""

    batch_id: str
    names: tuple[str, ...]
    needed: int

    @property
    def complete(self) -> bool:
        """Whether enough people approved."""
        return len(self.names) >= self.needed


def approve(changes: Changes, batch_id: str, person: str, key_file: Path) -> Approved:
    """Sign a proposed batch; its decisions become approved with the last signature needed.

    Raises GuardStop for somebody who may not approve it, or a batch that may not be approved any
    more; DataStop for one that is not as it was made.
    """
    folder = Store(changes.home).waiting(batch_id)
    manifest = sound(folder)
    refuse_ended(changes, batch_id)
    # Also who judged a network of it since it was made.
    rows = decisions_of(changes, folder)
    seen_by = labellers(changes.engine, changes.ledger(LABELS), rows)
    seen_by += [*overriders(changes, rows), *samplers(changes, rows)]
    known = manifest.model_copy(update={"reviewers": [*manifest.reviewers, *seen_by]})
    if reason := conflict(person, known):
        raise GuardStop(
            f"guard approvals: 1 approver with a part in it, limit 0: {person} {reason}"
        )
    if manifest.until < changes.now:
        raise GuardStop(f"{too_late(changes, manifest)}: export again")
    approvers = read_approvers(changes.config.enforcement.approvers)
    sums_sha256 = sums_sha256_of(folder)
    before = approvals_of(folder)
    needed = approvers.number(manifest)
    if len(counted(before, manifest, sums_sha256, approvers, changes.now)[0]) >= needed:
        raise GuardStop(
            f"guard approvals: {batch_id} has the {needed} that it needs: `actorgraph export "
            f"release {batch_id}`"
        )
    approval = sign(sums_sha256, person, key_file, changes.now)
    names, refused = counted([*before, approval], manifest, sums_sha256, approvers, changes.now)
    if person not in names or len(names) != len(before) + 1:
        figure = f"{len(refused)} that do not count, limit 0"
        raise GuardStop(f"guard approvals: {figure}: {'; '.join(refused)}")
    lines = "".join(f"{each.line()}\n" for each in [*before, approval])
    changes.text(f"../{FOLDER}/proposed/{batch_id}.approvals.jsonl", lines)
    found = Approved(batch_id, tuple(names), needed)
    told = {"batch_id": batch_id, "sums_sha256": sums_sha256, "needed": found.needed}
    changes.audit("approve", person, told)
    if found.complete:
        complete(changes, folder, manifest, found)
    return found


def complete(changes: Changes, folder: Path, manifest: Manifest, found: Approved) -> None:
    """Move the decisions of a batch that has all its approvals."""
    changes.rows(
        BATCHES,
        [batch_event(changes, manifest, "approved", actor=", ".join(found.names))],
    )
    if manifest.operation != APPLY:
        return
    rows = decisions_of(changes, folder)
    gone = rows.filter(F.col("state") != "proposed").count()
    missing = manifest.counts.rows - rows.count()
    if gone or missing:
        raise GuardStop(
            f"guard decisions: {gone + missing} decisions, limit 0: they are no longer proposed as "
            f"they were when {manifest.batch_id} was made; export again"
        )
    changes.append(
        DECISIONS,
        moved_frame(
            changes.engine,
            rows,
            "approved",
            by="approvals",
            at=changes.now,
            actor=", ".join(found.names),
            reason=None,
            batch_id=manifest.batch_id,
        ),
    )


def too_late(changes: Changes, manifest: Manifest) -> str:
    """The guard that stops a batch after its time: its name, the figure and the limit."""
    return (
        f"guard valid_until: it is {changes.now:%Y-%m-%dT%H:%M:%SZ}, limit {manifest.valid_until}"
    )


def sound(folder: Path) -> Manifest:
    """The manifest of a batch that is as it was made; raises DataStop for any other."""
    problems: list[str] = []
    try:
        manifest = verify_content(folder, problems)
    except ValueError as error:
        raise DataStop(f"{folder.name}: {error}") from None
    if problems:
        raise DataStop(f"{folder.name} was changed or is damaged: {'; '.join(problems[:5])}")
    return manifest


def refuse_ended(changes: Changes, batch_id: str) -> None:
    """Raise GuardStop for a batch that was released, replaced or voided."""
    events = changes.ledger(BATCHES).filter(F.col("batch_id") == batch_id)
    for each in changes.engine.to_arrow(events).to_pylist():
        if each["event"] in ("released", "void"):
            raise GuardStop(
                f"guard batch: {batch_id} has ended 1 time, limit 0: {each['event']} on "
                f"{each['at']:%Y-%m-%d at %H:%M}: {each['reason'] or 'it has left'}; export again"
            )


def decisions_of(changes: Changes, folder: Path) -> DataFrame:
    """The current rows of a batch's decisions, in DECISIONS' columns."""
    ids = [
        batch.column("decision_id") for batch in json_rows(folder / ACCOUNTS.name, ACCOUNTS)
    ]  # 64 bytes a row
    rows = changes.engine.from_arrow(pa.table({"decision_id": pa.chunked_array(ids, pa.string())}))
    current = current_frame(changes.ledger(DECISIONS))
    found = current.join(rows, on="decision_id", how="left_semi").select(*DECISIONS.columns)
    return changes.engine.materialize(found, f"decisions of {folder.name}")


def batch_event(
    changes: Changes,
    manifest: Manifest,
    name: str,
    actor: str,
    reason: str | None = None,
    sums_sha256: str | None = None,
) -> dict[str, object]:
    """A row of BATCHES for something that happens to a batch."""
    return {
        "batch_id": manifest.batch_id,
        "event": name,
        "at": changes.now,
        "ds": None,
        "operation": manifest.operation,
        "accounts": manifest.counts.rows,
        "sums_sha256": sums_sha256,
        "requested_by": manifest.requested_by,
        "parent": manifest.parent.batch_id if manifest.parent else None,
        "actor": actor,
        "reason": reason,
    }
