"""From an innocent explanation that was overridden to a batch that says so."""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exporters.audit import read_lines
from graph.engines.base import Engine
from graph.frames import engine_api
from graph.ledger import read_ledger
from jobs import explain_subject, export_enforcement, run_pipeline, score_networks
from jobs.batches.changes import changing
from jobs.check_signatures import main as signatures
from jobs.configuration import load
from jobs.places import audit_folder
from jobs.published_days import PublishedDays
from signatures.decisions import DECISIONS
from signatures.inclusions import OBSTACLES
from signatures.labels import LABELS
from signatures.life_cycle import check_history, current, moved
from signatures.overrides import OVERRIDES
from signatures.snapshots import SNAPSHOTS
from tests.exporters.enforcement.builders import approvers_file
from tests.integration.sites import DAY, Site
from tests.integration.test_calibrated_route import LOW
from tests.integration.truth import TRUSTED
from tests.ledger_rows import append_to_ledger
from tests.signatures.label_rows import label
from tests.signatures.signature_files import changed, write

TITLE = "Repair shop"
SHOP = changed("title", TITLE) | {
    "id": "7d1c62a4-5d0f-4d0e-8a55-52b8f2d3c901",
    "description": "Explains a network by a shop that repairs its phones.",
    "level": "informational",
    "tags": ["policy.innocent_explanation"],
    "benign": True,
    "enforcement": None,
    "tests": {
        "positive": [{"name": "A dense dozen", "features": {"accounts": 12, "density": 0.9}}],
        "abusive": [{"name": "A few phones", "features": {"accounts": 3, "density": 1}}],
    },
}
"""Explains every dense network of ten accounts or more."""

WHY = "no such shop exists"
(EXPLAINED,) = (f"{each.reason}: {TITLE}" for each in OBSTACLES if each.name == "explained")


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, measured: Site, duckdb_engine: Engine
) -> Iterator[Site]:
    """A site that was measured, and on which a signature explains some of what is proposed."""
    folder = tmp_path_factory.mktemp("override") / "site"
    shutil.copytree(measured.folder, folder)
    key = folder / "key"
    key.touch(0o600)
    key.write_bytes(b"k" * 32)
    write(folder, {name: part for name, part in SHOP.items() if part}, "repair_shop.yml")
    with engine_api(duckdb_engine.api_root):
        yield Site(folder, duckdb_engine)


@pytest.fixture
def home(site: Site) -> None:
    """No decision and no override yet."""
    shutil.rmtree(site.home / "ledger", ignore_errors=True)
    shutil.rmtree(site.home / "batches", ignore_errors=True)


def arguments(site: Site, *settings: str) -> list[str]:
    return ["--ds", str(DAY), *configured(site, *settings)]


def configured(site: Site, *settings: str) -> list[str]:
    given = [part for each in (f"home={site.home}", *settings) for part in ("--set", each)]
    return ["--config", str(site.folder / "config.yaml"), *TRUSTED, *given]


def with_shop(site: Site) -> list[str]:
    """The settings of a site whose floors are low and that has the signature."""
    return [
        LOW,
        f"signatures.paths=[{site.folder / 'repair_shop.yml'}]",
        f"enforcement.key_file={site.folder / 'key'}",
        "enforcement.caps={population: 1.0}",
    ]


def scored(site: Site) -> dict[str, dict[str, Any]]:
    """The inclusions of the day, scored anew, by account."""
    assert score_networks.main(arguments(site, *with_shop(site)), site.engine) == 0
    return {row["account_id"]: row for row in site.rows("inclusions")}


def override(site: Site, *given: str, signature: str = TITLE, code: int = 0) -> None:
    more = configured(site, *with_shop(site))
    assert signatures(["override", signature, *given, *more], site.engine) == code


def a_network_that_only_the_shop_keeps_out(rows: dict[str, dict[str, Any]]) -> str:
    kept_out = [row["network_id"] for row in rows.values() if row["reasons"] == [EXPLAINED]]
    assert kept_out, "the signature explains somebody who would be proposed"
    return min(kept_out)


def members(rows: dict[str, dict[str, Any]], network: str) -> set[str]:
    return {name for name, row in rows.items() if row["network_id"] == network}


def states(site: Site) -> dict[str, str]:
    ledger = read_ledger(site.home, DECISIONS)
    check_history(ledger)
    return {row["account_id"]: row["state"] for row in current(ledger).to_pylist()}


