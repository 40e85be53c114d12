"""Releasing a batch: every guard again, as of now, and then its folder and decisions move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from exporters.enforcement.approvals import read_approvers
from exporters.enforcement.guards import Stop, stops
from exporters.enforcement.ledgers import BATCHES
from exporters.enforcement.manifest import Manifest
from exporters.enforcement.rows import APPLY
from exporters.enforcement.verify import approval_problems, sums_sha256_of
from graph.frames import DataFrame, F
from jobs.batches.approving import batch_event, decisions_of, refuse_ended, sound, too_late
from jobs.batches.changes import Changes
from jobs.batches.figures import gather, list_hashes, list_moved, outcomes_of_batch
from jobs.batches.overridden import overriders, requested_by_overrider
from jobs.batches.placing import stage_release
from jobs.batches.store import Store
from jobs.batches.taking_back import take_back
from jobs.errors import ConfigError, DataStop, GuardStop
from signatures.decisions import DECISIONS
from signatures.life_cycle import current_frame, moved_frame


@dataclass(frozen=True)
class Released:
    """What a release let out: the batch that importers get, its accounts, and what still waits."""

    batch_id: str
    rows: int
    stages_left: int


class Voided(GuardStop):
    """A stop after which the batch's approvals no longer hold, and its decisions are proposed."""


def release(changes: Changes, batch_id: str, person: str) -> Released:
    """Stage the release of a batch, or of its next stage.

    Raises Voided where the batch may never be released; the caller publishes what was staged for
    that, and a GuardStop or DataStop where nothing changes.
    """
    folder = Store(changes.home).waiting(batch_id)
    refuse_ended(changes, batch_id)
    try:
        manifest = sound(folder)
    except DataStop as error:
        void(changes, batch_id, person, str(error))
        raise Voided(
            f"guard batch: 1 change or more, limit 0: {error}: its approvals are void"
        ) from None
    _approved(changes, folder, manifest, person)
    part, left = _part(changes, folder, manifest)
    told = sound(part) if part != folder else manifest
    rows = decisions_of(changes, part)
    if manifest.operation == APPLY:
        _guarded(changes, folder, told, rows, person)
        _let_out(changes, rows, told, person)
    else:
        take_back(changes, rows, told, person)
    stage_release(changes, part, folder, person)
    _remember(changes, manifest, told, part, person, left)
    return Released(told.batch_id, told.counts.rows, left)


def _approved(changes: Changes, folder: Path, manifest: Manifest, person: str) -> None:
    if manifest.until < changes.now:
        reason = f"valid_until {manifest.valid_until} has passed"
        void(changes, manifest.batch_id, person, reason)
        raise Voided(f"{too_late(changes, manifest)}: {reason}, export again")
    approvers = read_approvers(changes.config.enforcement.approvers)
    if approvers.releasers and changes.config.enforcement.release_key is None:
        raise ConfigError(
            "enforcement.release_key: the approvers file has a releaser, so importers want its "
            "signature: name the file of its key"
        )
    # Whoever approved and then renewed an override that the batch rests on is two of the three.
    reviewers = [*manifest.reviewers, *overriders(changes, decisions_of(changes, folder))]
    known = manifest.model_copy(update={"reviewers": reviewers})
    problems = approval_problems(folder, known, approvers, changes.now)
    if problems:
        raise GuardStop(f"guard approvals: {'; '.join(problems)}")


def _part(changes: Changes, folder: Path, manifest: Manifest) -> tuple[Path, int]:
    """The folder that is released now, the batch or its next stage, and how many stages follow."""
    if not manifest.stages:
        return folder, 0
    store = Store(changes.home)
    names = [stage.batch_id for stage in manifest.stages]
    waiting = [name for name in names if not (store.released / name).exists()]
    if waiting != names:
        _answered(changes, store.released / names[-len(waiting) - 1])
    return store.staged / waiting[0], len(waiting) - 1


def _answered(changes: Changes, stage: Path) -> None:
    """Raise GuardStop while accounts of a stage lack receipts: errors are to show while few."""
    silent = decisions_of(changes, stage).filter(F.col("state") == "released").count()
    if silent:
        raise GuardStop(
            f"guard stages: {silent} accounts of {stage.name} have no receipt, limit 0: the next "
            "stage waits for `actorgraph export receipts`"
        )


def _guarded(
    changes: Changes, folder: Path, manifest: Manifest, rows: DataFrame, person: str
) -> None:
    """Run every guard as of now; raises Voided or GuardStop for a hit."""
    figures = gather(changes, rows, date.fromisoformat(manifest.ds), "approved")
    outcomes = [*figures.outcomes, *outcomes_of_batch(changes, folder.name)]
    missing = manifest.counts.rows - figures.rows
    lists = list_hashes(changes.config)
    figures = replace(
        figures,
        outcomes=outcomes,
        moved_on=figures.moved_on + missing,
        list_moved=list_moved(changes, changes.now.date(), lists, manifest.lists),
    )
    hits: list[Stop] = [
        *stops(figures, changes.config.enforcement),
        *requested_by_overrider(changes, rows, manifest.requested_by),
    ]
    if not hits:
        return
    told, aloud = "\n".join(map(str, hits)), "\n".join(hit.aloud for hit in hits)
    if any(hit.voids for hit in hits):
        void(changes, folder.name, person, told)
        end = f"the approvals of {folder.name} are void: export again"
        raise Voided(f"{told}\n{end}", f"{aloud}\n{end}")
    raise GuardStop(told, aloud)


def _let_out(changes: Changes, rows: DataFrame, manifest: Manifest, person: str) -> None:
    changes.append(
        DECISIONS,
        moved_frame(
            changes.engine,
            rows,
            "released",
            by="release",
            at=changes.now,
            actor=person,
            reason=None,
            batch_id=manifest.batch_id,
        ),
    )


def _remember(
    changes: Changes, manifest: Manifest, told: Manifest, part: Path, person: str, left: int
) -> None:
    sums_sha256 = sums_sha256_of(part)
    changes.rows(BATCHES, [batch_event(changes, told, "released", person, sums_sha256=sums_sha256)])
    if told.parent is not None and left == 0:
        # Its accounts were counted with its stages.
        whole = batch_event(changes, manifest, "released", person)
        changes.rows(BATCHES, [{**whole, "accounts": 0}])
    details = {"batch_id": told.batch_id, "rows": told.counts.rows, "sums_sha256": sums_sha256}
    changes.audit("release", person, details)


def void(
    changes: Changes, batch_id: str, person: str, reason: str, but_not: str | None = None
) -> None:
    """Stage the end of a batch: its decisions that were approved are proposed again.

    They are found by the ledger, because the batch itself may be what cannot be believed.
    `but_not` is an account whose decisions the caller moves.
    """
    mine = current_frame(changes.ledger(DECISIONS)).filter(
        (F.col("batch_id") == batch_id) & (F.col("state") == "approved")
    )
    if but_not is not None:
        mine = mine.filter(F.col("account_id") != but_not)
    changes.append(
        DECISIONS,
        moved_frame(
            changes.engine, mine, "proposed", by="void", at=changes.now, actor=person, reason=reason
        ),
    )
    events = changes.ledger(BATCHES).filter(
        (F.col("batch_id") == batch_id) & (F.col("event") == "proposed")
    )
    (made,) = changes.engine.to_arrow(events).to_pylist()
    changes.rows(
        BATCHES,
        [{**made, "event": "void", "at": changes.now, "actor": person, "reason": reason}],
    )
    changes.audit("void", person, {"batch_id": batch_id, "reason": reason})
