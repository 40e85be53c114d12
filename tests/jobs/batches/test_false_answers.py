"""Receipts and appeals that are forged, repeated, strange or too many."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from exporters.enforcement.ledgers import APPEALS
from exporters.enforcement.row_checks import key_of
from jobs.batches.receiving import NAMED
from signatures.decisions import DECISIONS
from tests.jobs.batches.sites import Site, appeal_of, decision_of


def receipt(site: Site, **changed: Any) -> dict[str, Any]:
    return {
        "idempotency_key": key_of(decision_of(site, "a1"), "apply"),
        "status": "applied",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "error": None,
        **changed,
    }


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"idempotency_key": "0" * 64}, "never released"),
        ({"idempotency_key": None}, "idempotency_key must be a text"),
        ({"status": "done"}, "status must be"),
        ({"at": "2099-01-01T00:00:00+00:00"}, "not be to come"),
        ({"at": "2026-11-22T00:00:00"}, "must have a zone"),
        ({"at": "2026-11-20T00:00:00Z"}, "line 1: at is before the batch of its row was made"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "is no receipt"),
        ({"error": "\ud800"}, "is no receipt"),
        ({"at": "yesterday"}, "is no receipt"),
        ({"sudo": True}, "has no sudo: it has idempotency_key, status, at, error"),
    ],
)
def test_a_strange_receipt_is_refused(
    applied: Site, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], word: str
) -> None:
    before = applied.ledger(DECISIONS).num_rows
    path = applied.folder / "receipts.jsonl"
    path.write_text(json.dumps(receipt(applied, **changed)) + "\n")
    applied.run("receipts", str(path), code=4)
    assert word in capsys.readouterr().err
    assert applied.ledger(DECISIONS).num_rows == before


def test_good_receipts_are_taken_though_other_lines_cannot_be(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a desk sends them: a cut line, another system's key, and one that is sent again mended."""
    site.decide(["a1", "a2", "a3"])
    released = site.release_all()
    keys = [json.loads(line)["idempotency_key"] for line in (released / "accounts.jsonl").open()]
    first, second, third = (json.dumps(receipt(site, idempotency_key=key)) for key in keys)
    other = json.dumps(receipt(site, idempotency_key="0" * 64))
    path = site.folder / "receipts.jsonl"
    lines = [first, second[:40], other, '{"at": "\udcff"}', "[" * 9_999, first, third, other, ""]
    path.write_bytes("\n".join(lines).encode(errors="surrogateescape"))
    site.run("receipts", str(path), code=4)
    told = capsys.readouterr()
    no_receipt = "is no receipt: write idempotency_key, status, at, error as JSON"
    unknown = "it is about a row never released"
    assert told.err.splitlines()[-6:] == [
        f"actorgraph export: receipts.jsonl, line 2: {no_receipt}",
        f"receipts.jsonl, line 3: {unknown}",
        f"receipts.jsonl, line 4: {no_receipt}",
        f"receipts.jsonl, line 5: {no_receipt}",
        f"receipts.jsonl, line 8: {unknown}",
        "the rest of the file was taken: mend what is named, and send it again",
    ]
    assert "3 receipts (1 known already): 2 applied, 0 failed" in told.out
    assert site.counted() == {"applied": 2, "released": 1}
    path.write_text(f"{first}\n{second}\n{third}\n")
    site.run("receipts", str(path))
    assert "3 receipts (2 known already): 1 applied" in capsys.readouterr().out
    assert site.counted() == {"applied": 3}


