"""Whatever is decided, delivered, received and appealed in whatever order: no rule is broken."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporters.audit import verify_log
from exporters.enforcement.guards import stops
from exporters.enforcement.rows import APPLY
from graph.engines.base import Engine
from graph.errors import ConfigError
from graph.frames import F
from jobs.batches.appealing import hear
from jobs.batches.approving import approve
from jobs.batches.exporting import Order, propose
from jobs.batches.figures import gather
from jobs.batches.receiving import receive
from jobs.batches.releasing import Voided, release
from jobs.batches.retracting import Chosen, retract
from jobs.enforcement_desk import Desk, Refused
from jobs.errors import DataStop, GuardStop
from jobs.places import audit_folder
from signatures.decisions import DECISIONS
from signatures.life_cycle import TransitionError, check_history, current, current_frame
from tests.exporters.enforcement.builders import key_pair
from tests.jobs.batches.sites import TODAY, Site, appeal_of, give_label, listed
from tests.signatures.label_rows import label

ACCOUNTS = ("a1", "a2", "a3")

STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("decide"),
            st.sampled_from(ACCOUNTS),
            st.sampled_from(["suspend", "limit_reach", "challenge"]),
            st.sampled_from(["actor", "target", "compromised"]),
        ),
        st.tuples(st.sampled_from(["export", "approve", "release", "receipts"])),
        st.tuples(st.just("deliver"), st.integers(0, 5), st.booleans()),
        st.tuples(
            st.just("appeal"),
            st.sampled_from(ACCOUNTS),
            st.sampled_from([None, "upheld", "overturned", "partial"]),
        ),
        st.tuples(st.just("retract"), st.sampled_from(ACCOUNTS)),
        st.tuples(st.sampled_from(["protect", "call_benign"]), st.sampled_from(ACCOUNTS)),
        st.tuples(st.just("cap"), st.integers(1, 3)),
    ),
    min_size=4,
    max_size=12,
)
START = [("decide", "a1", "suspend", "actor"), ("decide", "a2", "suspend", "actor"),
         ("export",), ("approve",), ("release",), ("deliver", 0, False), ("receipts",)]  # fmt: skip


class Life:
    """A site on which steps are made; what may not be is refused and changes nothing."""

    def __init__(self, folder: Path, keys: Path, engine: Engine) -> None:
        self.site = Site(folder, keys, engine, enforcement__caps__baseline_least=1000)
        self.desk = self.site.desk()
        self.number = 0
        self.protected: set[str] = set()
        self.benign: set[str] = set()
        self.most = 1000

    def step(self, name: str, *arguments: Any) -> None:
        with suppress(GuardStop, DataStop, ConfigError, Refused):
            getattr(self, name)(*arguments)

    def decide(self, account: str, action: str, role: str) -> None:
        with suppress(TransitionError):  # it may be decided on already
            self.site.decide([account], action=action, subject_role=role)

    def export(self) -> None:
        with self.site.changes() as changes:
            current_rows = current_frame(changes.ledger(DECISIONS))
            proposed = current_rows.filter(F.col("state") == "proposed")
            hits = stops(gather(changes, proposed, TODAY, "proposed"), self.site.config.enforcement)
            if hits:
                raise GuardStop("; ".join(map(str, hits)))
            propose(changes, Order(TODAY, proposed, APPLY, "requester", ["ids"]))
            changes.publish()

    def approve(self) -> None:
        for folder in sorted(self.site.store.proposed.glob("*-*")):
            if folder.is_dir():
                with self.site.changes() as changes:
                    try:
                        approve(
                            changes,
                            folder.name,
                            "lead_1",
                            key_pair("lead_1", self.site.keys),
                        )
                    except GuardStop:
                        continue
                    changes.publish()

    def release(self) -> None:
        for folder in sorted(self.site.store.proposed.glob("*-*")):
            if folder.is_dir():
                with self.site.changes() as changes:
                    try:
                        release(changes, folder.name, "releaser")
                    except Voided:
                        pass
                    except GuardStop:
                        continue
                    changes.publish()
                self.look_at(self.site.store.released / folder.name)

    def look_at(self, released: Path) -> None:
        """What was just let out breaks no rule of this moment."""
        if not released.is_dir():
            return  # it was void
        rows = [json.loads(line) for line in (released / "accounts.jsonl").open()]
        if rows[0]["operation"] == APPLY:
            assert len(rows) <= self.most
            assert not {row["account_id"] for row in rows} & self.protected
            by_rule = {row["account_id"] for row in rows if row["route"] == "calibrated"}
            assert not by_rule & self.benign

    def protect(self, account: str) -> None:
        self.protected = {account}
        listed(self.site, "protected_accounts", account_id=account)

    def call_benign(self, account: str) -> None:
        self.number += 1
        given = label(
            label_id=f"label-{self.number}",
            subject_id=account,
            label="benign",
            source="investigation",
            labelled_at=datetime.now(UTC),
        )
        give_label(self.site, given)
        self.benign.add(account)

    def cap(self, accounts: int) -> None:
        self.most = accounts
        self.site.settings["enforcement.caps.batch"] = accounts

    def deliver(self, which: int, fails: bool) -> None:
        self.desk.fails = lambda account: fails
        folders = sorted(p for p in self.site.store.released.glob("*-*") if p.is_dir())
        if folders:
            self.desk.import_batch(folders[which % len(folders)])

    def receipts(self) -> None:
        path = self.desk.write_receipts(self.site.folder / "receipts.jsonl")
        with self.site.changes() as changes:
            assert not receive(changes, path).refused
            changes.publish()

    def appeal(self, account: str, outcome: str | None) -> None:
        self.number += 1
        rows = current(self.site.ledger(DECISIONS)).to_pylist()
        mine = [row["decision_id"] for row in rows if row["account_id"] == account]
        if not mine:
            return
        given = appeal_of(mine[-1], outcome, appeal_id=f"appeal-{self.number}")
        path = self.site.folder / "appeals.jsonl"
        path.write_text(json.dumps(given) + "\n")
        with self.site.changes() as changes:
            hear(changes, path, "desk-lead")
            changes.publish()

    def retract(self, account: str) -> None:
        with self.site.changes() as changes:
            retract(changes, Chosen(accounts=[account]), "lead", "wrong")
            changes.publish()


@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, begun=st.booleans())
def test_no_sequence_of_events_breaks_a_rule(
    tmp_path_factory: pytest.TempPathFactory,
    keys: Path,
    duckdb_engine: Engine,
    steps: list[Any],
    begun: bool,
) -> None:
    folder = tmp_path_factory.mktemp("life")
    life = Life(folder, keys, duckdb_engine)
    for step in (START if begun else []) + steps:
        life.step(*step)
    check_history(life.site.ledger(DECISIONS))
    assert verify_log(audit_folder(life.site.home)) == []
    assert life.desk.most_times() <= 1
    for batch in life.site.store.released.glob("*-e*"):
        if batch.is_dir():
            rows = [json.loads(line) for line in (batch / "accounts.jsonl").open()]
            keys_ = [(row["account_id"], row["policy_id"]) for row in rows]
            assert len(set(keys_)) == len(keys_)
            assert {row["subject_role"] for row in rows} <= {"actor", "compromised"}
    life.desk.database.close()
    shutil.rmtree(folder)


@settings(max_examples=30)
@given(order=st.permutations(["e", "r", "e", "r", "e"]))
def test_a_retraction_wins_in_any_order_of_delivery(
    taken_back: tuple[Path, Path, Path], keys: Path, order: list[str]
) -> None:
    first, back, _ = taken_back
    desk = Desk(Path(":memory:"), keys / "approvers.yaml", now=datetime.now(UTC))
    for which in order:
        desk.import_batch(first if which == "e" else back)
    assert set(desk.in_force()) == {"a2", "a3"}
    assert desk.most_times() == 1


@pytest.fixture(scope="session")
def taken_back(
    tmp_path_factory: pytest.TempPathFactory,
    keys: Path,
    applied_home: Path,
    duckdb_engine: Engine,
) -> tuple[Path, Path, Path]:
    """A released batch, and the one that takes a row of it back."""
    folder = tmp_path_factory.mktemp("taken")
    shutil.copytree(applied_home, folder / "home")
    site = Site(folder, keys, duckdb_engine)
    with site.changes(after=timedelta(seconds=1)) as changes:
        made = retract(changes, Chosen(accounts=["a1"]), "lead", "wrong").made
        changes.publish()
    back = site.store.proposed / made.batch_id
    with site.changes(after=timedelta(seconds=1)) as changes:
        approve(changes, back.name, "lead_2", key_pair("lead_2", keys))
        changes.publish()
    with site.changes(after=timedelta(seconds=1)) as changes:
        release(changes, back.name, "releaser")
        changes.publish()
    (first,) = (path for path in site.store.released.glob("*-e1") if path.is_dir())
    return first, site.store.released / made.batch_id, site.home