def test_what_was_overridden_is_proposed_with_a_line_against_it(
    site: Site, home: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = scored(site)
    network = a_network_that_only_the_shop_keeps_out(before)
    override(site, "--network", network, "--reason", f"  {WHY}\n", "--as", "ann")
    assert "joins later" in capsys.readouterr().out
    after = scored(site)
    mine = members(after, network)
    proposed = {name for name in mine if after[name]["included"]}
    assert proposed == {name for name in mine if before[name]["reasons"] == [EXPLAINED]}
    for name, row in after.items():
        told = row["overridden"]
        assert bool(told) == (name in mine)
        assert all(f"{TITLE} matches, and was overridden by ann" in each for each in told)
        assert all(each.endswith(f": {WHY}") for each in told)
        if name not in mine:
            assert (row["included"], row["reasons"]) == (
                before[name]["included"],
                before[name]["reasons"],
            )
    assert {states(site)[name] for name in proposed} == {"proposed"}

    batch = exported(site, tmp_path)
    evidence = rows_of(batch / "evidence.jsonl")
    against = {row["account_id"] for row in evidence if is_told(row["text"], row["direction"])}
    assert against == proposed
    (told,) = (row for row in rows_of(batch / "networks.jsonl") if row["network_id"] == network)
    assert any(WHY in line for line in told["against"])
    manifest = json.loads((batch / "manifest.json").read_text())
    assert "ann" in manifest["reviewers"]

    explain(site, min(proposed))
    assert WHY in capsys.readouterr().out
    explain(site, network)
    assert WHY in capsys.readouterr().out

    (given,) = read_ledger(site.home, OVERRIDES).to_pylist()
    assert signatures(["overrides", *configured(site)], site.engine) == 0
    assert given["override_id"] not in capsys.readouterr().out, "its signature is not there"
    more = configured(site, *with_shop(site))
    assert signatures(["overrides", *more], site.engine) == 0
    assert given["override_id"] in capsys.readouterr().out
    withdraw = ["withdraw", given["override_id"], "--reason", "it does", "--as", "bob"]
    assert signatures([*withdraw, *more], site.engine) == 0
    assert {name: row["reasons"] for name, row in scored(site).items()} == {
        name: row["reasons"] for name, row in before.items()
    }
    assert {states(site)[name] for name in proposed} == {"in_review"}
    lines = [json.loads(line) for _, line in read_lines(audit_folder(site.home))]
    told_of = [(line["action"], line["actor"]) for line in lines if "override" in line["action"]]
    assert told_of == [("override signature", "ann"), ("withdraw override", "bob")]


def is_told(text: str, direction: str) -> bool:
    return WHY in text and direction == "against"


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def explain(site: Site, subject: str) -> None:
    given = arguments(site, *with_shop(site))
    assert explain_subject.main([subject, *given], site.engine) == 0


def exported(site: Site, keys: Path) -> Path:
    given = [*with_shop(site), f"enforcement.approvers={approvers_file(keys, ['lead_1'])}"]
    asked = [*arguments(site, *given), "--as", "requester"]
    assert export_enforcement.main(asked, site.engine) == 0
    (batch,) = (path for path in (site.home / "batches/proposed").iterdir() if path.is_dir())
    return batch


POLICY = "inauthentic_accounts"


def judge(site: Site, network: str, *reviewers: str) -> None:
    """Reviewers call the members of the day abusive, as verdicts that are pulled do."""
    given = configured(site, *with_shop(site))
    sets = [each for flag, each in itertools.pairwise(given) if flag == "--set"]
    config = load([site.folder / "config.yaml"], sets, {})
    with changing(config, "verdicts", engine=site.engine) as changes:
        read = partial(changes.publication.warehouse.read, changes.engine)
        days = PublishedDays(changes.engine, config, changes.home, read)
        frozen = days.frozen({DAY: {network}})
        changes.append(SNAPSHOTS, changes.engine.from_arrow(days.not_in_ledger(frozen)))
        told = {
            "subject_type": "network",
            "subject_id": network,
            "snapshot_sha256": frozen.column("snapshot_sha256")[0].as_py(),
            "policy_id": POLICY,
            "source": "investigation",
            "sample_id": None,
            "sampling_probability": None,
            "labelled_at": changes.now,
        }
        changes.rows(
            LABELS, [label(**told, label_id=f"of {name}", reviewer=name) for name in reviewers]
        )
        changes.publish()


def decided_on(site: Site, accounts: set[str]) -> list[dict[str, Any]]:
    """The decisions of people on some accounts."""
    rows = current(read_ledger(site.home, DECISIONS)).to_pylist()
    mine = [row for row in rows if row["account_id"] in accounts and row["policy_id"] == POLICY]
    assert {row["account_id"] for row in mine} == accounts
    assert {row["route"] for row in mine} == {"investigated"}
    return mine


def test_what_two_reviewers_decide_waits_for_the_override_however_often_scoring_runs(
    site: Site, home: None
) -> None:
    before = scored(site)
    network = a_network_that_only_the_shop_keeps_out(before)
    actors = {name for name in members(before, network) if before[name]["role"] == "actor"}
    judge(site, network, "cat", "dan")
    way_out = (
        f"`actorgraph signatures override {shlex.quote(TITLE)} --network {network} --ds {DAY}`"
    )
    for _ in range(2):
        scored(site)
        waiting = decided_on(site, actors)
        assert {row["state"] for row in waiting} == {"in_review"}
        assert all(way_out in row["reason"] for row in waiting)
        figures = site.manifest("score_networks")["figures"]
        assert figures["accounts that wait for an override"] == len(actors)

    override(site, "--network", network, "--reason", WHY, "--as", "ann")
    scored(site)
    abuse = {
        row["signature_id"]
        for row in site.rows("findings")
        if row["subject_id"] == network and not row["benign"]
    }
    for row in decided_on(site, actors):
        assert (row["state"], row["actor"]) == ("proposed", "cat, dan")
        assert set(row["signature_ids"]) == abuse != set()
        assert row["market"] == before[row["account_id"]]["market"]
        assert row["overridden_signature_ids"] == [SHOP["id"]]


def test_a_rerun_of_a_day_that_left_moves_no_decision_of_people(site: Site, home: None) -> None:
    before = scored(site)
    network = a_network_that_only_the_shop_keeps_out(before)
    override(site, "--network", network, "--reason", WHY, "--as", "ann")
    judge(site, network, "cat", "dan")
    scored(site)
    for state, by in (("approved", "approvals"), ("released", "release")):
        rows = current(read_ledger(site.home, DECISIONS))
        ready = rows.filter(pc.is_in(rows.column("state"), pa.array(["proposed", "approved"])))
        at = datetime.now(UTC)
        out = moved(ready, state, by=by, at=at, actor="x", reason=None)
        append_to_ledger(site.home, DECISIONS, out, state)
    ledger = read_ledger(site.home, DECISIONS)
    assert "released" in states(site).values()
    scored(site)
    assert read_ledger(site.home, DECISIONS).equals(ledger)


def test_an_override_of_one_account_is_about_no_other(site: Site, home: None) -> None:
    before = scored(site)
    network = a_network_that_only_the_shop_keeps_out(before)
    name = min(each for each in members(before, network) if before[each]["reasons"] == [EXPLAINED])
    override(site, "--account", name, "--reason", WHY)
    after = scored(site)
    assert after[name]["included"]
    assert {each for each, row in after.items() if row["overridden"]} == {name}
    (line,) = read_lines(audit_folder(site.home))
    assert name not in line[1], "the audit log has accounts as keyed hashes"


def test_two_reviewers_of_one_day_judge_one_snapshot(site: Site, home: None) -> None:
    network = a_network_that_only_the_shop_keeps_out(scored(site))
    override(site, "--network", network, "--reason", WHY, "--as", "ann")
    frozen = read_ledger(site.home, SNAPSHOTS).num_rows
    name = min(members(scored(site), network))
    override(site, "--account", name, "--reason", WHY, "--as", "bob")
    rows = read_ledger(site.home, OVERRIDES).to_pylist()
    assert len({row["snapshot_sha256"] for row in rows}) == 1
    assert len(rows) == 2 and frozen
    override(site, "--network", network, "--reason", WHY, "--as", "bob", code=2)


@pytest.mark.parametrize(
    ("signature", "given", "code", "told"),
    [
        ("Repair shp", (), 2, "no benign signature has the id or title 'Repair shp'; did you mean"),
        ("Device farm", (), 2, "no benign signature has the id or title 'Device farm'"),
        (TITLE, ("--reason", "  "), 2, "--reason: say why"),
        (TITLE, ("--network", "n-0000000000000000"), 2, "has no network n-0000000000000000"),
        (TITLE, ("--ds", "2026-11-01"), 3, "has no day 2026-11-01"),
        ("Office", (), 2, "Office does not explain n-"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    site: Site,
    home: None,
    capsys: pytest.CaptureFixture[str],
    signature: str,
    given: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    network = a_network_that_only_the_shop_keeps_out(scored(site))
    override(site, "--network", network, "--reason", WHY, *given, signature=signature, code=code)
    assert told in capsys.readouterr().err
    assert read_ledger(site.home, OVERRIDES).num_rows == 0


def test_a_reason_and_one_subject_must_be_given(site: Site, home: None) -> None:
    override(site, "--network", "n-1", code=2)
    override(site, "--reason", WHY, code=2)
    override(site, "--network", "n-1", "--account", "a", "--reason", WHY, code=2)
    override(site, "--account", "nobody", "--reason", WHY, code=2)


def test_an_explanation_of_the_judged_day_holds_when_another_day_is_scored(
    site: Site, home: None
) -> None:
    """Its tables are asked, whichever day the next run is of."""
    before = scored(site)
    network = a_network_that_only_the_shop_keeps_out(before)
    actors = {name for name in members(before, network) if before[name]["role"] == "actor"}
    judge(site, network, "cat", "dan")
    another = ["--ds", str(DAY - timedelta(days=1)), *configured(site, *with_shop(site))]
    assert run_pipeline.main(another, site.engine) == 0
    for row in decided_on(site, actors):
        assert row["state"] == "in_review"
        assert f"--network {network} --ds {DAY}`" in row["reason"]
