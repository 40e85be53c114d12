"""What becomes of a forgotten account's rows, of its decisions and of batches that wait.

In tables its rows go, and other rows that mention it say a keyed hash instead; so do ledgers, whose
rows are counted. Where an entity bears the account's id, it is the account only if it is a target.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exporters.enforcement.ledgers import BATCHES
from graph.canonical import canonical_json
from graph.enforced_entities import ENFORCED_ENTITIES
from graph.ledger import read_ledger
from jobs.batches.carriers import carries, folders
from jobs.batches.changes import Changes
from jobs.batches.releasing import void
from jobs.batches.retracting import OUT
from jobs.batches.rewriting import ledger_appends, rewrite_append, rewrite_day, table_days
from jobs.batches.store import Store, read
from jobs.errors import GuardStop
from signatures.decisions import DECISIONS
from signatures.life_cycle import PATH_BACK, current, moved

NAMES = {
    "account_id": None,
    "account_a": None,
    "account_b": None,
    "subject_id": ("subject_type", ("account",)),
    "node_id": ("node_type", ("account", "target")),
    "entity_id": ("entity_type", ("target",)),
}
"""Columns of which a row is about an account, and the column that says of what type the id is."""

MENTIONS = ("component_id", "community_id")
"""Columns in which the id of one account stands in rows about others."""

LISTS = {"members": "{}", "dropped_by": "account:{}"}
"""Lists in which it stands, and how."""


@dataclass(frozen=True)
class Forgotten:
    """An account and the keyed hash that takes its place."""

    account: str
    name: str

    def without(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of a table that are about others, none of which mentions the account."""
        about = self._is_about(batch)
        if "raw" in batch.schema.names:  # a rejected row of the log
            raw = pc.match_substring(batch.column("raw"), self.account)
            about = pc.or_(about, pc.fill_null(raw, False))
        return self._masked(batch.filter(pc.invert(about)), MENTIONS)

    def masked(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of a ledger, all of them, with the hash in place of the account's id."""
        return self._masked(batch, tuple(NAMES))

    def _is_about(self, batch: pa.RecordBatch) -> pa.Array:
        about = pa.repeat(pa.scalar(False), len(batch))
        for column in NAMES:
            about = pc.or_(about, self._equal(batch, column))
        return about

    def _equal(self, batch: pa.RecordBatch, column: str) -> pa.Array:
        """Where a column holds the account's id, as an account's."""
        if column not in batch.schema.names:
            return pa.repeat(pa.scalar(False), len(batch))
        mine = pc.equal(batch.column(column), self.account)
        typed = NAMES.get(column)
        if typed and typed[0] in batch.schema.names:
            mine = pc.and_(mine, pc.is_in(batch.column(typed[0]), pa.array(typed[1])))
        return pc.fill_null(mine, False)

    def _masked(self, batch: pa.RecordBatch, columns: tuple[str, ...]) -> pa.RecordBatch:
        arrays = []
        for field, values in zip(batch.schema, batch.columns, strict=True):
            if field.name in columns:
                arrays.append(pc.if_else(self._equal(batch, field.name), self.name, values))
            elif field.name in LISTS:
                arrays.append(self._in_lists(values, LISTS[field.name]))
            elif field.name == "evidence":
                texts = [self._in_evidence(text) for text in values.to_pylist()]
                arrays.append(pa.array(texts, field.type))
            else:
                arrays.append(values)
        return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)

    def _in_lists(self, values: pa.Array, form: str) -> pa.Array:
        mine, name = form.format(self.account), form.format(self.name)
        lists = [
            each and [name if one == mine else one for one in each] for each in values.to_pylist()
        ]
        return pa.array(lists, values.type)

    def _in_evidence(self, text: str | None) -> str | None:
        if text is None or json.dumps(self.account, ensure_ascii=False) not in text:
            return text
        content = json.loads(text)
        for entity in content["for"]:
            if (entity["entity_type"], entity["entity_id"]) == ("target", self.account):
                entity["entity_id"] = self.name
        return canonical_json(content)


