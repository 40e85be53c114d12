"""Drawing accounts of a network that is too large for rules alone, for two reviewers to judge."""

from __future__ import annotations

import sys

import pyarrow.compute as pc

from graph.frames import DataFrame, F
from graph.ledger import read_ledger
from graph.networks import NETWORKS
from jobs.errors import ConfigError
from jobs.published_days import PublishedDays
from jobs.runtime import Run
from jobs.samples import REVIEW, to_fill_in, write_blank_labels
from signatures.acceptance import ACCEPTANCE_LOTS, Lot, drawn_from, lot_accounts, sample_size
from signatures.inclusions import INCLUSIONS
from signatures.snapshots import SNAPSHOTS


def draw_lot(run: Run, network: str) -> None:
    """Draw a network's sample, append its lot to the ledger, and write the labels to be filled in.

    Raises ConfigError where the network needs no sample, or a sample would let nobody through.
    """
    named = F.col("network_id") == network
    sizes = run.engine.to_arrow(run.read(NETWORKS).filter(named).select("accounts")).to_pylist()
    most = run.config.proposals.max_accounts
    if not sizes:
        raise ConfigError(f"--draw-network: {run.ds} has no network {network}")
    if sizes[0]["accounts"] <= most:
        raise ConfigError(
            f"--draw-network: {network} has {sizes[0]['accounts']} accounts, and up to "
            f"proposals.max_accounts ({most}) none is sampled"
        )
    judged = run.read(INCLUSIONS).filter(named & F.col("signature_id").isNotNull())
    facts = judged.select("signature_id", "declared_action").limit(1)
    for told in run.engine.to_arrow(facts).to_pylist():
        _draw(run, network, told["signature_id"], told["declared_action"])
        return
    raise ConfigError(f"--draw-network: no signature of abuse names {network}")


def _draw(run: Run, network: str, signature: str, action: str) -> None:
    days = PublishedDays(run.engine, run.config, run.home, run.read)
    snapshot = days.frozen({run.ds: {network}})
    name: str = snapshot.column("snapshot_sha256")[0].as_py()
    lot = Lot(run.ds, network, name, signature, dict(run.config.proposals.floors)[action])
    with run.step("draw network") as step:
        accounts = run.engine.materialize(lot_accounts(run.read(INCLUSIONS), lot), "lot")
        size = accounts.count()
        if not size:
            raise ConfigError(
                f"--draw-network: all accounts of {network} are kept out by more than its size, so "
                f"no sample lets any through; `actorgraph explain {network}` tells why"
            )
        count = sample_size(size, lot.floor)
        rows = run.engine.materialize(drawn_from(accounts, count), "drawn lot")
        step.rows = count
    known = read_ledger(run.home, ACCEPTANCE_LOTS, pc.field("sample_id") == lot.sample_id)
    if not known.num_rows:
        run.append(SNAPSHOTS, run.engine.from_arrow(days.not_in_ledger(snapshot)))
        run.append(ACCEPTANCE_LOTS, rows)
    if not run.arguments.dry_run:
        _write(run, lot, rows.filter(F.col("drawn")), count / size)


def _write(run: Run, lot: Lot, drawn: DataFrame, probability: float) -> None:
    """Write the labels; they judge the lot alone, and measure no precision."""
    about = {
        "sample_id": lot.sample_id,
        "subject_type": "account",
        "network_id": lot.network_id,
        "sampling_probability": probability,
        "reviews": 2,
    }
    names = run.engine.to_arrow(drawn.select("account_id"))["account_id"].to_pylist()
    rows = [{**about, "subject_id": each} for each in sorted(names)]
    told = {"source": "investigation", "snapshot_sha256": lot.snapshot_sha256}
    files = write_blank_labels(run.home / REVIEW, lot.sample_id, rows, told)
    sys.stdout.write(f"{to_fill_in(rows, files)}\n")
