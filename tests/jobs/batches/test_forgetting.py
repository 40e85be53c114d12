"""Forgetting an account: what goes, what takes its place, what remains and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from exporters.stix import user_account
from graph.build import EDGES
from graph.links import LINKS
from graph.networks import MEMBERSHIPS
from jobs import check_audit, forget_account
from jobs.batches.carriers import BLOCK, carries
from jobs.places import audit_folder
from signatures.decisions import DECISIONS
from signatures.frozen_evidence import FrozenEvidence, read_evidence
from signatures.inclusions import INCLUSIONS
from signatures.snapshots import SNAPSHOTS
from tests.exporters.enforcement.builders import entity
from tests.jobs.batches.sites import SNAPSHOT, TODAY, Site, decision_of, give_label, hold
from tests.jobs.batches.warehouses import publish
from tests.ledger_rows import append_to_ledger
from tests.signatures.label_rows import label


def everywhere(home: Path, text: str) -> set[str]:
    """The top folders of a home in whose parquet files a text stands."""
    return {
        str(path.relative_to(home).parts[1])
        for path in home.rglob("*.parquet")
        if text in str(pq.read_table(path).to_pylist())
    }


FORCE = "--force"
"""Although a restriction stands, as in most of these tests."""


def forget(site: Site, account: str, *more: str, code: int = 0) -> None:
    arguments = [account, *more, "--reason", "request", "--as", "clerk", *site.arguments]
    assert forget_account.main(arguments, site.engine) == code


def test_forget_leaves_a_hash_in_ledgers_and_nothing_in_tables(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = [("a1", "a2"), ("a2", "a3")]
    publish(
        applied.home, LINKS, TODAY,
        [{"account_a": one, "account_b": two, "trace": "co_post"} for one, two in ends],
    )  # fmt: skip
    publish(
        applied.home, MEMBERSHIPS, TODAY,
        [{"account_id": name, "network_id": "n1", "component_id": "a1"} for name in ("a1", "a2")],
    )  # fmt: skip
    publish(
        applied.home, INCLUSIONS, TODAY,
        [{"account_id": "a2", "dropped_by": ["account:a1", "device:a1"]}],
    )  # fmt: skip
    publish(
        applied.home, EDGES, TODAY,
        [
            {"account_id": "a2", "entity_type": kind, "entity_id": "a1"}
            for kind in ("target", "device")
        ],
    )  # fmt: skip
    assert "enforced_entities" in everywhere(applied.home, "'a1'")

    forget(applied, "a1", FORCE)
    warehouse = applied.home / "warehouse"
    links = pq.read_table(warehouse / "links" / f"ds={TODAY}")
    assert links.column("account_a").to_pylist() == ["a2"]
    described = json.loads((warehouse / "links" / f"ds={TODAY}" / "_table.json").read_text())
    assert described["rows"] == 1
    (member,) = pq.read_table(warehouse / "memberships" / f"ds={TODAY}").to_pylist()
    (judged,) = pq.read_table(warehouse / "inclusions" / f"ds={TODAY}").to_pylist()
    (edge,) = pq.read_table(warehouse / "edges" / f"ds={TODAY}").to_pylist()
    assert edge["entity_type"] == "device"  # which only happens to be called so
    name = member["component_id"]
    assert name.startswith("hmac-sha256:")
    assert judged["dropped_by"] == [f"account:{name}", "device:a1"]
    accounts = pc.unique(applied.ledger(DECISIONS).column("account_id")).to_pylist()
    assert sorted(accounts) == ["a2", "a3", name]
    assert everywhere(applied.home, "'a1'") == {"edges"}
    assert check_audit.main(["verify", *applied.arguments]) == 0
    log = "".join(path.read_text() for path in audit_folder(applied.home).glob("*.jsonl"))
    assert '"a1"' not in log
    assert name in log
    (batch,) = (path for path in applied.store.released.iterdir() if path.is_dir())
    assert "released batches keep it for 400d (retention.evidence)" in (
        told := capsys.readouterr().out
    )
    assert batch.name in told
    assert "networks are told with as many accounts as they were found with" in told
    forget(applied, "a1")  # once more is no error


def test_what_stands_against_an_account_is_looked_at_before_it_is_forgotten(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    forget(applied, "a1", code=6)
    told = capsys.readouterr().err
    assert "1 decision is in force against a1, limit 0: suspend (applied)" in told
    assert "actorgraph export retract --account" in told
    assert "a1" in applied.states()
    forget(applied, "a1", FORCE)
    assert "still in force against it: suspend (applied)" in capsys.readouterr().out


@pytest.mark.parametrize("order", [("--network", "n1"), ("--account", "a1")])
def test_what_stands_against_a_forgotten_account_is_taken_back_by_its_key(
    applied: Site, capsys: pytest.CaptureFixture[str], order: tuple[str, str]
) -> None:
    """An importer that acts by account cannot do it, and somebody must tell it so."""
    desk = applied.desk()
    (first,) = (path for path in applied.store.released.glob("*-e1") if path.is_dir())
    desk.import_batch(first)
    forget(applied, "a1", FORCE)
    applied.run("retract", *order, "--reason", "wrong", "--as", "lead")
    told = capsys.readouterr().out
    assert "of accounts that were forgotten: 1; their rows name a hash" in told
    (back,) = (path for path in applied.store.proposed.glob("*-r*") if path.is_dir())
    applied.approve(back, "lead_2")
    desk.import_batch(applied.release(back))
    assert "a1" not in desk.in_force()


def test_evidence_that_names_an_account_as_target_names_the_hash(site: Site) -> None:
    evidence = FrozenEvidence(
        [entity(entity_type="target", entity_id="a1"), entity(entity_type="device", entity_id="a1")]
    )
    row = {"snapshot_sha256": "6" * 64, "account_id": "a2", "evidence": evidence.text()}
    append_to_ledger(site.home, SNAPSHOTS, pa.Table.from_pylist([row], SNAPSHOTS.schema), "scoring")
    forget(site, "a1")
    (text,) = site.ledger(SNAPSHOTS).column("evidence").to_pylist()
    target, device = read_evidence(text).shared
    assert target.entity_id.startswith("hmac-sha256:")
    assert device.entity_id == "a1"


def test_a_batch_that_waits_with_a_forgotten_account_goes(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decide(["a1", "a2"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    forget(site, "a1")
    assert f"void and deleted: {batch.name}" in capsys.readouterr().out
    assert list(site.store.proposed.iterdir()) == []
    assert sorted(site.states().values()) == ["proposed", "rejected"]
    again = site.export()
    assert again is not None
    assert [json.loads(line)["account_id"] for line in
            (again / "accounts.jsonl").read_text().splitlines()] == ["a2"]  # fmt: skip
    assert check_audit.main(["verify", *site.arguments]) == 0


def test_a_stage_that_waits_with_a_forgotten_account_goes_and_the_released_one_stays(
    site: Site,
) -> None:
    site.settings["enforcement.staged_from"] = 4
    site.settings["enforcement.stages"] = [0.5, 1.0]
    site.decide([f"a{n}" for n in range(12)])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    site.release(batch)
    (out,) = (path for path in site.store.released.iterdir() if (path / "accounts.csv").exists())
    waiting = next(name for name, state in site.states().items() if state == "approved")
    forget(site, waiting)
    assert not list(site.store.staged.iterdir())
    assert not list(site.store.proposed.iterdir())
    assert set(site.counted()) == {"released", "proposed", "rejected"}
    site.run("verify", str(out), "--approvers", str(site.approvers))


def test_who_is_to_be_given_something_back_is_forgotten_after_that(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.run("retract", "--account", "a1", "--reason", "wrong", "--as", "lead")
    forget(applied, "a1", code=6)
    assert "approve and release first" in capsys.readouterr().err
    (back,) = (path for path in applied.store.proposed.glob("*-r*") if path.is_dir())
    applied.approve(back, "lead_2")
    applied.release(back)
    forget(applied, "a1")


def test_whom_a_retraction_names_beside_somebody_else_is_forgotten_after_that(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its STIX bundle tells partners who still stands in the grouping: a2, too."""
    applied.run("retract", "--account", "a1", "--reason", "wrong", "--as", "lead")
    (back,) = (path for path in applied.store.proposed.glob("*-r*") if path.is_dir())
    assert '"user_id":"a2"' in (back / "stix_bundle.json").read_text()
    forget(applied, "a2", code=6)
    told = capsys.readouterr().err
    assert "a2 is named by 1 of the reversals that wait, limit 0" in told
    assert f"approve and release first: {back.name}" in told
    applied.approve(back, "lead_2")
    applied.release(back)
    forget(applied, "a2", FORCE)
    assert back.name in capsys.readouterr().out  # it left with a2, and keeps it
    applied.run("retract", "--account", "a3", "--reason", "wrong", "--as", "lead")
    (later,) = (path for path in applied.store.proposed.glob("*-r*") if path.is_dir())
    assert not any('"a2"' in path.read_text() for path in later.iterdir())


