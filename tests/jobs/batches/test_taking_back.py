"""Retractions after anything that may have happened meanwhile: failures, appeals, other sites."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exporters.enforcement.ledgers import APPEALS
from jobs import show_status
from jobs.batches.reversals import open_reversals, reversals
from signatures.decisions import DECISIONS
from signatures.labels import LABELS
from signatures.life_cycle import check_history, current, moved
from tests.exporters.enforcement.builders import key_pair
from tests.jobs.batches.sites import Site, appeal_of, decision_of
from tests.ledger_rows import append_to_ledger


def taken_back(site: Site, *order: str, by: str = "lead", code: int = 0) -> Path | None:
    """Order a reversal; returns its folder."""
    before = set(site.store.proposed.glob("*-r*"))
    site.run("retract", *order, "--reason", "a newsroom", "--as", by, code=code)
    new = {path for path in site.store.proposed.glob("*-r*") if path.is_dir()} - before
    return next(iter(new), None)


def let_out(site: Site, batch: Path | None) -> Path:
    assert batch is not None
    site.approve(batch, "lead_2")
    return site.release(batch)


def rows(batch: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (batch / "accounts.jsonl").open()]


def answered(site: Site, batch: Path, status: str) -> None:
    """Give receipts of one status for all rows of a batch."""
    path = site.folder / "answers.jsonl"
    at = datetime.now(UTC).isoformat()
    keys = [row["idempotency_key"] for row in rows(batch)]
    lines = [{"idempotency_key": key, "status": status, "at": at, "error": "busy"} for key in keys]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    site.run("receipts", str(path))


def test_a_reversal_is_for_the_importers_that_had_the_batch(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the settings are today: a desk refuses a batch of another environment."""
    desk = applied.desk()
    (first,) = (path for path in applied.store.released.glob("*-e1") if path.is_dir())
    desk.import_batch(first)
    applied.settings["enforcement.environment"] = "shadow"
    key = ["--key", str(key_pair("lead_2", applied.keys)), "--approver", "lead_2"]
    taken_back(applied, "--account", "a1", *key)
    assert "may be imported" in capsys.readouterr().out
    (back,) = (path for path in applied.store.released.glob("*-r1") if path.is_dir())
    assert json.loads((back / "manifest.json").read_text())["environment"] == "production"
    desk.import_batch(back)
    assert set(desk.in_force()) == {"a2", "a3"}


