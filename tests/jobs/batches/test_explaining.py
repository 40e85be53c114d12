"""Explaining: the evidence as it was frozen, without what nobody should have to see."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from exporters.enforcement.files import files_of
from graph.evidence import LINK_EVIDENCE
from graph.features.computed import NETWORK_FEATURES_TABLE
from graph.fusion import ACCOUNT_LINKS
from graph.networks import MEMBERSHIPS, NETWORKS
from jobs import explain_subject
from jobs.masking import masking_key, masks
from signatures.findings import FINDINGS
from signatures.inclusions import INCLUSIONS
from signatures.scores import SCORES
from tests.exporters.enforcement.builders import CONTENT
from tests.jobs.batches.sites import TODAY, Site, appeal_of, decision_of, listed
from tests.jobs.batches.warehouses import publish


def flagged(site: Site) -> str:
    """Flag the content of all decisions as sensitive, in capitals; returns its masked id."""
    entry = {"entity_type": "content", "entity_id": CONTENT.upper(), "kind": "csam"}
    listed(site, "sensitive_entities", **entry)
    cleaned = pa.Table.from_pylist([{**entry, "entity_id": CONTENT}])
    masked: str = masks(cleaned, masking_key(site.home)).to_pylist()[0]["masked_id"]
    return masked


@pytest.mark.parametrize("subject", ["account", "decision"])
def test_explain_masks_sensitive_entities_as_the_database_does(
    applied: Site, subject: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = {"account_a": "a1", "account_b": "a2", "trace": "co_post"}
    at = datetime(2026, 11, 22, tzinfo=UTC)
    shared = {"entity_type": "content", "entity_id": CONTENT, "rarity": 3.0}
    member = {"account_id": "a1", "network_id": "n1"}
    publish(applied.home, MEMBERSHIPS, TODAY, [{**member, "joined_on": TODAY}])
    publish(
        applied.home, LINK_EVIDENCE, TODAY,
        [{**pair, **shared, "first_at": at, "last_at": at}],
    )  # fmt: skip
    judged = {"role": "actor", "role_reasons": [], "reasons": [], "included": False}
    dropped = {"dropped_by": [f"content:{CONTENT}"]}
    publish(applied.home, INCLUSIONS, TODAY, [{**member, **judged, **dropped}])
    publish(applied.home, NETWORKS, TODAY, [{"network_id": "n1", "lineage": []}])
    for table in (ACCOUNT_LINKS, FINDINGS):
        publish(applied.home, table, TODAY, [])
    name = {"account": "a1", "decision": decision_of(applied, "a1")}[subject]
    assert explain_subject.main([name, *applied.arguments], applied.engine) == 0
    assert CONTENT in capsys.readouterr().out
    masked = flagged(applied)
    assert explain_subject.main([name, *applied.arguments], applied.engine) == 0
    told = capsys.readouterr().out
    assert CONTENT not in told
    assert told.count(masked) == {"account": 2, "decision": 1}[subject]


@pytest.mark.parametrize("subject", ["account", "network", "decision"])
def test_explain_tells_earlier_outcomes_first(
    applied: Site, subject: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was overturned or taken back, when and why, before anything that accuses."""
    first = decision_of(applied, "a1")
    applied.appeal(appeal_of(first, "overturned", reason_code="it was a choir"))
    order = ["--account", "a2", "--reason", "a newsroom", "--as", "lead"]
    applied.run("retract", *order)
    back = max(path for path in applied.store.proposed.glob("*-r*") if path.is_dir())
    applied.approve(back, "lead_1")
    applied.release(back)
    (second,) = applied.decide(["a1"], policy_id="spam", state="in_review")
    member = {"account_id": "a1", "network_id": "n1"}
    judged = {"role": "actor", "role_reasons": [], "reasons": [], "included": False}
    counts = {"accounts": 3, "core_accounts": 3, "links": 3}
    network = {"network_id": "n1", "lineage": [], "traces": [], **counts}
    publish(applied.home, MEMBERSHIPS, TODAY, [{**member, "joined_on": TODAY}])
    publish(applied.home, INCLUSIONS, TODAY, [{**member, **judged, "dropped_by": []}])
    publish(applied.home, NETWORKS, TODAY, [network])
    for table in (ACCOUNT_LINKS, LINK_EVIDENCE, FINDINGS, SCORES, NETWORK_FEATURES_TABLE):
        publish(applied.home, table, TODAY, [])
    name = {"account": "a1", "network": "n1", "decision": second}[subject]
    capsys.readouterr()
    assert explain_subject.main([name, *applied.arguments], applied.engine) == 0
    title, *tables = capsys.readouterr().out.split("\n\n")
    assert tables[0].startswith("Earlier outcomes: look at these first")
    assert re.search(r"a1 +suspend +inauthentic_accounts +overturned +hearer +it was a choir",
                     tables[0])  # fmt: skip
    assert ("a newsroom" in tables[0]) == (subject == "network")
    assert "Earlier outcomes" not in title


def test_what_is_flagged_in_capitals_does_not_leave_either(site: Site) -> None:
    site.decide(["a1"])
    flagged(site)
    batch = site.export("--format", "signals", "--format", "stix", "--format", "stix-internal")
    assert batch is not None
    for name, path in files_of(batch).items():
        assert CONTENT not in path.read_text(), name


def test_explain_shows_signs_that_a_terminal_would_obey(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (name,) = site.decide(["a1\x1b[2J\r\nproposed: none"])
    assert explain_subject.main([name, *site.arguments], site.engine) == 0
    told = capsys.readouterr().out
    assert "a1\\x1b[2J\\r\\nproposed: none" in told
    assert "\x1b" not in told