def forget_rows(changes: Changes, forgotten: Forgotten) -> dict[str, int]:
    """Stage tables and ledgers without the account; says how many rows were deleted and masked."""
    archive = ENFORCED_ENTITIES.name
    deleted = sum(rewrite_day(changes, *each, forgotten.without) for each in [*table_days(changes)])
    deleted += _rewritten(changes, forgotten.without, [*ledger_appends(changes, archive)])
    ledgers = [each for each in ledger_appends(changes) if each[1].parent.name != archive]
    return {"deleted": deleted, "masked": _rewritten(changes, forgotten.masked, ledgers)}


def _rewritten(
    changes: Changes,
    change: Callable[[pa.RecordBatch], pa.RecordBatch],
    folders_: list[tuple[str, Path]],
) -> int:
    return sum(rewrite_append(changes, target, folder, change) for target, folder in folders_)


def stands_against(changes: Changes, account: str) -> list[str]:
    """What was released against an account and was not taken back: its action and state, each."""
    rows = current(read_ledger(changes.home, DECISIONS, pc.field("account_id") == account))
    return [f"{row['action']} ({row['state']})" for row in rows.to_pylist() if row["state"] in OUT]


def end_decisions(changes: Changes, forgotten: Forgotten, person: str) -> int:
    """Reject what was decided against the account and has not left; returns the decisions."""
    rows = current(
        read_ledger(changes.home, DECISIONS, pc.field("account_id") == forgotten.account)
    )
    for row in rows.to_pylist():
        steps = []
        table = pa.Table.from_pylist([row | {"account_id": forgotten.name}], DECISIONS.schema)
        while row["state"] in PATH_BACK:
            after, by = PATH_BACK[row["state"]]
            table = moved(
                table, after, by=by, at=changes.now, actor=person, reason="the account is forgotten"
            )
            steps.append(table)
            row = table.to_pylist()[0]
        if steps:
            changes.append(DECISIONS, changes.engine.from_arrow(pa.concat_tables(steps)))
    return sum(row["state"] in PATH_BACK for row in rows.to_pylist())


@dataclass(frozen=True)
class Unreleased:
    """Folders that carry the account and are to be deleted: of batches that waited and are void

    now, and copies of batches whose life had ended before.
    """

    voided: list[Path]
    copies: list[Path]


def void_waiting(changes: Changes, forgotten: Forgotten, person: str) -> Unreleased:
    """Void the batches that wait and carry the account.

    Raises GuardStop for reversals that wait: they must reach whom they are for, and those that name
    the account beside somebody else would name it to partners once it is forgotten.
    """
    store = Store(changes.home)
    ended = _ended(changes)
    found: dict[str, Path] = {}
    copies: dict[str, Path] = {}
    reversals = []
    for folder in folders(store):
        if folder.parent == store.released or not carries(folder, {forgotten.account}):
            continue
        manifest = read(folder)
        whole = manifest.parent.batch_id if manifest.parent else manifest.batch_id
        if whole in ended:
            (found if whole in found else copies)[folder.name] = folder
        elif manifest.operation == "reverse":
            reversals.append(whole)
        else:
            found[folder.name] = folder
            void(changes, whole, person, "an account of it is forgotten", forgotten.account)
            ended.add(whole)
    if reversals:
        raise GuardStop(
            f"guard forget: {forgotten.account} is named by {len(reversals)} of the reversals that "
            f"wait, limit 0: approve and release first: {', '.join(reversals)}"
        )
    # The other stages of a voided batch are of no use any more.
    for folder in folders(store):
        manifest = read(folder)
        if folder.parent == store.staged and manifest.parent and manifest.parent.batch_id in found:
            found[folder.name] = folder
    return Unreleased(list(found.values()), list(copies.values()))


def _ended(changes: Changes) -> set[str]:
    events: list[dict[str, Any]] = read_ledger(changes.home, BATCHES).to_pylist()
    return {each["batch_id"] for each in events if each["event"] in ("void", "released")}


def released_with(changes: Changes, account: str) -> list[Path]:
    """The released batches that carry an account; they were signed, and others have them."""
    store = Store(changes.home)
    return [
        folder
        for folder in folders(store)
        if folder.parent == store.released and carries(folder, {account})
    ]
