"""Keeping and forgetting: audit, freezes, holds, purge, forget, explain."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exporters.audit import Entry, Head, chained, segment_name
from graph.enforced_entities import ENFORCED_ENTITIES
from graph.sightings import SIGHTINGS
from jobs import (
    check_audit,
    freeze_releases,
    hold_subjects,
    purge_days,
)
from jobs.places import audit_folder
from signatures.decisions import DECISIONS
from signatures.life_cycle import current
from signatures.snapshots import SNAPSHOTS
from tests.exporters.enforcement.builders import SIGNATURE
from tests.jobs.batches.sites import TODAY, Site, decision_of, hold
from tests.jobs.batches.warehouses import publish
from tests.ledger_rows import append_to_ledger


def test_everything_is_closed_to_others(applied: Site) -> None:
    for path in (applied.home / "batches").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    for path in (applied.home / "ledger" / "audit").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert applied.home.stat().st_mode & 0o077 == 0


def test_the_audit_log_says_who_did_what_and_shows_harm(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_audit.main(["verify", *applied.arguments]) == 0
    log = audit_folder(applied.home)
    lines = [
        json.loads(line)
        for path in sorted(log.glob("0*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    assert [(line["action"], line["actor"]) for line in lines] == [
        ("propose apply", "requester"),
        ("approve", "lead_1"),
        ("release", "releaser"),
        ("receipts", "receipts"),
    ]
    last = sorted(log.glob("0*.jsonl"))[1]
    last.write_text(last.read_text().replace("lead_1", "lead_2"))
    assert check_audit.main(["verify", *applied.arguments]) == 4
    assert "one of the two was changed" in capsys.readouterr().err


def test_a_decision_that_moved_as_none_may_shows(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows that were put into the ledger by hand, past the commands."""
    last = current(applied.ledger(DECISIONS)).slice(0, 1).to_pylist()[0]
    forged = last | {"number": last["number"] + 1, "state": "proposed"}
    rows = pa.Table.from_pylist([forged], schema=DECISIONS.schema)
    append_to_ledger(applied.home, DECISIONS, rows, "by-hand")
    assert check_audit.main(["verify", *applied.arguments]) == 4
    assert "a decision cannot go from applied to proposed" in capsys.readouterr().err


def test_a_log_that_was_written_anew_shows_in_the_manifests(applied: Site) -> None:
    applied.decide(["a9"])
    applied.export()  # its manifest has the head of the log before
    log = audit_folder(applied.home)
    lines, head = chained([Entry("nothing", "nobody", {})], Head(), datetime.now(UTC), 2557)
    for path in log.iterdir():
        path.unlink()
    (log / segment_name(Head())).write_text(lines[0] + "\n")
    (log / "HEAD.json").write_text(json.dumps(vars(head)))
    assert check_audit.main(["verify", *applied.arguments]) == 4


def test_a_freeze_stops_releases_and_not_retractions(applied: Site) -> None:
    applied.decide(["a4"])
    batch = applied.export()
    assert batch is not None
    applied.approve(batch, "lead_1")
    why = ["--reason", "looks wrong", "--as", "lead", *applied.arguments]
    assert freeze_releases.main(["--all", *why], applied.engine) == 0
    applied.release(batch, code=6)
    assert applied.states()["a4"] == "approved"  # nothing is void: it may go on
    applied.run("retract", "--account", "a1", "--reason", "wrong", "--as", "lead")
    (back,) = (path for path in applied.store.proposed.glob("*-r*") if path.is_dir())
    applied.approve(back, "lead_2")
    applied.release(back)
    assert applied.states()["a1"] == "reversed"
    assert freeze_releases.unfreeze(["--all", *why], applied.engine) == 0
    applied.release(batch)
    assert applied.states()["a4"] == "released"


