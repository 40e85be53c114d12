"""Batches on which something waits: to be approved, to be released, or for receipts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exporters.enforcement.ledgers import BATCHES
from exporters.enforcement.rows import REVERSE
from graph.ledger import read_ledger
from graph.setting_types import format_duration
from jobs.batches.reversals import reversals
from jobs.batches.store import Store, read
from jobs.errors import DataStop
from signatures.decisions import DECISIONS
from signatures.life_cycle import current

APPROVAL, RELEASE, RECEIPTS = "approval", "release", "receipts"
TOO_LATE = "a new batch (its time is over)"
DAMAGED = "a new batch (it is damaged)"


@dataclass(frozen=True)
class Waiting:
    """A batch that waits: for what, with how many accounts, and since it was made or released."""

    batch_id: str
    operation: str
    accounts: int
    waits_for: str
    since: datetime

    @property
    def is_retraction_inside(self) -> bool:
        """Whether it is to give something back and has not left."""
        return self.operation == REVERSE and self.waits_for != RECEIPTS

    def age(self, now: datetime) -> str:
        """How long it has waited, in days and hours."""
        hours = (now - self.since) // timedelta(hours=1)
        return f"{hours // 24}d {hours % 24}h" if hours >= 24 else f"{hours}h"


def waiting(home: Path, now: datetime) -> list[Waiting]:
    """All batches that wait: retractions first, and of each kind those that waited longest."""
    events: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for each in read_ledger(home, BATCHES).to_pylist():
        events[each["batch_id"]][each["event"]] = each
    found = [*_inside(home, events, now), *_without_receipts(home, events)]
    return sorted(found, key=lambda each: (each.operation != REVERSE, each.since, each.batch_id))


def _inside(
    home: Path, events: Mapping[str, Mapping[str, Any]], now: datetime
) -> Iterator[Waiting]:
    store = Store(home)
    for name, mine in events.items():
        folder = store.proposed / name
        if {"released", "void"} & mine.keys() or not folder.is_dir():
            continue
        made = mine["proposed"]
        waits_for = _useless(folder, now) or (RELEASE if "approved" in mine else APPROVAL)
        yield Waiting(name, made["operation"], made["accounts"], waits_for, made["at"])


def _useless(folder: Path, now: datetime) -> str | None:
    """Why a batch cannot leave any more."""
    try:
        return TOO_LATE if read(folder).until < now else None
    except DataStop:
        return DAMAGED


def _without_receipts(home: Path, events: Mapping[str, Mapping[str, Any]]) -> Iterator[Waiting]:
    names = ["decision_id", "number", "state", "batch_id"]
    decisions = current(read_ledger(home, DECISIONS, columns=names))
    silent = decisions.filter(pc.equal(decisions.column("state"), "released")).column("batch_id")
    taken_back = reversals(home)
    unanswered = taken_back.filter(pc.is_null(taken_back.column("answer"))).column("out_in")
    for name, accounts in (*_counted(silent), *_counted(unanswered)):
        if out := events.get(name, {}).get("released"):
            yield Waiting(name, out["operation"], accounts, RECEIPTS, out["at"])


def _counted(names: pa.ChunkedArray) -> Iterator[tuple[str, int]]:
    for each in pc.value_counts(names.drop_null()).to_pylist():
        yield each["values"], each["counts"]


def retractions_inside(batches: Iterable[Waiting], now: datetime, due: timedelta) -> Iterator[str]:
    """What is to be given back and has not left, a line each; an alert after `due`."""
    for each in batches:
        if not each.is_retraction_inside:
            continue
        alert = "ALERT: " if now - each.since > due else ""
        told = f", longer than {format_duration(due // timedelta(microseconds=1))}" if alert else ""
        yield (
            f"{alert}retraction {each.batch_id} has waited for {each.waits_for} for "
            f"{each.age(now)}{told}; accounts in it: {each.accounts}"
        )
