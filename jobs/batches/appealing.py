"""Appeals: what people object to, how it was decided, and the retraction that follows at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from exporters.enforcement.ledgers import APPEALS, BATCHES
from graph.engines.base import InputError
from jobs.batches.changes import Changes
from jobs.batches.receiving import AHEAD
from jobs.batches.retracting import draft
from jobs.batches.taking_back import ACTOR as RETRACTION
from jobs.errors import DataStop
from signatures.decisions import DECISIONS
from signatures.labels import LABELS
from signatures.ladder import LADDER
from signatures.life_cycle import TransitionError, current, moved, opened

OUTCOMES = ("upheld", "overturned", "partial")
FIELDS = (
    "appeal_id",
    "decision_id",
    "lodged_at",
    "outcome",
    "reason_code",
    "reviewer",
    "decided_at",
)

AT_ONCE = 100_000
"""Appeals that one file may have: they are held in memory, some 2 KB each."""


@dataclass(frozen=True)
class Heard:
    """What a file of appeals did."""

    lodged: int
    decided: int
    overturned: int
    repeated: int
    retraction: str | None


class _Desk:
    """The appeals of a file, one after the other, on the decisions that they are about."""

    def __init__(self, changes: Changes, given: list[tuple[str, dict[str, Any]]]) -> None:
        self._changes = changes
        names = sorted({str(appeal["decision_id"]) for _, appeal in given})
        ids = changes.engine.from_arrow(pa.table({"decision_id": pa.array(names, pa.string())}))
        mine = changes.ledger(DECISIONS).join(ids, on="decision_id", how="left_semi")
        self.ledger = changes.engine.to_arrow(mine.select(*DECISIONS.columns)).cast(
            DECISIONS.schema
        )
        rows = current(self.ledger).to_pylist()
        self._now: dict[str, dict[str, Any]] = {row["decision_id"]: row for row in rows}
        appeals = changes.engine.to_arrow(changes.ledger(APPEALS)).to_pylist()
        self._steps = {(row["appeal_id"], row["step"]): row for row in appeals}
        self._acted = self._who_acted()
        self._taken_back = {
            row["decision_id"]
            for row in self.ledger.to_pylist()
            if (row["state"], row["actor"]) == ("overturned", RETRACTION)
        }
        self.moved: list[pa.Table] = []
        self.appeals: list[dict[str, Any]] = []
        self.overturned: list[str] = []
        self.repeated = 0

    def hear(self, place: str, appeal: dict[str, Any]) -> None:
        """Take one line; raises DataStop, naming its place, for one that cannot be."""
        decision = self._now.get(appeal["decision_id"])
        if decision is None:
            raise DataStop(f"{place}: there is no decision {appeal['decision_id']}")
        lodged = self._is_new(place, appeal, "lodged", ("decision_id", "lodged_at"))
        decided = appeal["outcome"] is not None and self._is_new(
            place, appeal, "decided", ("decision_id", "outcome", "reviewer", "decided_at")
        )
        if not lodged and not decided:
            self.repeated += 1
        if lodged:
            self._move(place, decision, "appealed", "appeal", "appeal", appeal["reason_code"])
            self._keep(appeal, "lodged", decision)
        if decided:
            self._decide(place, appeal, self._now[appeal["decision_id"]])

    def decision(self, decision_id: str) -> dict[str, Any]:
        """The current row of a decision."""
        return self._now[decision_id]

    def _decide(self, place: str, appeal: dict[str, Any], decision: dict[str, Any]) -> None:
        reviewer = appeal["reviewer"]
        if reviewer in self._acted.get(decision["decision_id"], ()):
            raise DataStop(
                f"{place}: {reviewer} acted in this decision before, so somebody else must hear "
                "the appeal"
            )
        self._acted.setdefault(decision["decision_id"], set()).add(reviewer)
        after = "upheld" if appeal["outcome"] == "upheld" else "overturned"
        if decision["decision_id"] not in self._taken_back:  # else the order stands
            self._move(place, decision, after, "appeal_outcome", reviewer, appeal["reason_code"])
            if after == "overturned":
                self.overturned.append(decision["decision_id"])
        self._keep(appeal, "decided", decision)
        if appeal["outcome"] == "partial":
            self._lighter(decision, reviewer)

    def _lighter(self, decision: dict[str, Any], reviewer: str) -> None:
        """Begin the decision with the next lighter action; people decided it."""
        if decision["action"] not in LADDER or decision["action"] == LADDER[0]:
            return
        action = LADDER[LADDER.index(decision["action"]) - 1]
        row = {
            **decision,
            "action": action,
            "route": "investigated",
            "state": "proposed",
            "reason": f"partly upheld on appeal, instead of {decision['action']}",
        }
        at = self._changes.now
        try:
            self.moved.append(opened([row], self.ledger, by="partial", at=at, actor=reviewer))
        except TransitionError:
            return  # the lighter action was decided on before, and stands or was taken back

    def _move(
        self, place: str, decision: dict[str, Any], after: str, by: str, actor: str, reason: Any
    ) -> None:
        row = pa.Table.from_pylist([decision], schema=DECISIONS.schema)
        try:
            rows = moved(row, after, by=by, at=self._changes.now, actor=actor, reason=reason)
        except TransitionError as error:
            raise DataStop(f"{place}: {error}") from None
        self.moved.append(rows)
        self._now[decision["decision_id"]] = rows.to_pylist()[0]

    def _keep(self, appeal: dict[str, Any], step: str, decision: dict[str, Any]) -> None:
        decided = step == "decided"
        row = {
            **appeal,
            "step": step,
            **{name: decision[name] for name in ("batch_id", "network_id", "signature_ids")},
        }
        if not decided:
            row |= {"outcome": None, "reviewer": None, "decided_at": None}
        self._steps[appeal["appeal_id"], step] = row
        self.appeals.append(row)

    def _is_new(
        self, place: str, appeal: dict[str, Any], step: str, names: tuple[str, ...]
    ) -> bool:
        """Whether a step was not taken before; raises DataStop for one that was taken otherwise."""
        before = self._steps.get((appeal["appeal_id"], step))
        if before is None:
            return True
        for name in names:
            if before[name] != appeal[name]:
                raise DataStop(
                    f"{place}: appeal {appeal['appeal_id']} had {name} {before[name]}, now "
                    f"{appeal[name]}: an appeal cannot change"
                )
        return False

    def _who_acted(self) -> dict[str, set[str]]:
        """The people who had a part in each decision: those in its rows, and who asked for it."""
        events = self._changes.engine.to_arrow(
            self._changes.ledger(BATCHES).select("batch_id", "requested_by").distinct()
        ).to_pylist()
        requested = {each["batch_id"]: each["requested_by"] for each in events}
        acted: dict[str, set[str]] = {}
        for row in self.ledger.to_pylist():
            people = acted.setdefault(row["decision_id"], set())
            people.update(row["actor"].split(", "))
            if row["batch_id"]:
                people.add(requested.get(row["batch_id"], ""))
        return acted


def hear(changes: Changes, path: Path, person: str) -> Heard:
    """Stage what a file of appeals tells, and the retraction of what was overturned.

    Raises DataStop, naming the line, for one that is malformed or that the decision does not allow.
    """
    given = list(_read(path, changes.now + AHEAD))
    desk = _Desk(changes, given)
    for place, appeal in given:
        desk.hear(place, appeal)
    for rows in desk.moved:
        changes.append(DECISIONS, changes.engine.from_arrow(rows))
    changes.rows(APPEALS, desk.appeals)
    changes.rows(LABELS, [_label(row, desk) for row in desk.appeals if row["step"] == "decided"])
    retraction = _retraction(changes, desk, person)
    steps = [row["step"] for row in desk.appeals]
    told = Heard(
        steps.count("lodged"),
        steps.count("decided"),
        len(desk.overturned),
        desk.repeated,
        retraction,
    )
    if desk.appeals:
        changes.audit("appeals", person, vars(told))
    return told


def _label(appeal: dict[str, Any], desk: _Desk) -> dict[str, Any]:
    """What an outcome says of the account; it never counts as a sample of a signature's errors."""
    decision = desk.decision(appeal["decision_id"])
    return {
        "label_id": f"appeal:{appeal['appeal_id']}",
        "subject_type": "account",
        "subject_id": decision["account_id"],
        "snapshot_sha256": decision["snapshot_sha256"],
        "label": "benign" if appeal["outcome"] == "overturned" else "abusive",
        "policy_id": decision["policy_id"],
        "role": decision["subject_role"],
        "source": "appeal",
        "reviewer": appeal["reviewer"],
        "labelled_at": appeal["decided_at"],
        "reason": appeal["reason_code"],
    }


