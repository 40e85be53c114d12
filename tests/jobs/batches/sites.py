"""A small site for tests: decisions in its ledger, approvers with keys, and an enforcement desk."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from graph.build import NODES
from graph.engines.base import Engine
from graph.ledger import read_ledger
from graph.tables import Table
from jobs import export_enforcement, hold_subjects, manage_exports
from jobs.batches.changes import Changes, changing
from jobs.batches.store import Store
from jobs.configuration import load
from jobs.enforcement_desk import Desk
from signatures.calibration import CALIBRATION
from signatures.decisions import DECISIONS
from signatures.frozen_evidence import FrozenEvidence
from signatures.labels import LABELS
from signatures.life_cycle import current, opened
from signatures.snapshots import SNAPSHOTS
from tests.exporters.enforcement.builders import SIGNATURE, approvers_file, entity, key_pair
from tests.jobs.batches.warehouses import publish, publish_calibration
from tests.ledger_rows import append_to_ledger

TODAY = datetime.now(UTC).date()
SNAPSHOT = "5" * 64
ACTIVE = [{"node_type": "account", "node_id": f"user-{number}"} for number in range(1000)]
"""The accounts of a graph of last month, of which a share may be acted on at once."""

PEOPLE = ("lead_1", "lead_2", "lead_3")


class Site:
    """A home with decisions, and the commands that people run there."""

    def __init__(self, folder: Path, keys: Path, engine: Engine, **settings: Any) -> None:
        self.engine = engine
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.keys = keys
        self.approvers = approvers_file(keys, PEOPLE)
        key = folder / "key"
        key.touch(0o600)
        key.write_bytes(b"k" * 32)
        if not (self.home / "warehouse" / NODES.name).exists():
            publish(self.home, NODES, TODAY - timedelta(days=30), ACTIVE)
            self.measure(0.995)
        self.settings = {
            "home": str(self.home),
            "enforcement.environment": "production",
            "enforcement.approvers": str(self.approvers),
            "enforcement.key_file": str(key),
            "enforcement.caps.population": 1.0,
            **{name.replace("__", "."): value for name, value in settings.items()},
        }

    def measure(
        self, low: float, days_ago: int = 30, low_in_de: float | None = None, **changed: Any
    ) -> None:
        """Publish the only calibration, of the signature that decisions name."""
        shutil.rmtree(self.home / "warehouse" / CALIBRATION.name, ignore_errors=True)
        day = TODAY - timedelta(days=days_ago)
        publish_calibration(self.home, SIGNATURE, day, low, low_in_de, **changed)

    @property
    def arguments(self) -> list[str]:
        pairs = [f"{name}={json.dumps(value)}" for name, value in self.settings.items()]
        return [word for pair in pairs for word in ("--set", pair)]

    @property
    def config(self) -> Any:
        return load([], self.arguments[1::2], {})

    @contextmanager
    def changes(self, after: timedelta = timedelta()) -> Iterator[Changes]:
        """A command's changes, as of later than now."""
        with changing(self.config, "test", datetime.now(UTC) + after, self.engine) as changes:
            yield changes

    def decide(self, accounts: Iterable[str], **changed: Any) -> list[str]:
        """Let scoring propose these accounts; returns the ids of the decisions."""
        at = datetime.now(UTC) - timedelta(seconds=1)
        names = list(accounts)
        made = {
            "network_id": "n1",
            "snapshot_sha256": SNAPSHOT,
            "route": "calibrated",
            "action": "suspend",
            "duration_s": None,
            "policy_id": "inauthentic_accounts",
            "subject_role": "actor",
            "signature_ids": [SIGNATURE],
            "market": "de",
            "ds": TODAY,
            "state": "proposed",
            "reason": "because",
            **changed,
        }
        by = "reviewers" if made["route"] == "investigated" else "scoring"
        actor = changed.pop("actor", "score-networks")
        made.pop("actor", None)
        rows = opened(
            [{**made, "account_id": name} for name in names],
            self.ledger(DECISIONS),
            by=by,
            at=at,
            actor=actor,
        )
        append_to_ledger(self.home, DECISIONS, rows, "scoring")
        self._freeze_evidence(names, made["snapshot_sha256"], made["network_id"])
        found: list[str] = rows.column("decision_id").to_pylist()
        return found

    def _freeze_evidence(self, names: list[str], snapshot: str, network: str) -> None:
        known = set(self.ledger(SNAPSHOTS).column("account_id").to_pylist())
        evidence = FrozenEvidence(
            [
                entity(),
                entity(trace="co_device", family="device", entity_type="device", entity_id="d1"),
            ],
            ["posts at its own hours"],
        )
        rows = [
            {
                "snapshot_sha256": snapshot,
                "account_id": name,
                "network_id": network,
                "ds": TODAY,
                "role": "actor",
                "is_core": True,
                "evidence": replace(evidence).text(),
            }
            for name in names
            if name not in known
        ]
        append_to_ledger(
            self.home, SNAPSHOTS, pa.Table.from_pylist(rows, SNAPSHOTS.schema), "scoring"
        )

    def ledger(self, table: Table) -> pa.Table:
        return read_ledger(self.home, table)

    def states(self) -> dict[str, str]:
        """The state of the latest decision against each account."""
        rows = current(self.ledger(DECISIONS)).to_pylist()
        rows.sort(key=lambda row: (row["episode"], row["state_at"]))
        return {row["account_id"]: row["state"] for row in rows}

    def counted(self) -> dict[str, int]:
        return dict(Counter(self.states().values()))

    def export(self, *more: str, code: int = 0) -> Path | None:
        """Run export-enforcement; returns the new batch's folder."""
        before = set(self.store.proposed.glob("*-*"))
        arguments = ["--ds", str(TODAY), "--as", "requester", *self.arguments, *more]
        assert export_enforcement.main(arguments, self.engine) == code
        new = {p for p in self.store.proposed.glob("*-*") if p.is_dir()} - before
        return next(iter(new), None)

    def run(self, command: str, *arguments: str, code: int = 0) -> None:
        """Run `actorgraph export COMMAND`."""
        more = [] if command == "verify" else self.arguments
        assert manage_exports.main([command, *arguments, *more], self.engine) == code

    def approve(self, batch: Path, *people: str, code: int = 0) -> None:
        for name in people:
            key = key_pair(name, self.keys)
            self.run("approve", batch.name, "--key", str(key), "--as", name, code=code)

    def release(self, batch: Path, code: int = 0) -> Path:
        self.run("release", batch.name, "--as", "releaser", code=code)
        return self.store.released / batch.name

    def release_all(self, *more: str) -> Path:
        """Export, approve and release what is proposed."""
        batch = self.export(*more)
        assert batch is not None
        self.approve(batch, "lead_1")
        return self.release(batch)

    @property
    def store(self) -> Store:
        return Store(self.home)

    def desk(self, name: str = "desk") -> Desk:
        return Desk(self.folder / f"{name}.sqlite", self.approvers)

    def receipts(self, desk: Desk, code: int = 0) -> None:
        path = desk.write_receipts(self.folder / "receipts.jsonl")
        self.run("receipts", str(path), code=code)

    def appeal(self, *appeals: dict[str, Any], code: int = 0) -> None:
        path = self.folder / "appeals.jsonl"
        path.write_text("".join(json.dumps(each) + "\n" for each in appeals))
        self.run("appeals", str(path), "--as", "desk-lead", code=code)


