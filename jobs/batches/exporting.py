"""Making a batch: its rows, its files, its place among the proposed ones, all staged together."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from exporters.enforcement.batch import Written, write_batch
from exporters.enforcement.format_checks import check_formats
from exporters.enforcement.formats import formats
from exporters.enforcement.keyed import read_key
from exporters.enforcement.ledgers import BATCHES
from exporters.enforcement.manifest import Stage
from exporters.enforcement.rows import APPLY, REVERSE, RowMaker
from exporters.enforcement.verify import verify_content
from exporters.enforcement.wording import read_wording
from graph.frames import DataFrame, F
from jobs.batches.changes import Changes
from jobs.batches.decided import (
    count_decided,
    has_large_network,
    labellers,
    origins,
    read_decided,
    with_reasons,
    write_sorted,
)
from jobs.batches.lighter import lighter
from jobs.batches.overridden import overriders
from jobs.batches.sampled import STAGES, accepted_samples, samplers
from jobs.batches.store import FOLDER
from jobs.configuration import config_sha256
from jobs.errors import DataStop
from jobs.files import remove
from jobs.inputs import read_accounts, read_sensitive_entities
from jobs.manifest import code_version
from signatures.decisions import DECISIONS
from signatures.labels import LABELS
from signatures.loading import load
from signatures.model import Signature
from signatures.snapshots import SNAPSHOTS

REVERSAL_VALID_FOR = timedelta(days=400)
"""As long as a complaint stays possible: what takes something back must not come too late."""


@dataclass(frozen=True)
class Order:
    """What is to be made: the decisions, for whom, in which formats, and what it is about.

    `standing` are decisions beside those of a reversal, of the same networks, that stay in force;
    `carriers` and `outcomes` as RowMaker has them.
    """

    ds: date
    decisions: DataFrame
    operation: str
    requested_by: str
    formats: Sequence[str] = ()
    environment: str | None = None  # by default the one of the settings
    reason: str | None = None
    supersedes: Sequence[str] = ()
    retracts: Sequence[str] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    precision: Mapping[str, float] = field(default_factory=dict)
    standing: DataFrame | None = None
    carriers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposed:
    """A batch that was made: its id, its rows, and what approvals of it sign."""

    batch_id: str
    rows: int
    sums_sha256: str


def propose(changes: Changes, order: Order) -> Proposed | None:
    """Stage a batch, its stages and its rows in the ledger; None where there is no decision.

    Raises DataStop when what was written does not pass `verify`.
    """
    ledger = changes.ledger(DECISIONS)
    snapshots = changes.ledger(SNAPSHOTS)
    accounts = read_accounts(changes.engine, changes.config)
    with _scratch(changes) as scratch:
        decisions = order.decisions.withColumn("stands", F.lit(False))
        if order.standing is not None:
            decisions = decisions.unionByName(order.standing.withColumn("stands", F.lit(True)))
        rows = with_reasons(
            changes.engine, decisions, ledger, snapshots, lighter(changes), accounts
        )
        decided = write_sorted(changes.engine, rows, scratch / "decided")
        if not count_decided(decided):
            return None
        return _write(changes, order, decided)


@contextmanager
def _scratch(changes: Changes) -> Iterator[Path]:
    folder = changes.config.home.absolute() / "scratch" / "batch"
    remove(folder)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        remove(folder)


def _write(changes: Changes, order: Order, decided: Path) -> Proposed:
    batch_id = next_batch_id(changes, order)
    maker = _maker(changes, order, batch_id)
    stages = _stages(changes, order, maker, decided)
    particulars = _particulars(changes, order, stages=[stage.model_dump() for stage in stages])
    folder = changes.folder(f"../{FOLDER}/proposed/{batch_id}")
    written = _checked(changes, order, maker, folder, decided, particulars)
    rows = written.manifest["counts"]["rows"]
    told = {"batch_id": batch_id, "rows": rows, "sums_sha256": written.sums_sha256}
    for old in order.supersedes:
        changes.rows(
            BATCHES, [event(changes, order, old, "void", rows=0, reason=f"superseded: {batch_id}")]
        )
    changes.rows(BATCHES, [event(changes, order, batch_id, "proposed", rows, written.sums_sha256)])
    live = {"live_by_config": changes.config.signatures.live} if order.operation == APPLY else {}
    changes.audit(f"propose {order.operation}", order.requested_by, told | live)
    return Proposed(batch_id, rows, written.sums_sha256)


def next_batch_id(changes: Changes, order: Order) -> str:
    """The next free id of the day: e of actions, r of reversals; ids are never used twice."""
    start = f"{order.ds:%Y%m%d}-{'e' if order.operation == APPLY else 'r'}"
    ids = changes.engine.to_arrow(changes.ledger(BATCHES).select("batch_id").distinct())
    numbers = [
        int(found[1])
        for name in ids["batch_id"].to_pylist()
        if (found := re.fullmatch(re.escape(start) + r"(\d+)", name))
    ]
    return f"{start}{max(numbers, default=0) + 1}"


def _maker(changes: Changes, order: Order, batch_id: str) -> RowMaker:
    config, settings = changes.config, changes.config.enforcement
    valid_for = timedelta(microseconds=settings.valid_for)
    created = changes.now.replace(microsecond=0)
    listed = read_sensitive_entities(changes.engine, config)
    ids = (listed.column(name).to_pylist() for name in ("entity_type", "entity_id"))
    sensitive = frozenset(zip(*ids, strict=True))
    library = _library(config.signatures.paths)
    return RowMaker(
        batch_id=batch_id,
        operation=order.operation,
        created_at=created,
        valid_until=created + (REVERSAL_VALID_FOR if order.operation == REVERSE else valid_for),
        wording=read_wording(settings.policies, settings.texts),
        key=read_key(settings.key_file),
        precision=order.precision,
        titles={name: each.title for name, each in library.items()},
        tags={name: each.tags for name, each in library.items()},
        sensitive=sensitive,
        reason=order.reason,
        carriers=order.carriers,
        outcomes=order.outcomes,
        samples={} if order.operation == REVERSE else accepted_samples(changes),
    )


@cache  # reading the library takes as long as writing a thousand rows
def _library(paths: tuple[str, ...]) -> dict[str, Signature]:
    """Signatures, the shipped ones and a site's, by id."""
    return {str(each.id): each for each in load(paths)}


