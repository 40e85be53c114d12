"""What a reversal that leaves does to the decisions that it takes back."""

from __future__ import annotations

from exporters.enforcement.manifest import Manifest
from graph.frames import DataFrame, F
from jobs.batches.changes import Changes
from signatures.decisions import DECISIONS
from signatures.life_cycle import PATH_BACK, moved_frame

ACTOR = "retraction"
"""Who is named where an order, and nobody who heard it, ends an appeal."""


def take_back(changes: Changes, rows: DataFrame, manifest: Manifest, person: str) -> None:
    """Move the decisions of a reversal, as far as their life has a way.

    What is out is reversed. An appeal that waits is decided by the order, in the account's favour;
    such a decision, like one that was overturned, is reversed by the receipt. What nobody carried
    out is rejected, so that it is not tried again. What has ended stays as it ended.
    """
    _move(
        changes,
        rows.filter(F.col("state").isin("released", "applied", "upheld")),
        ("reversed", "retraction"),
        person,
        manifest.reason,
    )
    _move(
        changes,
        rows.filter(F.col("state") == "appealed"),
        ("overturned", "appeal_outcome"),
        ACTOR,
        f"taken back by {manifest.batch_id} before the appeal was heard: {manifest.reason}",
    )
    rest = rows
    for before, step in PATH_BACK.items():
        here = rest.filter(F.col("state") == before)
        moved = _move(changes, here, step, person, manifest.reason)
        rest = rest.filter(F.col("state") != before).unionByName(moved)


def _move(
    changes: Changes, rows: DataFrame, step: tuple[str, str], actor: str, reason: str | None
) -> DataFrame:
    after, by = step
    moved = moved_frame(
        changes.engine, rows, after, by=by, at=changes.now, actor=actor, reason=reason
    )
    moved = changes.engine.materialize(moved, f"taken back to {after} by {by}")
    changes.append(DECISIONS, moved)
    return moved