def appeal_of(decision_id: str, outcome: str | None = None, **changed: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "appeal_id": f"appeal-{decision_id[:8]}",
        "decision_id": decision_id,
        "lodged_at": "2026-11-23T10:00:00+00:00",
        "outcome": outcome,
        "reason_code": "not me",
        "reviewer": None if outcome is None else "hearer",
        "decided_at": None if outcome is None else at,
        **changed,
    }


def decision_of(site: Site, account: str) -> str:
    rows = site.ledger(DECISIONS).to_pylist()
    return next(row["decision_id"] for row in rows if row["account_id"] == account)


def listed(site: Site, name: str, **entry: str) -> None:
    """Put one entry on a list of the site."""
    row = {
        "reason": "newsroom",
        "added_by": "clerk",
        "approved_by": "lead",
        "added_at": str(TODAY),
        "expires_at": str(TODAY + timedelta(days=90)),
        **entry,
    }
    path = site.folder / f"{name}.csv"
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(row))
        table.writeheader()
        table.writerow(row)
    site.settings[f"inputs.{name}.path"] = str(path)
    site.settings[f"inputs.{name}.format"] = "csv"


def give_label(site: Site, label: dict[str, Any]) -> None:
    """Put a reviewer's label into the ledger."""
    rows = pa.Table.from_pylist([label], schema=LABELS.schema)
    append_to_ledger(site.home, LABELS, rows, label["label_id"])


def hold(site: Site, action: str, subject: str, code: int = 0, reason: str = "court") -> None:
    """Run `actorgraph legal-hold`."""
    more = ["--reason", reason, *site.arguments]
    assert hold_subjects.main([action, subject, *more], site.engine) == code