def _stages(changes: Changes, order: Order, maker: RowMaker, decided: Path) -> list[Stage]:
    """Write the stages of a batch that is large, or of a large network, and say what they are."""
    settings = changes.config.enforcement
    if order.operation == REVERSE:
        return []
    is_sampled = has_large_network(decided, changes.config.proposals.max_accounts)
    if not is_sampled and count_decided(decided) < settings.staged_from:
        return []
    shares = STAGES if is_sampled else settings.stages
    maker = replace(maker, origins=origins(decided))
    stages: list[Stage] = []
    low = 0.0
    for number, share in enumerate(shares, start=1):
        child = f"{maker.batch_id}-{number}"
        if next(read_decided(decided, low, share), None) is None:
            continue
        folder = changes.folder(f"../{FOLDER}/staged/{child}")
        parent = {"batch_id": maker.batch_id, "stage": number}
        particulars = _particulars(changes, order, parent=parent)
        part = replace(maker, batch_id=child, stage=f"{number} of {len(shares)}")
        written = _checked(changes, order, part, folder, decided, particulars, low, share)
        rows = written.manifest["counts"]["rows"]
        stages.append(
            Stage(batch_id=child, share=share, sums_sha256=written.sums_sha256, rows=rows)
        )
        low = share
    return stages


def _particulars(changes: Changes, order: Order, **changed: Any) -> dict[str, Any]:
    config = changes.config
    return {
        "environment": order.environment or config.enforcement.environment,
        "ds": order.ds.isoformat(),
        "run_id": changes.publication.run_id,
        "code_version": code_version(),
        "config_sha256": config_sha256(config),
        "requested_by": order.requested_by,
        "reason": order.reason,
        "limits": dict(order.limits),
        "lists": dict(order.lists),
        "stages": [],
        "parent": None,
        "supersedes": list(order.supersedes),
        "retracts": list(order.retracts),
        "audit_head": changes.head.sha256,
        "audit_kept_days": changes.audit_kept_days,
        "contact": config.enforcement.contact,
        **changed,
    }


def _checked(
    changes: Changes,
    order: Order,
    maker: RowMaker,
    folder: Path,
    decided: Path,
    particulars: Mapping[str, Any],
    low: float = 0.0,
    high: float = 1.0,
) -> Written:
    """Write a batch's files, read them as an importer would, and refuse what does not pass."""
    chosen = formats(order.formats)
    rows = read_decided(decided, low, high)
    reviewers = labellers(changes.engine, changes.ledger(LABELS), order.decisions)
    others = (overriders(changes, order.decisions), samplers(changes, order.decisions))
    reviewers = sorted({*reviewers, *itertools.chain(*others)})
    written = write_batch(folder, maker, rows, chosen, particulars, reviewers)
    problems: list[str] = []
    verify_content(folder, problems, called=maker.batch_id)
    problems += check_formats(folder)
    if problems:
        raise DataStop(
            f"batch {maker.batch_id} does not pass verify, so it is not published: "
            + "; ".join(problems[:5])
        )
    return written


def event(
    changes: Changes,
    order: Order,
    batch_id: str,
    name: str,
    rows: int,
    sums_sha256: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """A row of BATCHES for something that happens to a batch of an order."""
    return {
        "batch_id": batch_id,
        "event": name,
        "at": changes.now,
        "ds": order.ds,
        "operation": order.operation,
        "accounts": rows,
        "sums_sha256": sums_sha256,
        "requested_by": order.requested_by,
        "parent": None,
        "actor": order.requested_by,
        "reason": reason or order.reason,
    }
