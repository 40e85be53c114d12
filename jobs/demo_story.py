"""The end of the demo: a network is judged, its accounts are acted on, one of them wins an appeal.

Everything is real but the people: their keys are made on the spot, and the enforcement desk is the
reference importer.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from exporters.enforcement.approvals import read_approvers
from exporters.enforcement.verify import verify_batch
from graph.config import Config
from graph.engines.base import Engine
from graph.ledger import read_ledger
from jobs import export_enforcement, score_networks
from jobs.batches.appealing import hear
from jobs.batches.approving import approve
from jobs.batches.changes import Changes, changing
from jobs.batches.receiving import receive
from jobs.batches.releasing import release
from jobs.batches.store import Store
from jobs.configuration import load
from jobs.enforcement_desk import Desk
from jobs.errors import DONE
from jobs.files import make_private
from signatures.decisions import DECISIONS
from signatures.labels import LABELS
from signatures.life_cycle import current

REVIEWERS = ("demo-reviewer-1", "demo-reviewer-2")
REQUESTER, APPROVERS, RELEASER = "demo-requester", ("demo-approver-1", "demo-approver-2"), "demo"


def configure(home: Path, log: Path) -> Path:
    """Write the demo's settings, those of its log among them, and the people's keys.

    Returns the file: whatever is run with it afterwards judges as the demo does.
    """
    people = _people(home)
    settings = {
        "home": str(home.absolute()),
        "signatures": {"live": ["all"]},
        "enforcement": {
            "environment": "demo",
            "approvers": str(_approvers(people).absolute()),
            "key_file": str(_key(people).absolute()),
            # A demo has so few accounts that one network is more than the usual share of them.
            "caps": {"population": 0.2},
        },
    }
    path = home / "config.yaml"
    lines = [f"{name}: {json.dumps(each)}\n" for name, each in settings.items()]
    text = (log / "config.yaml").read_text(encoding="utf-8")
    path.write_text("".join([text, *lines]), encoding="utf-8")
    return path


def demo_settings(home: Path, config_file: Path) -> list[str]:
    """What commands on the demo's data are given; places too, as the environment may set them."""
    return ["--config", str(config_file), "--set", f"home={home}", "--set", "warehouse=none"]


def tell(home: Path, config_file: Path, ds: date, engine: Engine | None = None) -> Iterator[str]:
    """Play the story under the demo's home, a line for each step; `config_file` is `configure`'s.

    `engine` is an embedded one that is open already and stays open.
    """
    story = _Story(home, config_file, ds, engine)
    network = story.judge()
    if network is None:
        yield "No network was put before reviewers: nothing is proposed, and nobody is acted on."
        return
    yield f"1. Two reviewers call network {network} abusive: its actors may be acted on."
    batch = story.export()
    rows = len((batch / "accounts.jsonl").read_text(encoding="utf-8").splitlines())
    yield f"2. Batch {batch.name} proposes {rows} accounts, with evidence, in six formats."
    yield f"3. Before it is approved, verify says: {story.verify(batch)}"
    yield f"4. {story.approve(batch)} sign it with SSH keys; who asked or reviewed may not."
    released = story.release(batch)
    yield f"5. It is released for environment demo, and verify says: {story.verify(released)}"
    yield f"6. The desk imports it, twice: {story.deliver(released)} accounts are restricted, once."
    yield f"7. Its receipts come back: {story.receipts()} decisions are applied."
    account = story.appeal()
    yield f"8. Account {account} appeals; a third reviewer overturns, so a retraction is drafted."
    back = story.take_back()
    yield f"9. Retraction {back.name} is approved, released and imported: {story.left()} remain."
    yield f"10. Of account {account} the ledger tells: {' > '.join(story.life(account))}."