def test_of_many_lines_that_cannot_be_taken_the_first_are_named_and_the_others_counted(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    path = applied.folder / "receipts.jsonl"
    path.write_text("?\n" * (NAMED + 7))
    applied.run("receipts", str(path), code=4)
    told = capsys.readouterr().err
    assert told.count("is no receipt") == NAMED
    assert "receipts.jsonl: 7 more lines cannot be taken" in told


def test_a_receipt_for_what_was_only_approved_is_refused(site: Site) -> None:
    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    path = site.folder / "receipts.jsonl"
    path.write_text(json.dumps(receipt(site)) + "\n")
    site.run("receipts", str(path), code=4)
    assert site.counted() == {"approved": 1}


def test_a_receipt_for_a_reversal_that_has_not_left_is_refused(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a decision would be reversed in the ledger, and stand for its account."""
    name = decision_of(applied, "a1")
    applied.appeal(appeal_of(name, "overturned"))
    path = applied.folder / "receipts.jsonl"
    path.write_text(json.dumps(receipt(applied, idempotency_key=key_of(name, "reverse"))) + "\n")
    applied.run("receipts", str(path), code=4)
    assert "never released" in capsys.readouterr().err
    assert applied.states()["a1"] == "overturned"


def test_a_receipt_that_contradicts_an_earlier_one_is_told(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    path = applied.folder / "receipts.jsonl"
    path.write_text(json.dumps(receipt(applied, status="failed", error="locked")) + "\n")
    applied.run("receipts", str(path))
    assert "ALERT: 1 receipts contradict what is known" in capsys.readouterr().out
    assert applied.states()["a1"] == "applied"


def test_what_was_skipped_is_counted_apart_from_what_failed(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decide(["a1", "a2", "a3"])
    released = site.release_all()
    lines = [json.loads(line) for line in (released / "accounts.jsonl").open()]
    path = site.folder / "receipts.jsonl"
    at = datetime.now(UTC).isoformat()
    path.write_text(
        "".join(
            json.dumps({"idempotency_key": row["idempotency_key"], "status": status, "at": at})
            + "\n"
            for row, status in zip(lines, ("applied", "failed", "skipped"), strict=True)
        )
    )
    site.run("receipts", str(path))
    told = capsys.readouterr().out
    assert "3 receipts (0 known already): 1 applied, 1 failed, 1 skipped; of reversals 0" in told
    assert "ALERT" not in told
    assert site.counted() == {"applied": 1, "failed": 2}


def test_a_replayed_receipt_changes_nothing(applied: Site) -> None:
    path = applied.folder / "receipts.jsonl"
    applied.appeal(appeal_of(decision_of(applied, "a1"), "upheld"))
    before = applied.ledger(DECISIONS).num_rows
    path.write_text(json.dumps(receipt(applied)) + "\n" + json.dumps(receipt(applied)) + "\n")
    for _ in range(2):
        applied.run("receipts", str(path))
    assert applied.ledger(DECISIONS).num_rows == before
    assert applied.states()["a1"] == "upheld"


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"decision_id": "f" * 64}, "there is no decision"),
        ({"outcome": "won"}, "outcome must be one of"),
        ({"outcome": "overturned", "reviewer": None}, "reviewer, decided_at must be given"),
        (
            {"outcome": "overturned", "reviewer": "lead_1"},
            "lead_1 acted in this decision before",
        ),
        ({"outcome": "overturned", "reviewer": "requester"}, "requester acted in this decision"),
        ({"outcome": "overturned", "reviewer": "releaser"}, "releaser acted in this decision"),
        ({"lodged_at": "2099-01-01T00:00:00+00:00"}, "not be to come"),
        ({"lodged_at": None}, "lodged_at must be given"),
        ({"appeal_id": 7}, "appeal_id must be text"),
        (
            {
                "outcome": "upheld",
                "reviewer": "hearer",
                "lodged_at": "2026-11-24T10:00:00Z",
                "decided_at": "2026-11-24T09:00:00Z",
            },
            "decided_at is before lodged_at",
        ),
        (
            {"outcome": "upheld", "reviewer": "hearer", "decided_at": "2026-11-24T09:00:00Z"},
            "decided_at is before the decision was made",
        ),
        ({"note": "please"}, "an appeal has no note: it has appeal_id, decision_id, lodged_at"),
    ],
)
def test_a_strange_appeal_is_refused(
    applied: Site, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], word: str
) -> None:
    given = {**appeal_of(decision_of(applied, "a1")), **changed}
    if changed.get("reviewer") and "decided_at" not in changed:
        given["decided_at"] = datetime.now(UTC).isoformat()
    applied.appeal(given, code=4)
    assert word in capsys.readouterr().err
    assert applied.states()["a1"] == "applied"


def test_an_outcome_cannot_be_changed_afterwards(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    name = decision_of(applied, "a1")
    applied.appeal(appeal_of(name, "upheld"))
    applied.appeal(appeal_of(name, "overturned"), code=4)
    assert "an appeal cannot change" in capsys.readouterr().err
    assert applied.states()["a1"] == "upheld"


def test_a_second_appeal_is_heard_by_somebody_else(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    name = decision_of(applied, "a1")
    applied.appeal(appeal_of(name, "upheld"))
    applied.appeal(appeal_of(name, "upheld", appeal_id="second", reviewer="Hearer"), code=4)
    assert "Hearer acted in this decision before" in capsys.readouterr().err
    both = [appeal_of(name, "upheld", appeal_id=one, reviewer="other") for one in ("b", "c")]
    applied.appeal(*both, code=4)  # nor in one file
    assert "line 2: other acted in this decision before" in capsys.readouterr().err
    applied.appeal(appeal_of(name, "overturned", appeal_id="second", reviewer="third"))
    assert applied.states()["a1"] == "overturned"


def test_a_flood_of_appeals_against_one_decision_counts_once(applied: Site) -> None:
    name = decision_of(applied, "a1")
    applied.appeal(appeal_of(name))
    flood = [appeal_of(name, appeal_id=f"more-{number}") for number in range(3)]
    applied.appeal(*flood)
    applied.appeal(*[appeal_of(name)] * 50)
    assert applied.ledger(APPEALS).num_rows == 4
    states = [
        row["state"] for row in applied.ledger(DECISIONS).to_pylist() if row["decision_id"] == name
    ]
    assert states.count("appealed") == 1


def test_overturned_appeals_hold_further_releases(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.decide(["b1"])
    batch = applied.export()
    assert batch is not None
    applied.approve(batch, "lead_1")
    for account in ("a1", "a2"):
        applied.appeal(appeal_of(decision_of(applied, account), "overturned"))
    assert "ALERT: releases wait: guard overturn hold: 2 of 2" in capsys.readouterr().out
    applied.release(batch, code=6)
    assert "guard overturn hold: 2 of 2 appeals overturned" in capsys.readouterr().err
    assert applied.states()["b1"] == "approved"


def test_a_cleared_account_is_not_taken_again_by_a_program(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.appeal(appeal_of(decision_of(applied, "a1"), "overturned"))
    applied.decide(["a1"], policy_id="spam")
    assert applied.export(code=6) is None
    assert "guard cleared: 1 accounts" in capsys.readouterr().err