def test_a_batch_that_waits_with_a_forgotten_target_goes(site: Site) -> None:
    """Whom bots follow has done nothing, and stands in the evidence against them."""
    evidence = FrozenEvidence([entity(entity_type="target", entity_id="celebrity")])
    row = {
        "snapshot_sha256": SNAPSHOT,
        "account_id": "a1",
        "evidence": evidence.text(),
    }
    append_to_ledger(site.home, SNAPSHOTS, pa.Table.from_pylist([row], SNAPSHOTS.schema), "scoring")
    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    assert '"celebrity"' in (batch / "evidence.jsonl").read_text()
    forget(site, "celebrit", code=2)  # whole ids only
    forget(site, "celebrity")
    assert not batch.exists()
    assert site.states() == {"a1": "proposed"}


def test_an_account_is_found_wherever_it_stands_in_a_bundle(tmp_path: Path) -> None:
    """A bundle is one line; ids may hold any sign, and lie across the blocks that are read."""
    ids = ['say "user_id":"x"', "\\", "é" * 1000, "a" * BLOCK, "last"]
    users = [user_account(name) for name in ids]
    padding = [{"content": "." * (BLOCK - 600)}] * 3
    objects = [each for user, more in zip_longest(users, padding) for each in (more, user)]
    for ascii_only in (True, False):
        text = json.dumps({"objects": objects}, separators=(",", ":"), ensure_ascii=ascii_only)
        (tmp_path / "stix_bundle.json").write_text(text)
        assert all(carries(tmp_path, {name}) for name in ids)
        assert not any(carries(tmp_path, {name}) for name in ("x", "las", "é", "a"))


