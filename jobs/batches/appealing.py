"""Appeals: what people object to, how it was decided, and the retraction that follows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from exporters.enforcement.ledgers import APPEALS
from exporters.enforcement.rows import OVERTURNED, PARTIAL
from graph.people import person_key
from jobs.batches.appeal_lines import read_appeals
from jobs.batches.appeal_moves import moves
from jobs.batches.changes import Changes
from jobs.batches.hearers import who_acted
from jobs.batches.receipt_lines import AHEAD
from jobs.batches.retracting import draft, not_taken_back
from jobs.batches.standing import IN_FORCE
from jobs.errors import DataStop
from signatures.decisions import DECISIONS
from signatures.labels import LABELS
from signatures.ladder import LADDER
from signatures.life_cycle import TransitionError, current, opened

UNDER_WAY = ("proposed", "approved", *IN_FORCE)
"""States of a decision that need no second one of the same action."""


@dataclass(frozen=True)
class Heard:
    """What a file of appeals did; `refused` says of each line that was not taken why."""

    lodged: int
    decided: int
    overturned: int
    partial: int
    lighter: int
    repeated: int
    refused: Sequence[str]
    retraction: str | None


class _Desk:
    """The appeals of a file, one after the other, on the decisions that they are about."""

    def __init__(self, changes: Changes, names: Sequence[str]) -> None:
        self._changes = changes
        self.ledger = _of_their_accounts(changes, names)
        rows = self.ledger.to_pylist()
        self._now: dict[str, dict[str, Any]] = {
            row["decision_id"]: row for row in current(self.ledger).to_pylist()
        }
        self._left = {row["decision_id"] for row in rows if row["state"] == "released"}
        self._began = {row["decision_id"]: row["state_at"] for row in rows if row["number"] == 1}
        self._stands = not_taken_back(changes, names)
        self._acted = who_acted(changes, self.ledger)
        self._steps: dict[tuple[str, str], dict[str, Any]] = {}
        for row in changes.engine.to_arrow(changes.ledger(APPEALS)).to_pylist():
            self._remember(row)
        self.moved: list[pa.Table] = []
        self.appeals: list[dict[str, Any]] = []
        self.labels: list[dict[str, Any]] = []
        self.overturned: dict[str, str] = {}  # the outcome by decision
        self.lighter = 0
        self.repeated = 0

    def hear(self, appeal: dict[str, Any]) -> None:
        """Take one line; raises DataStop, and changes nothing, for one that cannot be."""
        name = appeal["decision_id"]
        if name not in self._now:
            raise DataStop(f"there is no decision {name}")
        if name not in self._left:
            raise DataStop(f"decision {name} was never released: nothing was done to the account")
        lodged = self._is_new(appeal, "lodged", ("decision_id", "lodged_at"))
        decided = appeal["outcome"] is not None and self._is_new(
            appeal, "decided", ("decision_id", "outcome", "reviewer", "decided_at")
        )
        if decided:
            self._check_outcome(appeal)
        if not lodged and not decided:
            self.repeated += 1
        if lodged:
            self._follow(appeal, None)
            self._keep(appeal, "lodged")
        if decided:
            self._decide(appeal)

    def decision(self, decision_id: str) -> dict[str, Any]:
        """The current row of a decision."""
        return self._now[decision_id]

    def _check_outcome(self, appeal: Mapping[str, Any]) -> None:
        decision = self._now[appeal["decision_id"]]
        if person_key(appeal["reviewer"]) in self._acted[decision["decision_id"]]:
            raise DataStop(
                f"{appeal['reviewer']} acted in this decision before, or judged its account or "
                "network, so somebody else must hear the appeal"
            )
        if appeal["decided_at"] < self._began[decision["decision_id"]] - AHEAD:
            raise DataStop("decided_at is before the decision was made")
        if appeal["outcome"] == PARTIAL and decision["action"] not in LADDER[1:]:
            raise DataStop(
                f"no action is lighter than {decision['action']}: the outcome is upheld or "
                "overturned"
            )
        others = (self._now[name] for name in self.overturned if name != decision["decision_id"])
        same = ("account_id", "policy_id")  # a batch has one row of them
        if appeal["outcome"] in (OVERTURNED, PARTIAL) and any(
            all(other[key] == decision[key] for key in same) for other in others
        ):
            raise DataStop(
                "another decision against its account was overturned in this file, under the same "
                "policy: send this line again in the next one"
            )

    def _decide(self, appeal: dict[str, Any]) -> None:
        decision = self._now[appeal["decision_id"]]
        name, outcome = decision["decision_id"], appeal["outcome"]
        stands = name in self._stands - self.overturned.keys()
        self._follow(appeal, outcome)
        # Nothing upholds what was taken back: the outcome is kept, and speaks for the account only.
        if stands or outcome == OVERTURNED:
            self.labels.append(_label(appeal, decision))
        lighter_id = None
        if stands and outcome in (OVERTURNED, PARTIAL):
            self.overturned[name] = outcome
            if outcome == PARTIAL and decision["state"] in IN_FORCE:
                lighter_id = self._lighter(decision, appeal["reviewer"])
        self._keep(appeal, "decided", lighter_id)

    def _lighter(self, decision: dict[str, Any], reviewer: str) -> str | None:
        """Begin the decision with the next lighter action that can begin; returns its id.

        One that was decided on before cannot; if it is under way, it takes the place as it is.
        """
        same = ("account_id", "policy_id", "episode")
        states = {
            row["action"]: row["state"]
            for row in self._now.values()
            if all(row[key] == decision[key] for key in same)
        }
        for action in reversed(LADDER[: LADDER.index(decision["action"])]):
            if states.get(action) in UNDER_WAY:
                return None
            row = {
                **decision,
                "action": action,
                "route": "investigated",
                "state": "proposed",
                "reason": f"partly upheld on appeal, instead of {decision['action']}",
            }
            at = self._changes.now
            try:
                made = opened([row], self.ledger, by="partial", at=at, actor=reviewer)
            except TransitionError:
                continue
            self.moved.append(made)
            self.lighter += 1
            return str(made.column("decision_id")[0])
        return None

    def _follow(self, appeal: Mapping[str, Any], outcome: str | None) -> None:
        decision = self._now[appeal["decision_id"]]
        for row in moves(decision, appeal, outcome, self._changes.now):
            self.moved.append(row)
            self._now[decision["decision_id"]] = row.to_pylist()[0]

    def _keep(self, appeal: dict[str, Any], step: str, lighter_id: str | None = None) -> None:
        decision = self._now[appeal["decision_id"]]
        row = {
            **appeal,
            "step": step,
            "lighter_id": lighter_id,
            **{name: decision[name] for name in ("batch_id", "network_id", "signature_ids")},
        }
        if step == "lodged":
            row |= {"outcome": None, "reviewer": None, "decided_at": None}
        self._remember(row)
        self.appeals.append(row)

    def _remember(self, row: dict[str, Any]) -> None:
        self._steps[row["appeal_id"], row["step"]] = row
        if row["step"] == "decided":
            self._acted[row["decision_id"]].add(person_key(row["reviewer"]))

    def _is_new(self, appeal: dict[str, Any], step: str, names: tuple[str, ...]) -> bool:
        """Whether a step was not taken before; raises DataStop for one that was taken otherwise."""
        before = self._steps.get((appeal["appeal_id"], step))
        if before is None:
            return True
        for name in names:
            if before[name] != appeal[name]:
                raise DataStop(
                    f"appeal {appeal['appeal_id']} had {name} {before[name]}, now "
                    f"{appeal[name]}: an appeal cannot change"
                )
        return False


def hear(changes: Changes, path: Path, person: str) -> Heard:
    """Stage what a file of appeals tells, and the retraction of what was overturned.

    A line that is malformed or that cannot be is told of, and the others are taken.
    """
    given = list(read_appeals(path, changes.now + AHEAD))
    names = {line["decision_id"] for _, line in given if not isinstance(line, DataStop)}
    desk = _Desk(changes, sorted(names))
    refused = []
    for place, line in given:
        try:
            if isinstance(line, DataStop):
                raise line
            desk.hear(line)
        except DataStop as refusal:
            refused.append(f"{place}: {refusal}")
    for rows in desk.moved:
        changes.append(DECISIONS, changes.engine.from_arrow(rows))
    changes.rows(APPEALS, desk.appeals)
    changes.rows(LABELS, desk.labels)
    steps = [row["step"] for row in desk.appeals]
    told = Heard(
        lodged=steps.count("lodged"),
        decided=steps.count("decided"),
        overturned=len(desk.overturned),
        partial=list(desk.overturned.values()).count(PARTIAL),
        lighter=desk.lighter,
        repeated=desk.repeated,
        refused=refused,
        retraction=_retraction(changes, desk, person),
    )
    if desk.appeals or refused:
        changes.audit("appeals", person, asdict(told) | {"refused": len(refused)})
    return told


def _of_their_accounts(changes: Changes, names: Sequence[str]) -> pa.Table:
    """All rows of the accounts that decisions are about: other decisions of theirs count, too."""
    ledger = changes.ledger(DECISIONS)
    ids = changes.engine.from_arrow(pa.table({"decision_id": pa.array(names, pa.string())}))
    accounts = ledger.join(ids, on="decision_id", how="left_semi").select("account_id")
    mine = ledger.join(accounts.distinct(), on="account_id", how="left_semi")
    return changes.engine.to_arrow(mine.select(*DECISIONS.columns)).cast(DECISIONS.schema)


def _label(appeal: Mapping[str, Any], decision: Mapping[str, Any]) -> dict[str, Any]:
    """What an outcome says of the account; it never counts as a sample of a signature's errors."""
    return {
        "label_id": f"appeal:{appeal['appeal_id']}",
        "subject_type": "account",
        "subject_id": decision["account_id"],
        "snapshot_sha256": decision["snapshot_sha256"],
        "label": "benign" if appeal["outcome"] == OVERTURNED else "abusive",
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
    chosen = [desk.decision(name) for name in desk.overturned]
    frame = changes.engine.from_arrow(pa.Table.from_pylist(chosen, schema=DECISIONS.schema))
    made = draft(changes, frame, person, "decided on appeal", outcomes=desk.overturned)
    return None if made is None else made.batch_id
