"""Batches with members of a large network: a sample let them through, and they leave in stages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from jobs.accepted_lots import print_accepted
from signatures.acceptance import ACCEPTANCE_LOTS, SAMPLED
from tests.exporters.enforcement.builders import SIGNATURE
from tests.jobs.batches.sites import SNAPSHOT, Site, give_label
from tests.ledger_rows import append_to_ledger

NAMES = [f"a{number}" for number in range(60)]


@pytest.fixture
def large(site: Site) -> Site:
    """A site whose networks have fifty accounts at most, and one with sixty that are proposed."""
    site.settings["proposals.max_accounts"] = 50
    site.decide(NAMES)
    return site


def sample(site: Site, *reviewers: str, verdict: str = "abusive") -> None:
    """A lot of the network, of which a0 and a1 were drawn and judged by these reviewers."""
    rows = [
        {"sample_id": "a-1", "account_id": name, "network_id": "n1", "signature_id": SIGNATURE}
        | {"snapshot_sha256": SNAPSHOT, "role": "actor", "floor": 0.98, "drawn": name in NAMES[:2]}
        for name in NAMES
    ]
    if not site.ledger(ACCEPTANCE_LOTS).num_rows:
        lots = pa.Table.from_pylist(rows, schema=ACCEPTANCE_LOTS.schema)
        append_to_ledger(site.home, ACCEPTANCE_LOTS, lots, "drawn")
    for reviewer in reviewers:
        for name in NAMES[:2]:
            give_label(site, judged(name, reviewer, verdict))


def judged(name: str, reviewer: str, verdict: str) -> dict[str, Any]:
    return {
        "label_id": f"{name}-{reviewer}-{verdict}",
        "subject_type": "account",
        "subject_id": name,
        "snapshot_sha256": SNAPSHOT,
        "label": verdict,
        "source": "investigation",
        "sample_id": "a-1",
        "blind": True,
        "reviewer": reviewer,
        "labelled_at": datetime.now(UTC) - timedelta(hours=1),
    }


def test_without_a_sample_it_does_not_leave(
    large: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert large.export(code=6) is None
    assert "guard acceptance: 60 accounts, limit 0" in capsys.readouterr().err
    sample(large, "ann")
    assert large.export(code=6) is None


def test_it_leaves_in_three_stages_whatever_the_site_has(large: Site) -> None:
    large.settings |= {"enforcement.staged_from": 1000, "enforcement.stages": [1.0]}
    sample(large, "ann", "bob")
    batch = large.export()
    assert batch is not None
    large.approve(batch, "lead_1")
    large.release(batch)
    first = large.counted()
    assert 0 < first["released"] < 20, "of sixty accounts some six, or one, go first"
    large.release(batch, code=6)
    assert large.counted() == first, "the next stage waits for receipts"


def test_its_evidence_tells_of_the_sample(large: Site, capsys: pytest.CaptureFixture[str]) -> None:
    sample(large, "ann", "bob")
    batch = large.export()
    assert batch is not None
    rows = map(json.loads, (batch / "evidence.jsonl").read_text().splitlines())
    told = [row for row in rows if row["text"].startswith(SAMPLED)]
    assert {row["account_id"] for row in told} == set(NAMES)
    assert {row["direction"] for row in told} == {"for"}
    assert all(": ann, bob, " in row["text"] for row in told)
    print_accepted(large.home, large.config.proposals, "n1")
    print_accepted(large.home, large.config.proposals, "a0")
    told_of = capsys.readouterr().out
    assert "Accepted samples" in told_of and "60" in told_of and "ann, bob" in told_of
    print_accepted(large.home, large.config.proposals, "n2")
    assert capsys.readouterr().out == ""


def test_it_stops_once_the_sample_is_doubted(
    large: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    sample(large, "ann", "bob")
    batch = large.export()
    assert batch is not None
    large.approve(batch, "lead_1")
    give_label(large, judged("a1", "carl", "unsure"))
    large.release(batch, code=6)
    assert "guard acceptance: " in capsys.readouterr().err
    assert large.counted() == {"proposed": 60}


def test_who_judged_the_sample_cannot_approve(large: Site) -> None:
    sample(large, "ann", "lead_2")
    assert large.export("--to-review", "not these", code=0) is not None
    (batch,) = (path for path in large.store.proposed.iterdir() if path.is_dir())
    large.approve(batch, "lead_2", code=6)
    large.approve(batch, "lead_1")


def test_what_two_reviewers_decided_needs_no_sample(site: Site) -> None:
    site.settings["proposals.max_accounts"] = 50
    site.decide(NAMES, route="investigated", actor="ann, bob")
    site.release_all()
    assert site.counted() == {"released": 60}
