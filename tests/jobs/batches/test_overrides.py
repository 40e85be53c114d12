"""Batches that rest on an override: who may sign them, and when they may not leave any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.batches.overridden import override_ended
from jobs.check_signatures import main as signatures
from signatures.decisions import DECISIONS
from signatures.loading import benign_signature
from signatures.overrides import HOLDS, OVERRIDES, override_row, withdrawal
from tests.jobs.batches.sites import SNAPSHOT, Site, appeal_of
from tests.ledger_rows import append_to_ledger

CAMPUS = benign_signature("Campus")


def give(
    site: Site,
    reviewer: str = "lead_3",
    age: timedelta = timedelta(hours=1),
    network: str = "n1",
) -> Any:
    """Override that Campus explains the members of the snapshot; returns the row."""
    judged = {"network_id": network, "snapshot_sha256": SNAPSHOT, "account_id": None}
    row = override_row(CAMPUS, judged, reviewer, "one script", datetime.now(UTC) - age)
    write(site, row)
    return row


def write(site: Site, row: dict[str, Any]) -> None:
    rows = pa.Table.from_pylist([row], schema=OVERRIDES.schema)
    append_to_ledger(site.home, OVERRIDES, rows, f"{row['event']}-{row['reviewer']}")


def decide(site: Site, *accounts: str, **changed: Any) -> list[str]:
    return site.decide(accounts, overridden_signature_ids=[str(CAMPUS.id)], **changed)


def export(site: Site, *more: str) -> Path:
    batch = site.export(*more)
    assert batch is not None
    return batch


def test_it_leaves_while_the_override_is_in_force(site: Site) -> None:
    decide(site, "a1", "a2")
    give(site)
    site.release_all()
    assert site.counted() == {"released": 2}


@pytest.mark.parametrize("name", ["lead_3", "LEAD_3"])
def test_who_overrode_cannot_approve(
    site: Site, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    decide(site, "a1")
    give(site, name)
    batch = export(site)
    site.approve(batch, "lead_3", code=6)
    assert "lead_3 reviewed accounts of the batch" in capsys.readouterr().err
    site.approve(batch, "lead_1")


def test_who_overrode_after_the_export_cannot_approve(site: Site) -> None:
    decide(site, "a1")
    give(site, "lead_2")
    batch = export(site)
    give(site, "lead_3")
    site.approve(batch, "lead_3", code=6)


def test_who_overrode_cannot_ask_for_the_batch(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(site, "a1")
    give(site, "lead_3")
    assert site.export("--as", "Lead_3", code=6) is None
    told = capsys.readouterr()
    assert "overrode an innocent explanation, so somebody else" in told.err + told.out


def test_who_approved_cannot_renew_the_override(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(site, "a1")
    first = give(site, "lead_3")
    batch = export(site)
    site.approve(batch, "lead_1")
    write(site, withdrawal(first, "lead_3", "not sure", datetime.now(UTC)))
    give(site, "lead_1")
    site.release(batch, code=6)
    assert "guard approvals" in capsys.readouterr().err
    assert site.counted() == {"approved": 1}


def test_it_stops_once_the_override_is_withdrawn(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Withdrawn by anybody, between approval and release; then scoring explains them again."""
    decide(site, "a1")
    row = give(site)
    batch = export(site)
    site.approve(batch, "lead_1")
    withdraw = ["withdraw", row["override_id"], "--reason", "they are students", "--as", "bob"]
    assert signatures([*withdraw, *site.arguments], site.engine) == 0
    assert signatures([*withdraw, *site.arguments], site.engine) == 2
    site.release(batch, code=6)
    told = capsys.readouterr().err
    assert "guard override: 1 accounts, limit 0" in told and "account a1" in told
    assert site.counted() == {"proposed": 1}, "its approvals are void"
    assert site.export(code=6) is None
    assert site.export("--to-review", "the override ended") is None
    assert site.counted() == {"in_review": 1}


