"""Appeals: nobody's is lost, nobody who acted hears it, and what it gives arrives as meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exporters.enforcement.ledgers import APPEALS
from jobs import freeze_releases
from jobs.batches.receiving import expire
from signatures.decisions import DECISIONS
from signatures.labels import LABELS
from signatures.life_cycle import check_history, current, moved
from tests.exporters.enforcement.builders import SIGNATURE, key_pair
from tests.jobs.batches.sites import Site, appeal_of, decision_of, give_label
from tests.ledger_rows import append_to_ledger
from tests.signatures.label_rows import label


def rows(batch: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (batch / "accounts.jsonl").open()]


def retraction(site: Site) -> Path:
    (back,) = (path for path in site.store.proposed.glob("*-r*") if path.is_dir())
    return back


def let_out(site: Site, back: Path) -> Path:
    site.approve(back, "lead_2")
    return site.release(back)


def answered(site: Site, batch: Path) -> None:
    """Give receipts that all rows of a batch were carried out."""
    path = site.folder / "answers.jsonl"
    at = datetime.now(UTC).isoformat()
    keys = [row["idempotency_key"] for row in rows(batch)]
    lines = [{"idempotency_key": key, "status": "applied", "at": at} for key in keys]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    site.run("receipts", str(path))


def actions(site: Site, account: str) -> dict[str, str]:
    return {
        row["action"]: row["state"]
        for row in current(site.ledger(DECISIONS)).to_pylist()
        if row["account_id"] == account
    }


def test_a_restriction_that_ran_out_can_be_appealed_and_clears_the_account(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (name,) = site.decide(["a1"], duration_s=1)
    answered(site, site.release_all())
    with site.changes(after=timedelta(seconds=2)) as changes:
        expire(changes)
        changes.publish()
    assert site.states() == {"a1": "expired"}
    site.appeal(appeal_of(name, "overturned"))
    assert site.states() == {"a1": "expired"}  # the table has no way from there
    assert rows(retraction(site))[0]["account_id"] == "a1"  # other formats are corrected
    assert [row["outcome"] for row in site.ledger(APPEALS).to_pylist()] == [None, "overturned"]
    site.decide(["a1"], policy_id="spam")
    assert site.export(code=6) is None
    assert "guard cleared: 1 accounts" in capsys.readouterr().err


def test_an_appeal_that_comes_before_the_receipt_is_followed_once_it_is_there(site: Site) -> None:
    ids = site.decide(["a1", "a2", "a3"])
    batch = site.release_all()
    site.appeal(appeal_of(ids[0]), appeal_of(ids[1], "overturned"), appeal_of(ids[2], "upheld"))
    assert site.counted() == {"released": 3}
    assert [row["account_id"] for row in rows(retraction(site))] == ["a2"]
    answered(site, batch)
    assert site.states() == {"a1": "appealed", "a2": "overturned", "a3": "upheld"}
    answered(site, let_out(site, retraction(site)))
    assert site.states()["a2"] == "reversed"
    check_history(site.ledger(DECISIONS))


def test_a_line_that_cannot_be_taken_does_not_hold_up_the_others(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (waiting,) = applied.decide(["b1"])
    applied.appeal(
        appeal_of(waiting),
        appeal_of(decision_of(applied, "a1"), "upheld", reviewer="lead_1"),
        appeal_of(decision_of(applied, "a2"), "overturned"),
        code=4,
    )
    told = capsys.readouterr()
    assert "line 1: decision" in told.err and "was never released" in told.err
    assert "line 2: lead_1 acted in this decision before" in told.err
    assert "the rest of the file was taken: mend what is named" in told.err
    assert "1 appeals lodged, 1 decided, 1 overturned" in told.out
    assert applied.states() == {
        "a1": "applied", "a2": "overturned", "a3": "applied", "b1": "proposed",
    }  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        {"subject_id": "a1"},
        {"subject_type": "network", "subject_id": "n1"},
        {"subject_type": "network", "subject_id": "n9", "snapshot_sha256": "5" * 64},
    ],
)
def test_who_judged_the_account_or_its_network_does_not_hear_its_appeal(
    applied: Site, capsys: pytest.CaptureFixture[str], said: dict[str, str]
) -> None:
    give_label(applied, label(**{"label": "abusive", "reviewer": "rev1", **said}))
    name = decision_of(applied, "a1")
    applied.appeal(appeal_of(name, "upheld", reviewer="Rev1"), code=4)
    assert "Rev1 acted in this decision before, or judged its account" in capsys.readouterr().err
    applied.appeal(appeal_of(name, "upheld"))


def test_who_heard_one_account_may_hear_another_of_the_network(applied: Site) -> None:
    applied.appeal(appeal_of(decision_of(applied, "a1"), "upheld"))
    applied.appeal(appeal_of(decision_of(applied, "a2"), "overturned"))
    assert applied.states() == {"a1": "upheld", "a2": "overturned", "a3": "applied"}


def test_partly_upheld_is_a_lighter_action_that_one_person_decided(applied: Site) -> None:
    applied.appeal(appeal_of(decision_of(applied, "a1"), "partial"))
    assert actions(applied, "a1") == {"suspend": "overturned", "limit_reach": "proposed"}
    back = retraction(applied)
    (row,) = rows(back)
    assert row["reason_text"].endswith("on appeal, a lighter action was found to be enough.")
    answered(applied, let_out(applied, back))
    batch = applied.export("--format", "dsa")
    assert batch is not None
    (row,) = rows(batch)
    assert (row["action"], row["reviewer"]) == ("limit_reach", "hearer")
    assert row["automated_decision"] == "not_automated"
    assert row["reason_text"].startswith("On appeal, this lighter action was decided on")
    (statement,) = json.loads((batch / "dsa_statements-00001.json").read_text())["statements"]
    assert "A person who had no part in it before" in statement["decision_facts"]
    assert "Two people" not in statement["decision_facts"]


def test_the_lighter_action_leaves_after_the_heavier_one_is_gone(applied: Site) -> None:
    """So that no order of delivery lifts it, or leaves both."""
    desk = applied.desk()
    (first,) = (path for path in applied.store.released.glob("*-e1") if path.is_dir())
    desk.import_batch(first)
    applied.appeal(appeal_of(decision_of(applied, "a1"), "partial"))
    assert applied.export() is None
    back = let_out(applied, retraction(applied))
    assert applied.export() is None
    desk.import_batch(back)
    assert "a1" not in desk.in_force()
    applied.receipts(desk)
    lighter = applied.release_all()
    for batch in (lighter, back, first, lighter):
        desk.import_batch(batch)
    assert desk.in_force()["a1"] == "limit_reach"


@pytest.mark.parametrize(
    "decided",
    [
        {"action": "challenge"},
        {
            "action": "secure_account",
            "subject_role": "compromised",
            "policy_id": "account_security",
        },
    ],
)
def test_nothing_is_lighter_than_the_lightest(
    site: Site, capsys: pytest.CaptureFixture[str], decided: dict[str, str]
) -> None:
    (name,) = site.decide(["a1"], **decided)
    answered(site, site.release_all())
    site.appeal(appeal_of(name, "partial"), code=4)
    assert f"no action is lighter than {decided['action']}" in capsys.readouterr().err
    assert site.states() == {"a1": "applied"}
    assert site.ledger(LABELS).num_rows == 0


def test_a_lighter_action_that_was_given_up_before_makes_room_for_the_next(site: Site) -> None:
    site.decide(["a1"], action="limit_reach")
    gone = moved(
        current(site.ledger(DECISIONS)),
        "superseded",
        by="other_action",
        at=datetime.now(UTC),
        actor="score-networks",
        reason="another action",
    )
    append_to_ledger(site.home, DECISIONS, gone, "scoring")
    (name,) = site.decide(["a1"], action="suspend")
    answered(site, site.release_all())
    site.appeal(appeal_of(name, "partial"))
    assert actions(site, "a1") == {
        "limit_reach": "superseded", "suspend": "overturned", "remove_engagement": "proposed",
    }  # fmt: skip


def test_the_hold_of_appeals_does_not_hold_what_they_led_to(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    for account in ("a1", "a2"):
        applied.appeal(appeal_of(decision_of(applied, account), "partial"))
        answered(applied, let_out(applied, retraction(applied)))
    assert "ALERT: releases wait: guard overturn hold" in capsys.readouterr().out
    assert {row["action"] for row in rows(applied.release_all())} == {"limit_reach"}
    applied.decide(["b1"])
    assert applied.export(code=6) is None


def test_an_approver_lifts_the_hold_and_appeals_count_anew(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    for account in ("a1", "a2"):
        applied.appeal(appeal_of(decision_of(applied, account), "overturned"))
    applied.decide(["b1"])
    assert applied.export(code=6) is None
    assert "approver may lift it by `actorgraph unfreeze --network n1`" in capsys.readouterr().err
    why = ["--reason", "two stolen devices, all looked at", *applied.arguments]
    for scope in (["--network", "n1"], ["--signature", SIGNATURE]):
        assert freeze_releases.unfreeze([*scope, *why, "--as", "clerk"], applied.engine) == 2
        assert applied.export(code=6) is None
        assert freeze_releases.unfreeze([*scope, *why, "--as", "lead_3"], applied.engine) == 0
    assert "hold lifted: network n1; appeals that are decided from now" in capsys.readouterr().out
    assert applied.export() is not None
    assert freeze_releases.unfreeze(["--network", "n1", *why], applied.engine) == 2
    applied.appeal(appeal_of(decision_of(applied, "a3"), "overturned"))
    assert applied.export() is not None  # one of one since then


def test_several_appeals_against_one_decision_hold_nothing_by_themselves(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    name = decision_of(applied, "a1")
    applied.appeal(appeal_of(name), appeal_of(name, appeal_id="again"))
    applied.appeal(
        appeal_of(name, "overturned"),
        appeal_of(name, "overturned", appeal_id="again", reviewer="other"),
    )
    assert "ALERT" not in capsys.readouterr().out
    assert len(list(applied.store.proposed.glob("*-r*/manifest.json"))) == 1


def test_a_reversal_ends_nothing_at_a_made_up_time(site: Site) -> None:
    (name,) = site.decide(["a1"], duration_s=86_400)
    batch = site.release_all()
    answered(site, batch)
    assert rows(batch)[0]["restriction_ends_at"] is not None
    site.appeal(appeal_of(name, "overturned"))
    assert rows(retraction(site))[0]["restriction_ends_at"] is None


def test_who_orders_a_retraction_cannot_approve_it_in_other_letters(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    key = ["--key", str(key_pair("lead_2", applied.keys)), "--approver", "lead_2"]
    order = ["--account", "a1", "--reason", "wrong", "--as", "Lead_2"]
    applied.run("retract", *order, *key, code=2)
    assert "who orders cannot approve" in capsys.readouterr().err
    applied.run("retract", *order)
    applied.approve(retraction(applied), "lead_2", code=6)
    assert "requested the batch" in capsys.readouterr().err