def test_the_audit_log_names_a_held_account_by_the_hash_that_forgetting_leaves(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    for action in ("ADD", "LIFT"):
        hold(applied, action, "a1")
    forget(applied, "a1", FORCE)
    assert "audit log" not in capsys.readouterr().out
    lines = [
        json.loads(line)
        for path in sorted(audit_folder(applied.home).glob("0*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    subjects = [line["details"].get("subject") for line in lines[-3:-1]]
    assert subjects == [lines[-1]["details"]["account"]] * 2
    assert check_audit.main(["verify", *applied.arguments]) == 0


def test_a_reason_that_names_the_account_remains_and_is_told(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(applied, "ADD", "n1", reason="a1 complained")
    hold(applied, "LIFT", "n1")
    forget(applied, "a1", FORCE)
    told = capsys.readouterr().out
    assert "the audit log has its id, in a reason" in told
    assert "0000000005.jsonl, line 1" in told


def test_whom_nobody_knows_is_not_forgotten(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    forget(applied, "nobody99", code=2)
    assert "nobody99 is unknown" in capsys.readouterr().err


def test_a_copy_of_a_batch_that_left_in_stages_did_not_wait(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.settings["enforcement.staged_from"] = 2
    site.settings["enforcement.stages"] = [1.0]
    site.decide(["a1", "a2"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    site.release(batch)
    forget(site, "a1", FORCE)
    told = capsys.readouterr().out
    assert f"copies of batches that had ended before are deleted: {batch.name}" in told
    assert "waited" not in told


def test_forget_says_when_the_database_cannot_be_reached(
    applied: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All else is done; the same command does the rest when the database is up."""
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:1")
    monkeypatch.setenv("NEO4J_PASSWORD", "secret")
    forget(applied, "a1", FORCE, code=5)
    told = capsys.readouterr()
    assert "a1 is still in Neo4j: cannot reach Neo4j" in told.err
    assert "run the same command again" in told.err
    assert everywhere(applied.home, "'a1'") == set()


@pytest.mark.parametrize("subject", ["account", "decision", "network"])
def test_what_is_held_is_not_forgotten(applied: Site, subject: str) -> None:
    subjects = {"account": "a1", "decision": decision_of(applied, "a1"), "network": "n1"}
    hold(applied, "ADD", subjects[subject])
    forget(applied, "a1", code=6)
    assert "a1" in applied.states()


def test_who_comes_back_after_being_forgotten_is_still_cleared(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log may keep the account; a ledger has only its hash."""
    benign = {"subject_id": "a1", "label": "benign", "labelled_at": datetime.now(UTC)}
    give_label(site, label(**benign, source="investigation"))
    forget(site, "a1")
    site.decide(["a1"])
    assert site.export(code=6) is None
    assert "guard cleared: 1 accounts, limit 0" in capsys.readouterr().err