def _retraction(changes: Changes, desk: _Desk, person: str) -> str | None:
    """Draft the reversal of what was overturned, under the rows as they are about to be."""
    if not desk.overturned:
        return None
    rows = current(pa.concat_tables([desk.ledger, *desk.moved]))
    chosen = [row for row in rows.to_pylist() if row["decision_id"] in set(desk.overturned)]
    frame = changes.engine.from_arrow(pa.Table.from_pylist(chosen, schema=DECISIONS.schema))
    made = draft(changes, frame, person, "overturned on appeal")
    return None if made is None else made.batch_id


def _read(path: Path, latest: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    if not path.is_file():
        raise InputError(f"{path} does not exist")
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if number > AT_ONCE:
                raise DataStop(f"{path.name} has more than {AT_ONCE} appeals: give it in parts")
            yield f"{path.name}, line {number}", _appeal(path.name, number, line, latest)


def _appeal(name: str, number: int, line: str, latest: datetime) -> dict[str, Any]:
    """A line of appeals.jsonl; raises DataStop for what is none."""
    place = f"{name}, line {number}"
    try:
        content = json.loads(line)
        strange = sorted(set(content) - set(FIELDS))
        appeal = {field: content.get(field) for field in FIELDS}
        for field in ("lodged_at", "decided_at"):
            if appeal[field] is not None:
                appeal[field] = datetime.fromisoformat(appeal[field])
    except (ValueError, TypeError, AttributeError):
        raise DataStop(f"{place}: is no appeal: write {', '.join(FIELDS)} as JSON") from None
    if strange:
        raise DataStop(
            f"{place}: an appeal has no {', '.join(strange)}: it has {', '.join(FIELDS)}"
        )
    wanted = ["appeal_id", "decision_id", "lodged_at"]
    if appeal["outcome"] is not None:
        wanted += ["reviewer", "decided_at"]
    absent = [field for field in wanted if not appeal[field]]
    if appeal["outcome"] not in (None, *OUTCOMES):
        raise DataStop(f"{place}: outcome must be one of {', '.join(OUTCOMES)}")
    if absent:
        raise DataStop(f"{place}: {', '.join(absent)} must be given")
    for field in ("lodged_at", "decided_at"):
        at = appeal[field]
        if at is not None and (at.tzinfo is None or at > latest):
            raise DataStop(f"{place}: {field} must have a zone and not be to come")
    return appeal
