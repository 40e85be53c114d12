"""Receipts, appeals, the clock, stages, and retractions in every format by one command."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exporters.enforcement.approvals import read_approvers
from exporters.enforcement.verify import verify_batch
from graph.enforced_entities import ENFORCED_ENTITIES
from graph.engines.base import Engine
from graph.networks import NETWORKS
from jobs.batches.receiving import expire, overdue, receive
from jobs.batches.releasing import release
from signatures.calibration import ALL, CALIBRATION
from signatures.decisions import DECISIONS
from signatures.inclusions import INCLUSIONS
from signatures.labels import LABELS, check_labels
from signatures.life_cycle import current
from tests.exporters.enforcement.builders import SIGNATURE, key_pair
from tests.jobs.batches.sites import TODAY, Site, appeal_of, decision_of, listed
from tests.jobs.batches.warehouses import publish


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.open()]


def test_one_command_from_an_order_to_a_verified_retraction(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    order = ["--batch", next(applied.store.released.glob("*-e1")).name, "--reason", "wrong"]
    who = [
        "--as",
        "lead",
        "--key",
        str(key_pair("lead_2", applied.keys)),
        "--approver",
        "lead_2",
    ]
    applied.run("retract", *order, *who)
    assert "may be imported" in capsys.readouterr().out
    assert applied.counted() == {"reversed": 3}
    (back,) = (path for path in applied.store.released.glob("*-r1") if path.is_dir())
    accounts = rows(back / "accounts.jsonl")
    assert {row["operation"] for row in accounts} == {"reverse"}
    assert {row["restores_to"] for row in accounts} == {"none"}
    assert (back / "stix_bundle.json").exists()
    assert (back / "dsa_corrections-00001.json").exists()


def test_an_order_names_whole_ids(applied: Site, capsys: pytest.CaptureFixture[str]) -> None:
    applied.run("retract", "--network", "n", "--reason", "wrong", "--as", "lead", code=2)
    assert "ids are taken whole, e.g. all 16 digits" in capsys.readouterr().err
    assert applied.counted() == {"applied": 3}


def test_a_reversal_restores_the_lighter_action_that_stands(site: Site) -> None:
    desk = site.desk()
    for action in ("challenge", "suspend"):
        site.decide(["a1"], action=action)
        desk.import_batch(site.release_all())
        site.receipts(desk)
    (name,) = (
        row["decision_id"]
        for row in current(site.ledger(DECISIONS)).to_pylist()
        if row["action"] == "suspend"
    )
    site.run("retract", "--decision", name, "--reason", "wrong", "--as", "lead")
    (back,) = (path for path in site.store.proposed.glob("*-r1") if path.is_dir())
    assert [row["restores_to"] for row in rows(back / "accounts.jsonl")] == ["challenge"]
    site.approve(back, "lead_1")
    desk.import_batch(site.release(back))
    assert desk.in_force() == {"a1": "challenge"}


def test_a_batch_is_checked_and_imported_from_within_its_folder(
    applied: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = next(applied.store.released.glob("*-e1"))
    monkeypatch.chdir(batch)
    applied.run("verify", ".", "--approvers", str(applied.approvers))
    assert f"{batch.name}: may be imported" in capsys.readouterr().out
    desk = applied.desk()
    desk.import_batch(Path())
    assert len(desk.in_force()) == 3


def test_only_batches_that_wait_are_told_as_proposed(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.decide(["b1"])
    old, new = applied.export(), applied.export()
    assert old is not None and new is not None
    applied.release(old.parent / "20261122-e77", code=2)
    told = capsys.readouterr().err
    assert f"no batch '20261122-e77' is proposed; proposed: {new.name}\n" in told


def test_the_clock_ends_what_had_a_time(site: Site) -> None:
    site.decide(["a1"], duration_s=3600)
    desk = site.desk()
    released = site.release_all()
    with site.changes(after=timedelta(hours=25)) as changes:
        assert overdue(changes) == 1
    with site.changes() as changes:
        assert overdue(changes) == 0
    desk.import_batch(released)
    site.receipts(desk)
    with site.changes(after=timedelta(minutes=59)) as changes:
        assert expire(changes) == 0
    with site.changes(after=timedelta(minutes=61)) as changes:
        assert expire(changes) == 1
        changes.publish()
    assert site.counted() == {"expired": 1}
    assert site.decide(["a1"])  # a new episode


def test_a_restriction_ends_when_its_row_says(site: Site) -> None:
    """The batch waited for approvals; nobody is restricted longer for that."""
    site.decide(["a1"], duration_s=3600)
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    with site.changes(after=timedelta(minutes=50)) as changes:
        release(changes, batch.name, "releaser")
        changes.publish()
    path = site.folder / "receipts.jsonl"
    (row,) = rows(site.store.released / batch.name / "accounts.jsonl")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    key = row["idempotency_key"]
    path.write_text(json.dumps({"idempotency_key": key, "status": "applied", "at": at}) + "\n")
    with site.changes(after=timedelta(minutes=51)) as changes:
        receive(changes, path)
        changes.publish()
    with site.changes(after=timedelta(minutes=61)) as changes:
        assert expire(changes) == 1


def test_outcomes_become_labels_that_are_no_sample(applied: Site) -> None:
    applied.appeal(
        appeal_of(decision_of(applied, "a1"), "overturned"),
        appeal_of(decision_of(applied, "a2"), "upheld"),
    )
    labels = applied.ledger(LABELS).to_pylist()
    check_labels(labels)
    assert {(row["subject_id"], row["label"], row["source"]) for row in labels} == {
        ("a1", "benign", "appeal"),
        ("a2", "abusive", "appeal"),
    }


def test_what_enforced_accounts_shared_is_kept_for_ban_evasion(applied: Site) -> None:
    kept = applied.ledger(ENFORCED_ENTITIES).to_pylist()
    assert {(row["account_id"], row["entity_type"]) for row in kept} == {
        (account, kind) for account in ("a1", "a2", "a3") for kind in ("content", "device")
    }


def test_a_hijacked_account_leaves_nothing_in_the_archive(site: Site) -> None:
    site.decide(
        ["a1"], subject_role="compromised", action="secure_account", policy_id="account_security"
    )
    desk = site.desk()
    desk.import_batch(site.release_all())
    site.receipts(desk)
    assert site.counted() == {"applied": 1}
    assert site.ledger(ENFORCED_ENTITIES).num_rows == 0


def test_a_large_batch_leaves_in_stages_under_one_approval(site: Site) -> None:
    site.settings |= {"enforcement.staged_from": 40, "enforcement.stages": [0.1, 0.5, 1.0]}
    site.decide([f"a{number:02d}" for number in range(40)])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    desk, sizes, released = site.desk(), [], set()
    for number in (1, 2, 3):
        site.release(batch)
        part = site.store.released / f"{batch.name}-{number}"
        approvers = read_approvers(site.approvers)
        assert verify_batch(part, approvers, datetime.now(UTC)).problems == []
        names = {str(row["account_id"]) for row in rows(part / "accounts.jsonl")}
        assert not names & released
        released |= names
        sizes.append(len(names))
        if number < 3:
            site.release(batch, code=6)  # the next one waits for receipts
        desk.import_batch(part)
        site.receipts(desk)
    assert sum(sizes) == 40 and sizes[0] < sizes[2]
    assert len(desk.in_force()) == 40
    site.release(batch, code=6)  # nothing is left
    assert site.counted() == {"applied": 40}
    order = ["--batch", batch.name, "--reason", "wrong", "--as", "lead"]
    site.run("retract", *order)
    (back,) = (path for path in site.store.proposed.glob("*-r1") if path.is_dir())
    assert len(rows(back / "accounts.jsonl")) == 40


def test_a_stage_that_was_changed_is_not_one_that_was_approved(site: Site) -> None:
    site.settings |= {"enforcement.staged_from": 10, "enforcement.stages": [0.5, 1.0]}
    site.decide([f"a{number:02d}" for number in range(10)])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    site.release(batch)
    part = site.store.released / f"{batch.name}-1"
    beside = part.parent / f"{part.name}.parent" / "manifest.json"
    beside.write_text(beside.read_text().replace('"share": 0.5', '"share": 0.6'))
    found = verify_batch(part, read_approvers(site.approvers), datetime.now(UTC)).problems
    assert "not the one that was approved" in found[0]


def test_a_list_that_moves_much_waits_for_somebody(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decide(["a1"])
    assert site.export() is not None
    for age, accounts in ((1, 10), (0, 8)):
        day = TODAY - timedelta(days=age)
        included = [
            {"network_id": "n1", "account_id": f"a{number}", "included": True}
            for number in range(accounts)
        ]
        publish(site.home, INCLUSIONS, day, included)
        publish(site.home, NETWORKS, day, [{"network_id": "n1", "links": 100}])
    site.decide(["a2"])
    listed(site, "protected_accounts", account_id="a9")
    assert site.export(code=6) is None
    assert "guard list change: 20% of links or proposals moved, limit 10%" in (
        capsys.readouterr().err
    )
    assert site.export("--acknowledge-lists", "a newsroom was added") is not None
    site.decide(["a3"])
    assert site.export() is not None  # the list is the acknowledged one


def test_verify_needs_neither_spark_nor_an_engine(applied: Site) -> None:
    (batch,) = (path for path in applied.store.released.glob("*-e1") if path.is_dir())
    program = (
        "import sys; from jobs.manage_exports import main; "
        f"code = main(['verify', {str(batch)!r}, '--approvers', {str(applied.approvers)!r}]); "
        "heavy = {'pyspark', 'duckdb', 'sqlframe', 'numba', 'graphframes'}; "
        "sys.exit(code or (9 if heavy & set(sys.modules) else 0))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == 0


def test_a_row_tells_the_measured_precision_of_its_signature(site: Site) -> None:
    measured = {
        "measure": "precision", "level": "account", "scope": "signature", "scope_id": SIGNATURE,
        "market": ALL, "stratum": ALL, "estimate": 0.995, "low": 0.985, "high": 0.999,
        "subjects": 900, "networks": 200, "measured_on": TODAY,
    }  # fmt: skip
    there = [{**measured, "market": "de", "low": 0.98}, {**measured, "market": "fr", "low": 0.5}]
    publish(site.home, CALIBRATION, TODAY - timedelta(days=1), [measured, *there])
    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    assert [row["precision_lower"] for row in rows(batch / "accounts.jsonl")] == [0.985]


@pytest.mark.spark
def test_spark_makes_the_same_batch(site: Site, spark_engine: Engine) -> None:
    site.decide(["a1", "a2"], network_id="n2")
    site.decide(["b1"], route="investigated", actor="lead_1, hearer")
    mine = site.export("--format", "ids")
    site.engine = spark_engine
    theirs = site.export("--format", "ids")
    assert mine is not None and theirs is not None

    def told(batch: Path) -> list[dict[str, object]]:
        passing = ("batch_id", "valid_until")
        return [
            {name: value for name, value in row.items() if name not in passing}
            for file in ("accounts.jsonl", "networks.jsonl", "evidence.jsonl")
            for row in rows(batch / file)
        ]

    assert told(theirs) == told(mine)
    assert told(mine)[0]["account_id"] == "b1"


def test_a_full_disk_leaves_nothing_half_made(site: Site) -> None:
    """A limit on the size of files stands for the disk: writes fail in the middle."""
    site.decide([f"a{number:03d}" for number in range(200)])
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)); "
        "from jobs.export_enforcement import main; sys.exit(main(sys.argv[1:]))"
    )
    call = ["--ds", str(TODAY), "--as", "requester", *site.arguments]
    done = subprocess.run([sys.executable, "-c", program, *call], check=False)
    assert done.returncode != 0
    assert not list(site.store.proposed.glob("*"))
    assert site.counted() == {"proposed": 200}
    assert site.export() is not None


def test_an_appeal_frees_one_account_and_leaves_the_others_grouped(applied: Site) -> None:
    applied.appeal(appeal_of(decision_of(applied, "a1"), "overturned"))
    (first,) = (path for path in applied.store.proposed.glob("*-r1") if path.is_dir())
    assert grouped(first) == (False, {"a2", "a3"})
    assert (first / "signals_withdrawn.jsonl").read_text() == ""  # the others shared it, too
    (account,) = rows(first / "accounts.jsonl")
    assert str(account["reason_text"]).endswith("The reason: overturned on appeal.")
    applied.run("retract", "--account", "a2", "--reason", "wrong", "--as", "lead")
    (second,) = (path for path in applied.store.proposed.glob("*-r2") if path.is_dir())
    assert grouped(second) == (False, {"a3"})  # a1 waits to be freed, and does not come back
    applied.run("retract", "--account", "a3", "--reason", "wrong", "--as", "lead")
    (last,) = (path for path in applied.store.proposed.glob("*-r3") if path.is_dir())
    assert grouped(last) == (True, {"a3"})
    assert len(rows(last / "signals_withdrawn.jsonl")) == 1


def test_a_retraction_reaches_the_grouping_of_a_try_that_failed(site: Site) -> None:
    site.decide(["a1"])
    first = site.release_all("--format", "stix")
    desk = site.desk()
    desk.fails = lambda account: True
    desk.import_batch(first)
    site.receipts(desk)
    second = site.release_all("--format", "stix", "--retry-failed")
    site.run("retract", "--account", "a1", "--reason", "wrong", "--as", "lead")
    (back,) = (path for path in site.store.proposed.glob("*-r1") if path.is_dir())
    ids = [
        {each["id"] for each in things if each["type"] == "grouping"}
        for batch in (first, second, back)
        for things in [json.loads((batch / "stix_bundle.json").read_text())["objects"]]
    ]
    assert ids[2] == ids[0] | ids[1]


def grouped(batch: Path) -> tuple[bool, set[str]]:
    """Whether the bundle's grouping is revoked, and whose accounts it has."""
    things = json.loads((batch / "stix_bundle.json").read_text())["objects"]
    (grouping,) = (each for each in things if each["type"] == "grouping")
    users = {each["id"]: each["user_id"] for each in things if each["type"] == "user-account"}
    refs = (users.get(ref) for ref in grouping["object_refs"])
    return grouping.get("revoked", False), {name for name in refs if name is not None}
