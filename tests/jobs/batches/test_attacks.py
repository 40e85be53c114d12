"""What an attacker or a careless insider would try; each is refused with a clear word."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from signatures.decisions import DECISIONS
from tests.jobs.batches.sites import SNAPSHOT, TODAY, Site, give_label, listed


def test_a_protected_account_stops_the_whole_batch_even_after_approval(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decide(["a1", "a2"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    listed(site, "protected_accounts", account_id="a2")
    site.release(batch, code=6)
    assert "guard protected: 1 accounts, limit 0" in capsys.readouterr().err
    assert site.counted() == {"proposed": 2}
    assert not list(site.store.released.glob("*"))
    assert site.export(code=6) is None


def test_what_a_guard_stops_goes_to_review_when_somebody_says_so(site: Site) -> None:
    site.decide(["a1", "a2"])
    site.decide(["a3"], subject_role="target")
    listed(site, "protected_accounts", account_id="a2")
    assert site.export(code=6) is None
    batch = site.export("--to-review", "a newsroom was added")
    assert batch is not None
    assert [json.loads(line)["account_id"] for line in (batch / "accounts.jsonl").open()] == ["a1"]
    assert site.states() == {"a1": "proposed", "a2": "in_review", "a3": "in_review"}
    (row,) = (
        row
        for row in site.ledger(DECISIONS).to_pylist()
        if row["account_id"] == "a2" and row["state"] == "in_review"
    )
    assert (row["actor"], row["reason"]) == ("requester", "a newsroom was added")


@pytest.mark.parametrize("members", [None, ["a2"]], ids=["all members", "one of them"])
def test_whom_a_reviewer_calls_benign_after_the_approval_does_not_leave(
    site: Site, capsys: pytest.CaptureFixture[str], members: list[str] | None
) -> None:
    """A verdict on a network is about each of its members, until it is withdrawn."""
    site.decide(["a1", "a2"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    verdict = {
        "label_id": "v1",
        "subject_type": "network",
        "subject_id": "n1",
        "snapshot_sha256": SNAPSHOT,
        "label": "benign",
        "source": "investigation",
        "reviewer": "hearer",
        "labelled_at": datetime.now(UTC),
        "members": members,
    }
    give_label(site, verdict)
    site.release(batch, code=6)
    count = 2 if members is None else 1
    assert f"guard cleared: {count} accounts, limit 0" in capsys.readouterr().err
    assert site.counted() == {"proposed": 2}
    assert site.export(code=6) is None
    ended = {**verdict, "label_id": "v2", "supersedes": "v1", "withdrawn_at": datetime.now(UTC)}
    give_label(site, ended)
    assert site.export() is not None


def test_a_list_that_changed_since_the_export_is_looked_at_before_the_release(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what cannot be compared is not taken for little."""
    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    listed(site, "protected_accounts", account_id="a9")
    site.release(batch, code=6)
    told = "guard list change: an unknown share of links or proposals moved, limit 10%"
    assert told in capsys.readouterr().err
    assert site.counted() == {"proposed": 1}
    assert site.export("--acknowledge-lists", "a newsroom was added") is not None


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ({"approved_by": "clerk"}, "the same"),
        ({"approved_by": ""}, "approved_by must be given"),
        ({"reason": ""}, "reason must be given"),
        ({"expires_at": str(TODAY + timedelta(days=400))}, "more than 180 days"),
    ],
)
def test_nobody_hides_behind_an_entry_that_nobody_answers_for(
    site: Site, capsys: pytest.CaptureFixture[str], entry: dict[str, str], word: str
) -> None:
    site.decide(["a1"])
    listed(site, "protected_accounts", account_id="a1", **entry)
    assert site.export(code=6) is None
    assert word in capsys.readouterr().err


