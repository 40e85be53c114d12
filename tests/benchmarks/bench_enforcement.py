"""A million accounts from the ledger to an approved and verified batch in all formats.

`python -m tests.benchmarks.bench_enforcement --accounts 1_000_000` prints seconds and memory of
export, approve and release, and what verify takes against `sha256sum` of the same files.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table as Shown

from exporters.enforcement.formats import FORMATS
from graph.build import NODES
from graph.tables import Table
from signatures.decisions import DECISIONS
from signatures.frozen_evidence import FrozenEvidence
from signatures.life_cycle import decision_id
from signatures.snapshots import SNAPSHOTS
from tests.benchmarks.measure import measure
from tests.exporters.enforcement.builders import SIGNATURE, approvers_file, entity, key_pair
from tests.jobs.batches.warehouses import publish, publish_calibration

TODAY = datetime.now(UTC).date()
A_NETWORK = 50
A_BATCH = 50_000
MEMORY_MIB = 1536
TIMES_SHA256SUM = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    accounts = parser.parse_args().accounts
    with tempfile.TemporaryDirectory(prefix="actorgraph-bench-") as folder:
        return run(Path(folder), accounts)


def run(folder: Path, accounts: int) -> int:
    arguments = prepare(folder, accounts)
    python = [sys.executable, "-m"]
    many = [word for each in FORMATS for word in ("--format", each.name)]
    shown = Shown("step", "seconds", "peak MiB", title=f"{accounts:,} accounts, all formats")
    peaks = []

    def timed(name: str, *command: str) -> float:
        found = measure(command)
        peaks.append(found.peak_mib)
        shown.add_row(name, f"{found.seconds:.1f}", f"{found.peak_mib:.0f}")
        return found.seconds

    export = [*python, "jobs.export_enforcement", "--ds", str(TODAY), "--as", "requester"]
    timed("export-enforcement", *export, *many, *arguments)
    (batch,) = (path for path in (folder / "home/batches/proposed").iterdir() if path.is_dir())
    manage = [*python, "jobs.manage_exports"]
    key = str(folder / "lead_1")
    timed("approve", *manage, "approve", batch.name, "--key", key, "--as", "lead_1", *arguments)
    timed("release", *manage, "release", batch.name, "--as", "releaser", *arguments)
    released = folder / "home/batches/released" / batch.name
    timed("sha256sum, files cold", "sh", "-c", f"cd {released} && sha256sum --quiet -c SHA256SUMS")
    plain = timed("sha256sum", "sh", "-c", f"cd {released} && sha256sum --quiet -c SHA256SUMS")
    approvers = str(folder / "approvers.yaml")
    verify = timed("verify", *manage, "verify", str(released), "--approvers", approvers)
    size = sum(path.stat().st_size for path in released.rglob("*")) / 2**20
    Console().print(shown)
    times = verify / plain
    sys.stdout.write(f"{size:.0f} MiB; verify takes {times:.2f} times as long as sha256sum\n")
    good = max(peaks) <= MEMORY_MIB and times <= TIMES_SHA256SUM
    sys.stdout.write("within limits\n" if good else "ABOVE LIMITS\n")
    return 0 if good else 1


def prepare(folder: Path, accounts: int) -> list[str]:
    """Write the ledgers of so many proposals, keys and approvers; returns the settings."""
    home = folder / "home"
    for table, rows in ((DECISIONS, decisions(accounts)), (SNAPSHOTS, snapshots(accounts))):
        write_ledger(home, table, rows)
    approvers_file(folder, ["lead_1"])
    key_pair("lead_1", folder)
    key = folder / "key"
    key.touch(0o600)
    key.write_bytes(b"k" * 32)
    active = ({"node_type": "account", "node_id": account} for account, _, _ in names(accounts))
    publish(home, NODES, TODAY, list(active))
    publish_calibration(home, SIGNATURE, TODAY, 0.995)
    cap = 10 * accounts
    settings = {
        "home": home,
        "enforcement.environment": "production",
        "enforcement.approvers": folder / "approvers.yaml",
        "enforcement.key_file": key,
        "enforcement.staged_from": cap,
        **{f"enforcement.caps.{name}": cap for name in ("batch", "signature", "market")},
        "enforcement.caps.baseline_least": cap,
        "enforcement.caps.population": 1.0,
    }
    return [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]


def write_ledger(home: Path, table: Table, rows: Iterator[dict[str, object]]) -> None:
    folder = home / "ledger" / table.name / "00000001-bench"
    folder.mkdir(parents=True)
    with pq.ParquetWriter(folder / "part-00000.parquet", table.schema, compression="zstd") as file:
        waiting = []
        for row in rows:
            waiting.append(row)
            if len(waiting) == A_BATCH:
                file.write_table(pa.Table.from_pylist(waiting, schema=table.schema))
                waiting = []
        file.write_table(pa.Table.from_pylist(waiting, schema=table.schema))


def names(accounts: int) -> Iterator[tuple[str, str, str]]:
    """Account, network and snapshot of each decision."""
    for number in range(accounts):
        network = number // A_NETWORK
        yield f"user-{number:09d}", f"network-{network:07d}", f"{network:064x}"


def decisions(accounts: int) -> Iterator[dict[str, object]]:
    at = datetime.now(UTC)
    for account, network, snapshot in names(accounts):
        yield {
            "decision_id": decision_id(account, "inauthentic_accounts", "suspend", 1),
            "number": 1,
            "account_id": account,
            "network_id": network,
            "snapshot_sha256": snapshot,
            "route": "calibrated",
            "action": "suspend",
            "duration_s": 2_592_000,
            "policy_id": "inauthentic_accounts",
            "episode": 1,
            "subject_role": "actor",
            "signature_ids": [SIGNATURE],
            "market": "de",
            "ds": TODAY,
            "state": "proposed",
            "state_at": at,
            "actor": "score-networks",
            "reason": "because",
        }


def snapshots(accounts: int) -> Iterator[dict[str, object]]:
    for number, (account, network, snapshot) in enumerate(names(accounts)):
        shared = [
            entity(entity_id=f"{number // 7:064x}"),
            entity(
                trace="co_device",
                family="device",
                entity_type="device",
                entity_id=f"d{number // 9}",
            ),
            entity(trace="co_ip", family="network", entity_type="ip", entity_id="203.0.113.7"),
        ]  # fmt: skip
        yield {
            "snapshot_sha256": snapshot,
            "account_id": account,
            "network_id": network,
            "ds": TODAY,
            "role": "actor",
            "is_core": True,
            "evidence": FrozenEvidence(shared, ["posts at its own hours"]).text(),
        }


if __name__ == "__main__":
    sys.exit(main())