class _Story:
    def __init__(self, home: Path, config_file: Path, ds: date, engine: Engine | None) -> None:
        self.home, self.ds, self.engine = home, ds, engine
        self.folder, self.config_file = _people(home), config_file
        self.store = Store(home.absolute())
        desk = self.folder / "desk.sqlite"
        desk.unlink(missing_ok=True)
        self.desk = Desk(desk, self.folder / "approvers.yaml", allow_demo=True)

    def judge(self) -> str | None:
        """Let two reviewers judge the network with most accounts in review; returns its id."""
        waiting = [
            (row["snapshot_sha256"], row["network_id"], row["policy_id"])
            for row in current(read_ledger(self.home, DECISIONS)).to_pylist()
            if row["state"] == "in_review"
        ]
        if not waiting:
            return None
        counts = Counter(waiting)
        chosen = min(counts, key=lambda network: (-counts[network], network))
        with self._changes() as changes:
            changes.rows(LABELS, [self._verdict(chosen, name, changes) for name in REVIEWERS])
            changes.publish()
        if score_networks.main(self._arguments(), self.engine) != DONE:
            return None
        return str(chosen[1])

    def _verdict(
        self, chosen: tuple[str, str, str], reviewer: str, changes: Changes
    ) -> dict[str, Any]:
        snapshot, network, policy = chosen
        return {
            "label_id": f"{snapshot[:16]}-{reviewer}-{changes.now:%Y%m%d%H%M%S}",
            "subject_type": "network",
            "subject_id": network,
            "snapshot_sha256": snapshot,
            "label": "abusive",
            "policy_id": policy,
            "source": "investigation",
            "reviewer": reviewer,
            "labelled_at": changes.now,
            "reason": "the members act as one",
        }

    def export(self) -> Path:
        """Make the batch; returns its folder."""
        names = ("stix", "stix-internal", "dsa", "signals", "ids", "disclosure")
        formats = [word for name in names for word in ("--format", name)]
        order = [*self._arguments(), "--as", REQUESTER, *formats]
        code = export_enforcement.main(order, self.engine)
        if code != DONE:
            raise RuntimeError("the demo's batch was not made; its log says why")
        return self._proposed("e")

    def verify(self, batch: Path) -> str:
        """What verify says of a batch."""
        approvers = read_approvers(self.folder / "approvers.yaml")
        problems = verify_batch(batch, approvers, datetime.now(UTC), allow_demo=True).problems
        return problems[0] if problems else "may be imported"

    def approve(self, batch: Path) -> str:
        """Approve a batch with as many people as it needs; returns their names."""
        for name in APPROVERS:
            with self._changes() as changes:
                found = approve(changes, batch.name, name, self.folder / name)
                changes.publish()
            if found.complete:
                break
        return " and ".join(found.names)

    def release(self, batch: Path) -> Path:
        """Release a batch; returns its folder."""
        with self._changes() as changes:
            found = release(changes, batch.name, RELEASER)
            changes.publish()
        return self.store.released / found.batch_id

    def deliver(self, batch: Path) -> int:
        """Import a batch twice; returns the number of accounts with an action."""
        for _ in range(2):
            self.desk.import_batch(batch)
        return self.left()

    def left(self) -> int:
        """Accounts with an action."""
        return len(self.desk.in_force())

    def receipts(self) -> int:
        """Take the desk's receipts in; returns the number of decisions that they applied."""
        path = self.desk.write_receipts(self.folder / "receipts.jsonl")
        with self._changes() as changes:
            found = receive(changes, path)
            changes.publish()
        return found.applied

    def appeal(self) -> str:
        """Let the first account appeal and win; returns its id."""
        rows = current(read_ledger(self.home, DECISIONS)).to_pylist()
        applied = [row for row in rows if row["state"] == "applied"]
        chosen = min(applied, key=lambda row: str(row["account_id"]))
        at = datetime.now(UTC).isoformat(timespec="seconds")
        appeal = {
            "appeal_id": f"demo-appeal-{chosen['decision_id'][:16]}",
            "decision_id": chosen["decision_id"],
            "lodged_at": at,
            "outcome": "overturned",
            "reason_code": "own_device_was_stolen",
            "reviewer": "demo-reviewer-3",
            "decided_at": at,
        }
        path = self.folder / "appeals.jsonl"
        path.write_text(json.dumps(appeal) + "\n", encoding="utf-8")
        with self._changes() as changes:
            hear(changes, path, REQUESTER)
            changes.publish()
        return str(chosen["account_id"])

    def take_back(self) -> Path:
        """Approve, release and import the retraction, and take its receipts in."""
        back = self._proposed("r")
        self.approve(back)
        released = self.release(back)
        self.desk.import_batch(released)
        self.receipts()
        return released

    def life(self, account: str) -> list[str]:
        """The states of an account's decision, one after the other."""
        rows = read_ledger(self.home, DECISIONS, pc.field("account_id") == account).to_pylist()
        reversed_ = {row["decision_id"] for row in rows if row["state"] == "reversed"}
        mine = [row for row in rows if row["decision_id"] in reversed_]
        return [row["state"] for row in sorted(mine, key=lambda row: int(row["number"]))]

    def _proposed(self, kind: str) -> Path:
        folders = [path for path in self.store.proposed.glob(f"*-{kind}*") if path.is_dir()]
        return max(folders, key=lambda path: path.stat().st_mtime_ns)

    def _config(self) -> Config:
        return load([self.config_file], [f"home={self.home}"])

    def _changes(self) -> Any:
        return changing(self._config(), "demo", engine=self.engine)

    def _arguments(self) -> list[str]:
        return ["--ds", str(self.ds), *demo_settings(self.home, self.config_file)]


def _people(home: Path) -> Path:
    folder = home / "people"
    make_private(folder)
    return folder


def _approvers(folder: Path) -> Path:
    """Make keys for the approvers, and the file that names them."""
    lines = ["needed:", "  - {accounts: 0, approvers: 1}", "  - {accounts: 10, approvers: 2}"]
    lines.append("approvers:")
    for name in APPROVERS:
        key = folder / name
        if not key.exists():
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)]
            subprocess.run(make, check=True)
        public = key.with_suffix(".pub").read_text(encoding="utf-8").strip()
        lines.append(
            f"  - {{name: {name}, role: approver, markets: [all], valid_to: 2099-12-31, "
            f"key: {public}}}"
        )
    path = folder / "approvers.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _key(folder: Path) -> Path:
    path = folder / "hmac.key"
    if not path.exists():
        path.touch(0o600)
        path.write_bytes(b"a key for demos, not for secrets")
    return path