def test_caps_stop_a_flood(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.decide([f"a{number}" for number in range(11)])
    for cap in ("batch", "signature", "market"):
        site.settings = {**site.settings, f"enforcement.caps.{cap}": 10}
        assert site.export(code=6) is None
        assert f"guard {cap} cap: 11 accounts, limit 10" in capsys.readouterr().err
        del site.settings[f"enforcement.caps.{cap}"]
    site.settings["enforcement.caps.baseline_least"] = 10
    assert site.export(code=6) is None
    assert "guard volume baseline: 11 accounts today, limit 10" in capsys.readouterr().err


def test_a_flood_is_stopped_by_the_share_of_the_active_accounts_whatever_the_day(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """The day that is asked for has no graph: the last one before counts, and none is a stop."""
    site.settings["enforcement.caps.population"] = 0.01
    site.decide([f"a{number}" for number in range(11)])
    assert site.export(code=6) is None
    assert "guard population cap: 11 accounts, limit 10" in capsys.readouterr().err
    shutil.rmtree(site.home / "warehouse" / "nodes")
    assert site.export(code=6) is None
    assert "guard population cap: 0 days have a graph, limit at least 1" in capsys.readouterr().err


def test_a_flood_in_small_batches_is_stopped_too(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.settings["enforcement.caps.baseline_least"] = 3
    site.decide(["a1", "a2"])
    site.release_all()
    site.decide(["a3", "a4"])
    assert site.export(code=6) is None
    assert "4 accounts today, limit 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"subject_role": "target"}, "subject role"),
        ({"subject_role": "bystander", "action": "challenge"}, "subject role"),
        ({"subject_role": "compromised", "action": "suspend"}, "subject role"),
        ({"subject_role": "actor", "action": "secure_account"}, "subject role"),
    ],
)
def test_only_actors_are_restricted(
    site: Site, capsys: pytest.CaptureFixture[str], changed: dict[str, str], word: str
) -> None:
    site.decide(["a1"], **changed)
    assert site.export(code=6) is None
    assert word in capsys.readouterr().err


@pytest.mark.parametrize(
    "measured",
    [
        {"low": 0.97},
        {"low": 0.995, "days_ago": 90},
        {"low": 0.995, "scope_id": "another"},
        {"low": 0.995, "borrowed_from": "spam"},
        {"low": 0.995, "estimate": None},
    ],
)
def test_what_no_fresh_calibration_carries_does_not_leave(
    site: Site, capsys: pytest.CaptureFixture[str], measured: dict[str, Any]
) -> None:
    site.measure(**measured)
    site.decide(["a1"])
    site.decide(["a2"], route="investigated")
    assert site.export(code=6) is None
    assert "guard measured precision: 1 accounts, limit 0" in capsys.readouterr().err
    batch = site.export("--to-review", "measured too long ago")
    assert batch is not None
    assert site.states() == {"a1": "in_review", "a2": "proposed"}


def test_a_market_with_a_lower_precision_keeps_its_accounts(site: Site) -> None:
    site.measure(0.995, low_in_de=0.9)
    site.decide(["a1"])
    assert site.export(code=6) is None
    site.measure(0.995, low_in_de=0.99)
    assert site.export() is not None


@pytest.mark.parametrize(("market", "leaves"), [("us", False), (None, True)])
def test_a_market_that_nobody_measured_keeps_its_accounts(
    site: Site, market: str | None, leaves: bool
) -> None:
    """One that is unknown passes where the worst of the measured ones does."""
    site.decide(["a1"], market=market)
    assert (site.export(code=0 if leaves else 6) is not None) == leaves
    site.measure(0.995, low_in_de=0.9)
    site.decide(["a2"], market=market)
    assert site.export(code=6) is None


def test_one_account_has_one_action_under_a_policy(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decide(["a1"], action="suspend")
    site.decide(["a1"], action="limit_reach")
    assert site.export(code=6) is None
    assert "one decision" in capsys.readouterr().err


def test_a_policy_that_nobody_wrote_down_is_refused(site: Site) -> None:
    site.decide(["a1"], policy_id="because_i_say_so")
    assert site.export(code=2) is None


@pytest.mark.parametrize("harm", ["none", "short", "open"])
def test_devices_do_not_leave_without_a_good_key(site: Site, harm: str) -> None:
    site.decide(["a1"])
    key = Path(str(site.settings["enforcement.key_file"]))
    if harm == "none":
        del site.settings["enforcement.key_file"]
    elif harm == "short":
        key.write_bytes(b"short")
    else:
        key.chmod(0o644)
    assert site.export(code=2) is None


def test_two_exports_at_once_one_says_so(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.decide(["a1"])
    with site.changes():
        assert site.export(code=5) is None
    assert "is in use by `test`" in capsys.readouterr().err
    assert site.export() is not None


def test_a_clock_that_was_set_back_stops_everything(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decide(["a1"])
    with site.changes(after=timedelta(hours=1)) as changes:
        changes.audit("something", "somebody", {})
        changes.publish()
    assert site.export(code=6) is None
    assert "guard clock" in capsys.readouterr().err


def test_a_batch_that_waited_too_long_is_void(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    from jobs.batches.releasing import Voided, release

    site.decide(["a1"])
    batch = site.export()
    assert batch is not None
    site.approve(batch, "lead_1")
    with site.changes(after=timedelta(hours=73)) as changes:
        with pytest.raises(Voided, match="has passed"):
            release(changes, batch.name, "releaser")
        changes.publish()
    assert site.counted() == {"proposed": 1}


def test_a_replaced_batch_cannot_be_approved_any_more(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.decide(["a1"])
    old = site.export()
    site.decide(["a2"])
    new = site.export()
    assert old is not None and new is not None
    site.approve(old, "lead_1", code=6)
    assert f"superseded: {new.name}" in capsys.readouterr().err
    site.run("verify", str(old), "--approvers", str(site.approvers), code=6)
    assert f"is superseded by {new.name}" in capsys.readouterr().err


def test_a_rerun_exports_nothing_that_has_left(applied: Site) -> None:
    assert applied.export() is None
    applied.decide(["a4"])
    batch = applied.export()
    assert batch is not None
    assert [json.loads(line)["account_id"] for line in (batch / "accounts.jsonl").open()] == ["a4"]


def test_nothing_is_taken_back_that_never_left(site: Site) -> None:
    site.decide(["a1"])
    order = ["--reason", "wrong", "--as", "lead"]
    site.run("retract", "--account", "a1", *order, code=2)
    site.run("retract", *order, code=2)


def test_a_batch_of_a_demo_is_refused_by_a_real_desk(site: Site) -> None:
    from jobs.enforcement_desk import Refused

    site.settings["enforcement.environment"] = "demo"
    site.decide(["a1"])
    released = site.release_all()
    with pytest.raises(Refused, match="environment is demo"):
        site.desk().import_batch(released)


def test_a_read_only_home_is_told_of(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.settings["home"] = "/proc/actorgraph"
    assert site.export(code=5) is None
    assert "cannot write to" in capsys.readouterr().err


def test_a_batch_to_be_taken_back_is_named_and_no_pattern(
    applied: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    applied.run("retract", "--batch", ".*", "--reason", "oops", "--as", "lead", code=2)
    assert "'.*' is no batch" in capsys.readouterr().err
    assert applied.counted() == {"applied": 3}
