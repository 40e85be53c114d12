"""A whole batch, written in one pass over its decisions: memory holds one network at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exporters.enforcement.fields import ACCOUNTS, EVIDENCE, NETWORKS, SCHEMA_VERSION
from exporters.enforcement.files import BatchFiles, batch_files, write_manifest, write_sums
from exporters.enforcement.formats import Carried, Format, FormatWriter
from exporters.enforcement.rows import Decided, NetworkRow, RowMaker, iso


@dataclass
class Counts:
    """How many accounts a batch has, by what guards and readers of manifests ask for."""

    rows: int = 0
    by: dict[str, Counter[str]] = field(
        default_factory=lambda: {
            "action": Counter(),
            "policy": Counter(),
            "market": Counter(),
            "signature": Counter(),
            "network": Counter(),
        }
    )
    reviewers: set[str] = field(default_factory=set)

    def add(self, account: Mapping[str, Any]) -> None:
        """Count an account's row."""
        self.rows += 1
        self.by["action"][account["action"]] += 1
        self.by["policy"][account["policy_id"]] += 1
        self.by["market"][account["market"] or ""] += 1
        self.by["network"][account["network_id"]] += 1
        for signature in account["signature_ids"]:
            self.by["signature"][signature] += 1
        if account["reviewer"]:
            self.reviewers.update(account["reviewer"].split(", "))

    def shown(self) -> dict[str, Any]:
        """What the manifest says; networks have a file of their own."""
        told = {
            name: dict(sorted(self.by[name].items())) for name in ("action", "policy", "market")
        }
        return {"rows": self.rows, "networks": len(self.by["network"]), **told}


@dataclass(frozen=True)
class Written:
    """A written batch: its manifest, and the SHA-256 of its SHA256SUMS, which approvals sign."""

    manifest: dict[str, Any]
    sums_sha256: str


def write_batch(
    folder: Path,
    maker: RowMaker,
    decisions: Iterable[Decided],
    formats: Sequence[Format],
    particulars: Mapping[str, Any],
    reviewers: Collection[str] = (),
) -> Written:
    """Write all files of a batch into an empty folder.

    `decisions` come network by network, those that stand after those that leave. `particulars` are
    the parts of the manifest that neither the rows nor `maker` tell; `reviewers` are those who
    judged networks of the batch without proposing anything.
    """
    counts = Counts()
    with batch_files(folder) as files:
        others = [each.open(folder, maker) for each in formats]
        _write_rows(files, maker, decisions, others, counts)
        entries = [entry for other in others for entry in other.close()]
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "batch_id": maker.batch_id,
        "operation": maker.operation,
        "created_at": iso(maker.created_at),
        "valid_until": iso(maker.valid_until),
        "formats": [each.name for each in formats],
        "files": sorted(files.entries() + entries, key=lambda entry: str(entry["name"])),
        "counts": counts.shown(),
        "reviewers": sorted(counts.reviewers.union(reviewers)),
        **particulars,
    }
    write_manifest(folder, manifest)
    return Written(manifest, write_sums(folder, manifest["files"]))


def _write_rows(
    files: BatchFiles,
    maker: RowMaker,
    decisions: Iterable[Decided],
    others: Sequence[FormatWriter],
    counts: Counts,
) -> None:
    network: NetworkRow | None = None
    for decided in decisions:
        name = decided.row["network_id"]
        if network is None or network.network_id != name:
            _end_network(files, maker, network, others)
            network = NetworkRow(name, decided.members)
        if decided.stands:
            for other in others:
                other.keep(decided)
            continue
        account = maker.account(decided, counts.rows + 1)
        evidence = list(maker.evidence(decided))
        files.add(ACCOUNTS, account)
        for row in evidence:
            files.add(EVIDENCE, row)
        network.add(decided, account, maker)
        counts.add(account)
        for other in others:
            other.add(Carried(decided, account, evidence))
    _end_network(files, maker, network, others)


def _end_network(
    files: BatchFiles,
    maker: RowMaker,
    network: NetworkRow | None,
    others: Sequence[FormatWriter],
) -> None:
    if network is None:
        return
    row = network.row(maker)
    files.add(NETWORKS, row)
    for other in others:
        other.end_network(row)
