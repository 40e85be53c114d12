"""Keeping and forgetting: audit, freezes, holds, purge, forget, explain."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exporters.audit import Entry, Head, chained, segment_name
from graph.enforced_entities import ENFORCED_ENTITIES
from jobs import (
    check_audit,
    forget_account,
    freeze_releases,
    hold_subjects,
    purge_days,
)
from jobs.places import audit_folder
from signatures.decisions import DECISIONS
from signatures.life_cycle import current
from signatures.snapshots import SNAPSHOTS
from tests.exporters.enforcement.builders import SIGNATURE
from tests.jobs.batches.sites import TODAY, Site
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
    lines, head = chained([Entry("nothing", "nobody", {})], Head(), datetime.now(UTC))
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


def test_a_signature_is_frozen_by_itself(site: Site) -> None:
    why = ["--reason", "wrong", "--as", "lead", *site.arguments]
    assert freeze_releases.main(["--signature", SIGNATURE, *why], site.engine) == 0
    site.decide(["a1"])
    assert site.export(code=6) is None
    assert freeze_releases.unfreeze(["--signature", "another", *why], site.engine) == 2
    assert freeze_releases.main(["--signature", "another", *why], site.engine) == 0
    assert freeze_releases.unfreeze(["--signature", SIGNATURE, *why], site.engine) == 0
    assert site.export() is not None


def later(days: int) -> str:
    return str(TODAY + timedelta(days=days))


def test_purge_keeps_evidence_as_long_as_people_may_complain(applied: Site) -> None:
    def rows() -> tuple[int, int]:
        return applied.ledger(SNAPSHOTS).num_rows, applied.ledger(ENFORCED_ENTITIES).num_rows

    assert rows() == (3, 6)
    assert purge_days.main(["--ds", later(300), *applied.arguments], applied.engine) == 0
    assert rows() == (3, 6)
    assert purge_days.main(["--ds", later(366), *applied.arguments], applied.engine) == 0
    assert rows() == (3, 0)
    hold = ["a2", "--reason", "court", *applied.arguments]
    assert hold_subjects.main(["ADD", *hold], applied.engine) == 0
    assert hold_subjects.main(["ADD", *hold], applied.engine) == 2
    assert purge_days.main(["--ds", later(401), *applied.arguments], applied.engine) == 0
    assert applied.ledger(SNAPSHOTS).column("account_id").to_pylist() == ["a2"]
    assert hold_subjects.main(["LIFT", *hold], applied.engine) == 0
    assert purge_days.main(["--ds", later(401), *applied.arguments], applied.engine) == 0
    assert rows() == (0, 0)
    assert check_audit.main(["verify", *applied.arguments]) == 0


def test_purge_deletes_days_of_sightings_and_edges(site: Site) -> None:
    for table in ("sightings", "edges", "networks"):
        for ds in (date(2026, 9, 1), date(2026, 11, 1)):
            folder = site.home / "warehouse" / table / f"ds={ds}"
            folder.mkdir(parents=True)
            (folder / "_table.json").write_text("{}")
    assert purge_days.main(["--ds", "2026-11-22", *site.arguments], site.engine) == 0
    left = {str(path.relative_to(site.home)) for path in site.home.glob("warehouse/*/ds=*")}
    assert left == {
        "warehouse/sightings/ds=2026-11-01",
        "warehouse/edges/ds=2026-11-01",
        "warehouse/networks/ds=2026-09-01",
        "warehouse/networks/ds=2026-11-01",
    }


def everywhere(home: Path, text: str) -> set[str]:
    """The top folders of a home in whose parquet files a text stands."""
    import pyarrow.parquet as pq

    return {
        str(path.relative_to(home).parts[1])
        for path in home.rglob("*.parquet")
        if text in str(pq.read_table(path).to_pylist())
    }


def test_forget_leaves_a_hash_in_ledgers_and_nothing_in_tables(applied: Site) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = applied.home / "warehouse" / "links" / "ds=2026-11-22"
    folder.mkdir(parents=True)
    rows = pa.table({"account_a": ["a1", "a2"], "account_b": ["a2", "a3"], "weight": [1.0, 2.0]})
    pq.write_table(rows, folder / "part-0.parquet")
    (folder / "_table.json").write_text('{"rows": 2}')
    assert "enforced_entities" in everywhere(applied.home, "'a1'")

    forget = ["a1", "--reason", "request", *applied.arguments]
    assert forget_account.main(forget, applied.engine) == 0
    assert everywhere(applied.home, "'a1'") == set()
    assert pq.read_table(folder).column("account_a").to_pylist() == ["a2"]
    assert json.loads((folder / "_table.json").read_text())["rows"] == 1
    accounts = pc.unique(applied.ledger(DECISIONS).column("account_id")).to_pylist()
    assert [name[:12] for name in sorted(accounts)] == ["a2", "a3", "hmac-sha256:"]
    assert check_audit.main(["verify", *applied.arguments]) == 0
    assert '"a1"' not in "".join(
        path.read_text() for path in audit_folder(applied.home).glob("*.jsonl")
    )


def test_a_held_account_is_not_forgotten(applied: Site) -> None:
    more = ["--reason", "court", *applied.arguments]
    assert hold_subjects.main(["ADD", "a1", *more], applied.engine) == 0
    assert forget_account.main(["a1", *more], applied.engine) == 6
    assert "a1" in applied.states()
