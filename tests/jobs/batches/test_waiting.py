"""What `status` and `export receipts` tell of batches on which something waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs import show_status
from jobs.batches.waiting import retractions_inside, waiting
from tests.jobs.batches.sites import Site, appeal_of, decision_of

DAY = timedelta(days=1)


def told(site: Site, after: timedelta = timedelta()) -> list[tuple[str, int, str]]:
    now = datetime.now(UTC) + after
    return [(each.batch_id[9:], each.accounts, each.waits_for) for each in waiting(site.home, now)]


def test_a_batch_waits_for_people_and_then_for_receipts(site: Site) -> None:
    site.decide(["a1", "a2"])
    batch = site.export()
    assert batch is not None
    assert told(site) == [("e1", 2, "approval")]
    assert told(site, after=4 * DAY) == [("e1", 2, "a new batch (its time is over)")]
    site.approve(batch, "lead_1")
    assert told(site) == [("e1", 2, "release")]
    desk = site.desk()
    desk.import_batch(site.release(batch))
    assert told(site) == [("e1", 2, "receipts")]
    site.receipts(desk)
    assert told(site) == []


def test_a_batch_that_leaves_in_stages_waits_for_each(site: Site) -> None:
    site.settings |= {"enforcement.staged_from": 10, "enforcement.stages": [0.5, 1.0]}
    site.decide([f"a{number:02d}" for number in range(10)])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    site.release(batch)
    (whole, _, for_whole), (stage, first, for_stage) = told(site)
    assert (whole, for_whole, stage, for_stage) == ("e1", "release", "e1-1", "receipts")
    assert 0 < first < 10


def test_a_won_appeal_does_not_lie_unseen(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.decide(["b1"])
    applied.export()
    applied.appeal(appeal_of(decision_of(applied, "a1"), "overturned"))
    assert told(applied) == [("r1", 1, "approval"), ("e2", 1, "approval")]
    capsys.readouterr()
    assert show_status.main(applied.arguments) == 0
    printed = capsys.readouterr().out
    assert "r1 has waited for approval for 0h; accounts in it: 1" in printed
    assert "Batches that wait" in printed
    assert "ALERT" not in printed
    applied.receipts(applied.desk())
    assert "r1 has waited for approval" in capsys.readouterr().out


def test_a_retraction_that_waits_for_more_than_a_day_alerts(applied: Site) -> None:
    applied.run("retract", "--account", "a1", "--reason", "wrong", "--as", "lead")
    later = datetime.now(UTC) + timedelta(hours=26)
    (line,) = retractions_inside(waiting(applied.home, later), later, DAY)
    assert line.startswith("ALERT: retraction ")
    assert "r1 has waited for approval for 1d 2h, longer than 1d; accounts in it: 1" in line
    (back,) = (path for path in applied.store.proposed.glob("*-r1") if path.is_dir())
    applied.approve(back, "lead_2")
    assert told(applied) == [("r1", 1, "release")]
    applied.release(back)
    assert told(applied) == [("r1", 1, "receipts")]
    assert list(retractions_inside(waiting(applied.home, later), later, DAY)) == []
