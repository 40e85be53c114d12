"""What failed and is tried again: by the desk itself, or in another batch."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exporters.enforcement.row_checks import key_of
from graph.enforced_entities import ENFORCED_ENTITIES
from signatures.decisions import DECISIONS
from signatures.life_cycle import check_history
from tests.jobs.batches.sites import Site, appeal_of


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.open()]


def test_a_failure_is_tried_again_under_the_same_key(site: Site) -> None:
    site.decide(["a1", "a2"])
    desk = site.desk()
    desk.fails = lambda account: account == "a1"
    first = site.release_all()
    desk.import_batch(first)
    site.receipts(desk)
    assert site.states() == {"a1": "failed", "a2": "applied"}
    assert site.export() is None
    desk.fails = lambda account: False
    again = site.release_all("--retry-failed")
    keys = [row["idempotency_key"] for row in rows(again / "accounts.jsonl")]
    assert keys == [
        row["idempotency_key"]
        for row in rows(first / "accounts.jsonl")
        if row["account_id"] == "a1"
    ]
    desk.import_batch(again)
    site.receipts(desk)
    assert site.counted() == {"applied": 2}
    assert desk.most_times() == 1


def test_a_later_try_of_the_same_batch_that_worked_counts(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """The desk tries again by itself; the person can appeal against what it did."""
    (name,) = site.decide(["a1"])
    desk = site.desk()
    desk.fails = lambda account: True
    batch = site.release_all()
    desk.import_batch(batch)
    site.receipts(desk)
    desk.fails = lambda account: False
    desk.import_batch(batch)
    site.receipts(desk)
    told = capsys.readouterr().out
    assert "1 receipts (0 known already): 1 applied" in told
    assert "ALERT" not in told
    assert site.states() == {"a1": "applied"}
    assert {row["account_id"] for row in site.ledger(ENFORCED_ENTITIES).to_pylist()} == {"a1"}
    check_history(site.ledger(DECISIONS))
    site.appeal(appeal_of(name))
    assert site.states() == {"a1": "appealed"}


def test_a_try_that_worked_counts_once_what_is_proposed_again_has_left(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decide(["a1"])
    desk = site.desk()
    desk.fails = lambda account: True
    batch = site.release_all()
    desk.import_batch(batch)
    site.receipts(desk)
    again = site.export("--retry-failed")
    assert again is not None
    desk.fails = lambda account: False
    desk.import_batch(batch)
    site.receipts(desk)
    told = capsys.readouterr().out
    assert "1 that had failed were carried out on a later try" in told
    assert "ALERT" not in told
    assert site.states() == {"a1": "proposed"}
    site.approve(again, "lead_1")
    desk.import_batch(site.release(again))
    site.receipts(desk)
    assert "1 receipts (1 known already): 1 applied" in capsys.readouterr().out
    assert site.states() == {"a1": "applied"}


def test_what_failed_after_it_was_applied_stays_a_contradiction(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (name,) = site.decide(["a1"])
    site.release_all()
    now = datetime.now(UTC)
    path = site.folder / "receipts.jsonl"
    for status, at in (("failed", now), ("applied", now - timedelta(seconds=2))):
        line = {"idempotency_key": key_of(name, "apply"), "status": status, "at": at.isoformat()}
        path.write_text(json.dumps(line) + "\n")
        site.run("receipts", str(path))
    assert "ALERT: 1 receipts contradict what is known" in capsys.readouterr().out
    assert site.states() == {"a1": "failed"}


def test_a_retraction_reaches_the_formats_of_a_first_try_that_failed(site: Site) -> None:
    site.decide(["a1"])
    desk = site.desk()
    desk.fails = lambda account: True
    desk.import_batch(site.release_all("--format", "dsa"))
    site.receipts(desk)
    desk.fails = lambda account: False
    desk.import_batch(site.release_all("--retry-failed"))
    site.receipts(desk)
    site.run("retract", "--account", "a1", "--reason", "wrong", "--as", "lead")
    (back,) = (path for path in site.store.proposed.glob("*-r1") if path.is_dir())
    assert (back / "dsa_corrections-00001.json").exists()