def test_it_stops_once_the_override_has_expired(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(site, "a1")
    give(site, age=HOLDS)
    assert site.export(code=6) is None
    assert "guard override" in capsys.readouterr().err
    give(site, "lead_2")
    assert site.export() is not None, "another reviewer overrode it anew"


def test_it_stops_where_nobody_overrode_for_these_accounts(site: Site) -> None:
    """An override of another snapshot, or of another signature, is none of these."""
    decide(site, "a1", network_id="n2", snapshot_sha256="6" * 64)
    give(site)
    assert site.export(code=6) is None


def test_what_two_reviewers_decided_needs_the_override_as_well(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(site, "a1", route="investigated", actor="ann, bob")
    assert site.export(code=6) is None
    assert "guard override: 1 accounts, limit 0" in capsys.readouterr().err
    give(site, "lead_3")
    batch = export(site)
    site.approve(batch, "lead_3", code=6)
    site.approve(batch, "lead_1")
    site.release(batch)
    assert site.counted() == {"released": 1}


def test_what_people_decided_rests_on_the_override_of_the_network_that_is_there_now(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """They judged n1; its accounts are in n2 by now, which was explained and overridden."""
    decide(site, "a1", route="investigated", actor="ann, bob")
    row = give(site, "lead_3", network="n2")
    batch = export(site)
    site.approve(batch, "lead_3", code=6)
    site.approve(batch, "lead_1")
    write(site, withdrawal(row, "lead_3", "they are students", datetime.now(UTC)))
    site.release(batch, code=6)
    assert "guard override: 1 accounts, limit 0" in capsys.readouterr().err


def test_what_people_decided_rests_on_each_override_that_held_then(site: Site) -> None:
    decide(site, "a1", route="investigated", actor="ann, bob")
    give(site, "lead_3", network="n2")
    row = give(site, "lead_2")
    write(site, withdrawal(row, "lead_2", "they are students", datetime.now(UTC)))
    assert site.export(code=6) is None
    give(site, "lead_1")
    assert site.export() is not None


def test_an_override_that_had_ended_before_people_decided_is_nothing_to_them(site: Site) -> None:
    give(site, "lead_3", age=HOLDS + timedelta(hours=1), network="n0")
    decide(site, "a1", route="investigated", actor="ann, bob")
    give(site, "lead_2")
    assert site.export() is not None


def test_a_lighter_action_that_was_begun_on_appeal_needs_none(site: Site) -> None:
    """Who heard the appeal looked at the account, whatever became of the override meanwhile."""
    (name,) = decide(site, "a1")
    row = give(site)
    desk = site.desk()
    desk.import_batch(site.release_all())
    site.receipts(desk)
    site.appeal(appeal_of(name, "partial"))
    write(site, withdrawal(row, "lead_3", "not sure", datetime.now(UTC)))
    begun = [each for each in site.ledger(DECISIONS).to_pylist() if each["action"] != "suspend"]
    assert {each["overridden_signature_ids"][0] for each in begun} == {str(CAMPUS.id)}
    with site.changes() as changes:
        rows = pa.Table.from_pylist(begun, schema=DECISIONS.schema)
        assert override_ended(changes, changes.engine.from_arrow(rows)).count() == 0


def test_an_override_changes_nothing_for_others(site: Site) -> None:
    """Who overrode for another network may approve."""
    site.decide(["b1"])
    give(site, "lead_3")
    batch = export(site)
    site.approve(batch, "lead_3")
    site.release(batch)


def test_who_overrode_does_not_hear_the_appeal(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (name,) = decide(site, "a1")
    give(site, "ann")
    desk = site.desk()
    desk.import_batch(site.release_all())
    site.receipts(desk)
    site.appeal(appeal_of(name, "upheld", reviewer="Ann"), code=4)
    assert "Ann acted in this decision before" in capsys.readouterr().err
    site.appeal(appeal_of(name, "upheld"))
    assert site.states() == {"a1": "upheld"}