def test_what_left_in_two_environments_is_taken_back_in_two_orders(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.settings["enforcement.environment"] = "demo"
    applied.decide(["b1"])
    demo = applied.release_all()
    assert taken_back(applied, "--network", "n1", code=2) is None
    assert "left in batches of demo and production" in capsys.readouterr().err
    assert applied.states()["a1"] == "applied"
    back = let_out(applied, taken_back(applied, "--batch", demo.name))
    assert json.loads((back / "manifest.json").read_text())["environment"] == "demo"


def test_who_orders_and_signs_at_once_is_told_before_anything_is_written(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    key = ["--key", str(key_pair("lead_2", applied.keys)), "--approver", "lead_2"]
    assert taken_back(applied, "--account", "a1", *key, by="lead_2", code=2) is None
    assert "who orders cannot approve" in capsys.readouterr().err
    assert not list(applied.store.proposed.glob("*-r*"))


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_a_reversal_that_failed_stays_open_until_it_is_carried_out(
    applied: Site, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    back = let_out(applied, taken_back(applied, "--account", "a1"))
    answered(applied, back, status)
    told = capsys.readouterr().out
    assert "of reversals 0 carried out, 1 not" in told
    assert f"ALERT: 1 reversals failed or were skipped, of {back.name}" in told
    assert show_status.main(applied.arguments) == 0
    assert f"ALERT: 1 reversals failed or were skipped, of {back.name}" in capsys.readouterr().out
    again = let_out(applied, taken_back(applied, "--account", "a1"))
    assert [row["idempotency_key"] for row in rows(again)] == [
        row["idempotency_key"] for row in rows(back)
    ]
    answered(applied, again, "applied")
    told = capsys.readouterr().out
    assert "of reversals 1 carried out, 0 not" in told
    assert "ALERT" not in told
    check_history(applied.ledger(DECISIONS))


def test_the_same_reversal_may_be_imported_again(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    back = let_out(applied, taken_back(applied, "--account", "a1"))
    answered(applied, back, "failed")
    answered(applied, back, "already")
    assert "ALERT" not in capsys.readouterr().out.splitlines()[-1]


def test_a_reversal_without_a_receipt_is_told_of_after_a_day(applied: Site) -> None:
    back = let_out(applied, taken_back(applied, "--account", "a1"))
    now, due = datetime.now(UTC), timedelta(hours=24)
    assert open_reversals(applied.home, now, due) == []
    (line,) = open_reversals(applied.home, now + timedelta(hours=25), due)
    assert line.startswith(f"1 reversals have no receipt after 1d, of {back.name}")


def test_a_retraction_reaches_what_failed_and_ends_it(site: Site) -> None:
    """Other formats left with it, and its importers may have acted."""
    site.decide(["a1", "a2"])
    desk = site.desk()
    desk.fails = lambda account: account == "a1"
    desk.import_batch(site.release_all("--format", "stix"))
    site.receipts(desk)
    assert site.states() == {"a1": "failed", "a2": "applied"}
    back = let_out(site, taken_back(site, "--network", "n1"))
    assert [row["account_id"] for row in rows(back)] == ["a1", "a2"]
    assert site.states() == {"a1": "rejected", "a2": "reversed"}
    assert site.export("--retry-failed") is None
    desk.import_batch(back)
    site.receipts(desk)
    assert desk.in_force() == {}
    check_history(site.ledger(DECISIONS))


def test_a_retraction_reaches_what_is_being_tried_again(site: Site) -> None:
    site.decide(["a1"])
    desk = site.desk()
    desk.fails = lambda account: True
    desk.import_batch(site.release_all())
    site.receipts(desk)
    again = site.export("--retry-failed")
    assert again is not None
    site.approve(again, "lead_1")
    let_out(site, taken_back(site, "--account", "a1"))
    assert site.states() == {"a1": "rejected"}
    site.release(again, code=6)


def test_what_left_again_on_new_evidence_is_taken_back_again(site: Site) -> None:
    site.decide(["a1"])
    desk = site.desk()
    desk.fails = lambda account: True
    desk.import_batch(site.release_all())
    site.receipts(desk)
    let_out(site, taken_back(site, "--account", "a1"))
    again = moved(
        current(site.ledger(DECISIONS)),
        "proposed",
        by="new_evidence",
        at=datetime.now(UTC),
        actor="score-networks",
        reason="another device",
    )
    append_to_ledger(site.home, DECISIONS, again, "scoring")
    site.release_all()
    let_out(site, taken_back(site, "--account", "a1"))
    assert site.states() == {"a1": "reversed"}


def test_all_that_stands_against_an_account_goes_by_one_command(site: Site) -> None:
    """A batch has an account once under a policy, so this takes two."""
    desk = site.desk()
    for action in ("challenge", "suspend"):
        site.decide(["a1"], action=action)
        desk.import_batch(site.release_all())
        site.receipts(desk)
    key = ["--key", str(key_pair("lead_2", site.keys)), "--approver", "lead_2"]
    taken_back(site, "--account", "a1", *key)
    rows_now = current(site.ledger(DECISIONS)).to_pylist()
    assert {row["action"]: row["state"] for row in rows_now} == {
        "challenge": "reversed",
        "suspend": "reversed",
    }


def test_an_order_that_waits_or_is_out_is_not_made_again(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    back = taken_back(applied, "--account", "a1")
    assert taken_back(applied, "--account", "a1", code=2) is None
    assert f"waits in {back.name if back else ''} already" in capsys.readouterr().err
    let_out(applied, back)
    assert taken_back(applied, "--account", "a1", code=2) is None
    assert "was taken back by" in capsys.readouterr().err


def test_somebody_elses_order_takes_the_place_of_one_that_its_orderer_alone_could_approve(
    applied: Site,
) -> None:
    first = taken_back(applied, "--account", "a1", by="lead_2")
    second = taken_back(applied, "--account", "a1", by="lead")
    assert first is not None and second is not None
    applied.approve(first, "lead_1", code=6)  # it is void
    let_out(applied, second)
    assert applied.states()["a1"] == "reversed"


def test_an_appeal_that_waits_is_ended_by_a_retraction_and_heard_by_nobody_who_acted(
    applied: Site,
) -> None:
    name = decision_of(applied, "a1")
    applied.appeal(appeal_of(name))
    back = taken_back(applied, "--account", "a1")
    assert back is not None
    applied.approve(back, "lead_1")  # who approved the suspension
    back = applied.release(back)
    (row,) = (row for row in applied.ledger(DECISIONS).to_pylist() if row["state"] == "overturned")
    assert row["actor"] == "retraction"
    assert row["reason"] == f"taken back by {back.name} before the appeal was heard: a newsroom"
    assert taken_back(applied, "--account", "a1", code=2) is None
    answered(applied, back, "applied")
    assert applied.states()["a1"] == "reversed"


@pytest.mark.parametrize(
    ("outcome", "labels"), [("upheld", []), ("overturned", ["benign"]), ("partial", [])]
)
def test_such_an_appeal_is_heard_and_says_nothing_against_the_account(
    applied: Site, outcome: str, labels: list[str]
) -> None:
    """What it upholds was taken back: the outcome is kept, and nobody is called abusive by it."""
    name = decision_of(applied, "a1")
    applied.appeal(appeal_of(name))
    let_out(applied, taken_back(applied, "--account", "a1"))
    applied.appeal(appeal_of(name, outcome, reviewer="lead_1"), code=4)  # who acted before
    applied.appeal(appeal_of(name, outcome))
    assert [row["label"] for row in applied.ledger(LABELS).to_pylist()] == labels
    assert [row["outcome"] for row in applied.ledger(APPEALS).to_pylist()] == [None, outcome]
    states = [
        row["state"] for row in applied.ledger(DECISIONS).to_pylist() if row["decision_id"] == name
    ]
    assert states[-1] == "overturned"  # the order stands
    assert reversals(applied.home).num_rows == 1  # and nothing more is drafted
    check_history(applied.ledger(DECISIONS))


def test_of_two_outcomes_in_one_file_the_second_upholds_nothing_that_the_first_overturned(
    applied: Site,
) -> None:
    name = decision_of(applied, "a1")
    applied.appeal(
        appeal_of(name, "overturned"),
        appeal_of(name, "upheld", appeal_id="second", reviewer="other"),
    )
    assert [row["label"] for row in applied.ledger(LABELS).to_pylist()] == ["benign"]


def test_what_a_reviewer_proposed_on_appeal_leaves_after_the_reversal_was_carried_out(
    applied: Site,
) -> None:
    """The reviewer saw the outcome; its receipt says nothing new of the account."""
    applied.appeal(appeal_of(decision_of(applied, "a1"), "partial"))
    (draft,) = (path for path in applied.store.proposed.glob("*-r*") if path.is_dir())
    answered(applied, let_out(applied, draft), "applied")
    batch = applied.export()
    assert batch is not None
    assert [(row["account_id"], row["action"]) for row in rows(batch)] == [("a1", "limit_reach")]


def test_guards_about_accounts_name_them_to_people_and_keep_no_names(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    let_out(applied, taken_back(applied, "--network", "n1"))
    applied.decide(["a1", "a2", "a3"], policy_id="spam")
    assert applied.export(code=6) is None
    told = capsys.readouterr().err
    assert "guard cleared: 3 accounts, limit 0" in told
    assert "--to-review REASON" in told
    assert "account a1, a2, a3" in told
    (manifest,) = (applied.home / "warehouse" / "runs").rglob("export_enforcement.json")
    assert "guard cleared: 3 accounts, limit 0" in manifest.read_text()
    assert "a1, a2" not in manifest.read_text()
    assert applied.export("--to-review", "cleared") is None
    assert applied.counted() == {"in_review": 3}
