"""A simulated week is judged: each kind by its name, look-alikes by none, and nothing by itself."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exporters.audit import read_lines
from graph.engines.base import Engine
from graph.frames import engine_api
from graph.ledger import append_to_ledger, read_ledger
from jobs import check_signatures, explain_subject, run_pipeline, score_networks, simulate_events
from jobs.places import audit_folder
from signatures.backtest import BACKTESTS, DAYS_NEEDED, PROMOTIONS, promoted
from signatures.decisions import DECISIONS
from signatures.life_cycle import check_history, current
from signatures.loading import load
from signatures.review_sample import REVIEW_SAMPLES
from tests.integration.sites import DAY, Site

NAMES = {
    "copypasta_ring": "Copypasta ring",
    "device_farm": "Device farm",
    "engagement_ring": "Engagement ring",
    "false_reporting": "Mass false reporting",
    "hijacked_accounts": "Account-takeover wave",
    "reshare_amplifier": "Fast-reshare amplifier ring",
    "rotating_bot_net": "IP-rotating bot net",
    "sign_up_burst": "Bulk sign-up",
    "sleeper_network": "Sleeper network that wakes",
}
"""The signature that names each planted kind."""

LIVE = ("--set", "signatures.live=[all]")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("scoring")
    size = ["--accounts", "6000", "--days", "7", "--end-ds", str(DAY), "--seed", "11"]
    assert simulate_events.main([*size, "--out", str(folder)]) == 0
    site = Site(folder, duckdb_engine)
    with engine_api(duckdb_engine.api_root):
        assert run_pipeline.main(arguments(site, *LIVE), duckdb_engine) == 0
        yield site


def arguments(site: Site, *more: str, ds: str = str(DAY)) -> list[str]:
    config = ["--config", str(site.folder / "config.yaml"), "--set", f"home={site.home}"]
    return ["--ds", ds, *config, *more]


def truth(site: Site) -> dict[str, set[tuple[str, str, bool]]]:
    told: dict[str, set[tuple[str, str, bool]]] = defaultdict(set)
    for row in pq.read_table(site.folder / "truth").to_pylist():
        told[row["account_id"]].add((row["kind"], row["role"], row["planted"]))
    return told


def kind_of_networks(site: Site) -> dict[str, str | None]:
    """The planted kind of most members, None for a network without a planted account."""
    told = truth(site)
    kinds: dict[str, Counter[str | None]] = defaultdict(Counter)
    for row in site.rows("memberships"):
        planted = [kind for kind, _, is_planted in told[row["account_id"]] if is_planted]
        kinds[row["network_id"]][planted[0] if planted else None] += 1
    return {network: counts.most_common(1)[0][0] for network, counts in kinds.items()}


def test_each_kind_is_named_by_its_signature_and_look_alikes_by_none(site: Site) -> None:
    named = {row["network_id"]: row["title"] for row in site.rows("scores")}
    kinds = kind_of_networks(site)
    confusion = Counter((kind, named[network]) for network, kind in kinds.items())
    right = sum(confusion[kind, name] for kind, name in NAMES.items())
    planted = sum(kind is not None for kind in kinds.values())
    assert right >= 0.9 * planted, confusion
    hits = {name: count for (kind, name), count in confusion.items() if kind is None and name}
    assert hits == {}, "a signature of abuse names innocents"


def test_who_would_be_included_but_for_calibration_is_planted(site: Site) -> None:
    """No sample was measured, so all go to review; what else is missing is told of each."""
    unmeasured = {"not stable", "not measured"}
    told = truth(site)
    ready = [
        row
        for row in site.rows("inclusions")
        if row["signature_id"] and all(any(u in r for u in unmeasured) for r in row["reasons"])
    ]
    assert len(ready) >= 20
    for row in ready:
        assert any(planted for _, _, planted in told[row["account_id"]]), row
    assert not any(row["included"] for row in site.rows("inclusions"))


def test_review_is_asked_for_and_nothing_is_proposed(site: Site) -> None:
    ledger = read_ledger(site.home, DECISIONS)
    check_history(ledger)
    assert set(current(ledger).column("state").to_pylist()) == {"in_review"}
    network_of = {row["account_id"]: row["network_id"] for row in site.rows("memberships")}
    disposition = {row["network_id"]: row["disposition"] for row in site.rows("scores")}
    reviewed = {disposition[network_of[account]] for account in ledger["account_id"].to_pylist()}
    assert reviewed == {"review"}


def test_a_rerun_decides_nothing_new(site: Site) -> None:
    names = ("network_features", "account_features", "findings", "inclusions", "scores")
    before, tables = read_ledger(site.home, DECISIONS), [site.rows(name) for name in names]
    assert score_networks.main(arguments(site, *LIVE), site.engine) == 0
    assert read_ledger(site.home, DECISIONS).equals(before)
    assert [site.rows(name) for name in names] == tables


def test_in_shadow_there_are_findings_and_no_decisions(site: Site, tmp_path: Path) -> None:
    other = Site(site.folder, site.engine)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "warehouse").symlink_to(site.warehouse.folder)
    home = ("--set", f"home={tmp_path / 'home'}")
    assert score_networks.main([*arguments(other), *home], site.engine) == 0
    assert {row["mode"] for row in site.rows("findings")} == {"shadow"}
    assert read_ledger(tmp_path / "home", DECISIONS).num_rows == 0
    assert score_networks.main(arguments(site, *LIVE), site.engine) == 0


def test_explain_tells_of_a_network_an_account_and_a_decision(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    decision = read_ledger(site.home, DECISIONS).to_pylist()[0]
    settings = arguments(site)[2:]
    for subject in ("network_id", "account_id", "decision_id"):
        assert explain_subject.main([decision[subject], *settings]) == 0
        told = capsys.readouterr().out
        assert decision[subject] in told
    assert "Evidence for, as frozen" in told
    assert explain_subject.main(["nobody", *settings]) == 3
    assert "neither a network nor an account" in capsys.readouterr().err


def test_a_signature_is_tried_on_published_days_and_then_made_live(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trial finds what scoring found; a week of trials is needed, and the audit log knows who."""
    home, settings = site.home, arguments(site)[2:]
    farm = next(each for each in load() if each.title == "Device farm")
    file = str(files("signatures") / "rules" / "device_farm.yml")
    backtest = ["backtest", file, "--from", str(DAY - timedelta(days=2)), "--to", str(DAY)]
    assert check_signatures.main([*backtest, *settings], site.engine) == 0
    first = capsys.readouterr()
    assert "2 of the days were not scored" in first.err
    rows = read_ledger(home, BACKTESTS).to_pylist()
    found = {
        row["network_id"]
        for row in site.rows("findings")
        if row["title"] == "Device farm" and row["subject_type"] == "network"
    }
    members = [row for row in site.rows("memberships") if row["network_id"] in found]
    assert (rows[0]["networks"], rows[0]["accounts"]) == (len(found), len(members)) != (0, 0)

    (sample,) = (home / "review").iterdir()
    drawn = [json.loads(line) for line in sample.read_text().splitlines()]
    assert {row["network_id"] for row in drawn} <= found
    assert all(0 < row["sampling_probability"] <= 1 for row in drawn)
    assert check_signatures.main([*backtest, *settings], site.engine) == 0
    assert read_ledger(home, REVIEW_SAMPLES).num_rows <= len(drawn), "drawn once"

    promote = ["promote", str(farm.id), "--reason", "a quiet week", "--as", "lead", *settings]
    assert check_signatures.main(promote, site.engine) == 6
    assert "was tried on 1 days as it is now, limit 7" in capsys.readouterr().err
    earlier = [rows[0] | {"ds": DAY - timedelta(days=age)} for age in range(1, DAYS_NEEDED)]
    append_to_ledger(
        home, BACKTESTS, pa.Table.from_pylist(earlier, schema=BACKTESTS.schema), "earlier"
    )
    assert check_signatures.main(promote, site.engine) == 0
    assert promoted(read_ledger(home, PROMOTIONS), [farm]) == [str(farm.id)]
    last = json.loads([line for _, line in read_lines(audit_folder(home))][-1])
    assert (last["action"], last["actor"]) == ("signature live", "lead")
    assert last["details"]["reason"] == "a quiet week"


@pytest.mark.parametrize(
    ("given", "code", "problem"),
    [
        (["backtest", "absent.yml", "--from", "2026-11-22", "--to", "2026-11-22"], 2, "cannot"),
        (["backtest", "{rules}", "--from", "2026-11-22", "--to", "2026-11-22"], 2, "not a folder"),
        (["backtest", "{farm}", "--from", "2026-11-22", "--to", "2026-11-21"], 2, "is after"),
        (["backtest", "{farm}", "--from", "2025-11-22", "--to", "2025-11-22"], 3, "was scored"),
        (["promote", "nobody", "--reason", "why not"], 2, "no signature has the id"),
    ],
)
def test_what_cannot_be_tried_is_told(
    site: Site,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    code: int,
    problem: str,
) -> None:
    rules = files("signatures") / "rules"
    named = [text.format(rules=rules, farm=rules / "device_farm.yml") for text in given]
    settings = ["--config", str(site.folder / "config.yaml"), "--set", f"home={tmp_path}"]
    assert check_signatures.main([*named, *settings], site.engine) == code
    assert problem in capsys.readouterr().err