def test_a_freeze_names_a_signature_that_there_is(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """By title or id; what is neither would stop nothing, and nobody would know."""
    why = ["--reason", "wrong", "--as", "lead", *site.arguments]
    assert freeze_releases.main(["--signature", "Ban evasions", *why], site.engine) == 2
    assert "did you mean 'ban evasion'" in capsys.readouterr().err
    assert site.store.freezes() == []
    assert freeze_releases.main(["--signature", "Ban evasion", *why], site.engine) == 0
    assert [each.signature for each in site.store.freezes()] == [BAN_EVASION]
    assert freeze_releases.unfreeze(["--signature", BAN_EVASION, *why], site.engine) == 0
    assert site.store.freezes() == []


BAN_EVASION = "2515c1d7-15e8-4ac2-80a4-37c9d7c58833"


def test_a_signature_is_frozen_by_itself(site: Site) -> None:
    why = ["--reason", "wrong", "--as", "lead", *site.arguments]
    assert freeze_releases.main(["--signature", SIGNATURE, *why], site.engine) == 0
    site.decide(["a1"])
    assert site.export(code=6) is None
    assert freeze_releases.unfreeze(["--signature", BAN_EVASION, *why], site.engine) == 2
    assert freeze_releases.main(["--signature", BAN_EVASION, *why], site.engine) == 0
    assert freeze_releases.unfreeze(["--signature", SIGNATURE, *why], site.engine) == 0
    assert site.export() is not None


def test_a_freeze_holds_from_the_moment_it_is_given_whoever_has_the_lock(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run may take hours, and a release may be the next to get the lock."""
    why = ["--reason", "wrong", "--as", "lead", *site.arguments]
    with site.changes():
        assert freeze_releases.main(["--all", *why], site.engine) == 5
        assert "frozen: all releases, but the audit log does not say so yet" in (
            capsys.readouterr().err
        )
    site.decide(["a1"])
    assert site.export(code=6) is None
    assert freeze_releases.main(["--all", *why], site.engine) == 0
    assert len(site.store.freezes()) == 1
    assert freeze_releases.unfreeze(["--all", *why], site.engine) == 0
    assert site.export() is not None
    assert check_audit.main(["verify", *site.arguments]) == 0


def purge(site: Site, days: int) -> dict[str, int]:
    """What a purge deletes that is ordered so many days from now."""
    with site.changes(timedelta(days=days)) as changes:
        return purge_days.purge(changes, TODAY + timedelta(days=days), "clerk")


def kept(site: Site) -> tuple[int, int]:
    return site.ledger(SNAPSHOTS).num_rows, site.ledger(ENFORCED_ENTITIES).num_rows


def test_purge_keeps_evidence_as_long_as_people_may_complain(applied: Site) -> None:
    hold(applied, "ADD", "a2")
    hold(applied, "LIFT", "a2")
    purge(applied, 300)
    assert kept(applied) == (3, 6)
    purge(applied, 366)
    assert kept(applied) == (3, 0)
    purge(applied, 402)
    assert kept(applied) == (0, 0)
    assert check_audit.main(["verify", *applied.arguments]) == 0


@pytest.mark.parametrize("subject", ["account", "decision", "network"])
def test_what_is_held_outlives_every_purge(applied: Site, subject: str) -> None:
    subjects = {"account": "a2", "decision": decision_of(applied, "a2"), "network": "n1"}
    hold(applied, "ADD", subjects[subject])
    hold(applied, "ADD", subjects[subject], code=2)
    publish(applied.home, SIGHTINGS, TODAY, [{"account_id": name} for name in ("a2", "a8", "a9")])
    (batch,) = (path for path in applied.store.released.iterdir() if path.is_dir())
    told = purge(applied, 10_000)
    reached = 3 if subject == "network" else 1  # a1, a2 and a3 are in it
    assert kept(applied) == (reached, 2 * reached)
    assert applied.ledger(SNAPSHOTS).column("account_id").to_pylist().count("a2") == 1
    day = pq.read_table(applied.home / "warehouse" / "sightings" / f"ds={TODAY}")
    assert day.column("account_id").to_pylist() == ["a2"]
    assert (batch / "evidence.jsonl").exists()
    assert (told["batches"], told["audit_files"]) == (0, 0)


def test_a_hold_is_on_something_that_is_known(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(applied, "ADD", "a11", code=2)
    assert "a11 is no account, network or decision that is known here" in capsys.readouterr().err
    for subject in ("a1", "n1", decision_of(applied, "a2")):
        hold(applied, "ADD", subject)
    assert "a1 is held; 1 subjects are held" in capsys.readouterr().out
    assert hold_subjects.main(["LIST", *applied.arguments], applied.engine) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in told] == sorted(
        ["a1", "n1", decision_of(applied, "a2")]
    )
    person = getpass.getuser()
    assert all(line.endswith(f"  since {TODAY} by {person}: court") for line in told)
    assert hold_subjects.main(["LIFT", *applied.arguments], applied.engine) == 2


def test_purge_leaves_of_old_batches_what_they_were_and_not_whom(applied: Site) -> None:
    (batch,) = (path for path in applied.store.released.iterdir() if path.is_dir())
    assert purge(applied, 399)["batches"] == 0
    assert purge(applied, 402)["batches"] == 1
    assert {path.name for path in batch.iterdir()} == {"manifest.json", "SHA256SUMS"}
    assert purge(applied, 402)["batches"] == 0
    assert check_audit.main(["verify", *applied.arguments]) == 0


def test_evidence_of_a_decision_that_was_late_is_kept_from_its_last_move(site: Site) -> None:
    """Decided on a day long ago, and released today: from today on people may complain."""
    site.decide(["a1"], ds=TODAY - timedelta(days=500))
    rows = site.ledger(SNAPSHOTS)
    assert rows.num_rows == 1
    old = rows.set_column(3, "ds", pa.array([TODAY - timedelta(days=500)], pa.date32()))
    (folder,) = (site.home / "ledger" / "snapshots").iterdir()
    for path in folder.glob("*.parquet"):
        path.unlink()
    pq.write_table(old, folder / "part-0.parquet")
    site.release_all()
    purge(site, 0)
    assert site.ledger(SNAPSHOTS).num_rows == 1
    purge(site, 402)
    assert site.ledger(SNAPSHOTS).num_rows == 0


def test_purge_takes_old_lines_of_the_audit_log_and_says_so(applied: Site) -> None:
    log = audit_folder(applied.home)
    before = len(list(log.glob("0*.jsonl")))
    assert purge(applied, 2556)["audit_files"] == 0
    assert purge(applied, 2558)["audit_files"] == before
    assert check_audit.main(["verify", *applied.arguments]) == 0
    (left, last) = sorted(log.glob("0*.jsonl"))
    left.unlink()
    assert check_audit.main(["verify", *applied.arguments]) == 4
    assert '"removed_audit_lines":{' in last.read_text()


def test_keeping_the_audit_log_longer_leaves_nothing_to_complain_of(site: Site) -> None:
    """Lines that rightly went under an earlier, shorter time do not have to come back."""
    site.settings["retention.audit"] = "30d"
    site.decide(["a1"])
    site.release_all()
    assert purge(site, 32)["audit_files"] == 2  # of three: the newest always stays
    site.settings["retention.audit"] = "2557d"
    assert check_audit.main(["verify", *site.arguments]) == 0


def test_a_shorter_time_takes_no_line_that_was_to_be_kept_longer(applied: Site) -> None:
    applied.settings["retention.audit"] = "1d"
    assert purge(applied, 400)["audit_files"] == 0
    assert check_audit.main(["verify", *applied.arguments]) == 0


def test_purge_refuses_a_day_to_come(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """One wrong digit of the year would delete everything."""
    later = str(TODAY + timedelta(days=2))
    assert purge_days.main(["--ds", later, *site.arguments], site.engine) == 2
    assert "is to come" in capsys.readouterr().err


def test_purge_deletes_days_of_sightings_and_edges(site: Site) -> None:
    names = ("sightings", "edges", "networks")
    for table in names:
        for ds in (date(2026, 9, 1), date(2026, 11, 1)):
            folder = site.home / "warehouse" / table / f"ds={ds}"
            folder.mkdir(parents=True)
            (folder / "_table.json").write_text("{}")
    assert purge_days.main(["--ds", "2026-11-22", *site.arguments], site.engine) == 0
    tables = (site.home.glob(f"warehouse/{table}/ds=*") for table in names)
    left = {str(path.relative_to(site.home)) for paths in tables for path in paths}
    assert left == {
        "warehouse/sightings/ds=2026-11-01",
        "warehouse/edges/ds=2026-11-01",
        "warehouse/networks/ds=2026-09-01",
        "warehouse/networks/ds=2026-11-01",
    }
