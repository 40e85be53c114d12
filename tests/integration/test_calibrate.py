"""From a drawn sample over reviewers' labels to measured precision and what scoring makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exporters.audit import read_lines, verify_log
from graph.engines.base import Engine
from graph.frames import engine_api
from graph.ledger import read_ledger
from jobs import calibrate, run_pipeline, score_networks, simulate_events
from jobs.places import audit_folder
from signatures.backtests import BACKTESTS
from signatures.labels import LABELS
from signatures.review_sample import REVIEW_SAMPLES
from tests.integration.sites import DAY, Site
from tests.ledger_rows import append_to_ledger

ROOT = Path(calibrate.__file__).parents[1]
FARM = str(ROOT / "signatures" / "rules" / "device_farm.yml")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, duckdb_engine: Engine) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("calibrate")
    size = ["--accounts", "2000", "--days", "3", "--end-ds", str(DAY), "--seed", "5"]
    assert simulate_events.main([*size, "--out", str(folder)]) == 0
    site = Site(folder, duckdb_engine)
    with engine_api(duckdb_engine.api_root):
        assert run_pipeline.main(arguments(site), duckdb_engine) == 0
        assert run_calibrate(site, "--draw", "40") == 0
        fill_in(site)
        yield site


def arguments(site: Site, *more: str, ds: str = str(DAY)) -> list[str]:
    config = ["--config", str(site.folder / "config.yaml"), "--set", f"home={site.home}"]
    return ["--ds", ds, *config, "--set", "signatures.live=[all]", *more]


def run_calibrate(site: Site, *more: str) -> int:
    return calibrate.main(arguments(site, *more), site.engine)


def sample(site: Site) -> list[str]:
    """The labels to fill in: first reviews, then those that a second person gets."""
    first, second = sorted((site.home / "review").glob("*.jsonl"), key=lambda path: len(path.name))
    assert second.name == f"{first.stem}-second.jsonl"
    return [line for path in (first, second) for line in path.read_text().splitlines()]


def fill_in(site: Site) -> None:
    """Judge by the truth, as two reviewers would who make no mistakes; one subject is left open."""
    planted = {
        row["account_id"]: row["role"]
        for row in pq.read_table(site.folder / "truth").to_pylist()
        if row["planted"]
    }
    members: dict[str, list[str]] = {}
    for row in site.rows("memberships"):
        members.setdefault(row["network_id"], []).append(row["account_id"])
    lines = [json.loads(line) for line in sample(site)]
    left_open = next(row for row in reversed(lines) if not row["blind"])
    for row in (each for each in lines if each is not left_open):
        of_it = members.get(row["subject_id"], [row["subject_id"]])
        abusive = 2 * sum(name in planted for name in of_it) >= len(of_it)
        row |= {
            "label": "abusive" if abusive else "benign",
            "role": planted.get(row["subject_id"]),
            "reviewer": f"reviewer-{row['review']}",
            "labelled_at": f"{DAY}T12:00:00Z",
        }
    write(site, lines)


def write(site: Site, lines: list[dict[str, Any]]) -> None:
    """Each reviewer hands in a file; the folder of both is imported."""
    (site.folder / "filled").mkdir(exist_ok=True)
    for review in (1, 2):
        told = "".join(f"{json.dumps(row)}\n" for row in lines if row["review"] == review)
        (site.folder / "filled" / f"{review}.jsonl").write_text(told)


def imported(site: Site, *more: str) -> int:
    source = f"inputs.labels={{path: {site.folder}/filled, format: jsonl}}"
    return run_calibrate(site, "--set", source, *more)


def report(site: Site) -> dict[str, Any]:
    path = site.warehouse.folder / "reports" / f"ds={DAY}" / "calibration.json"
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_a_sample_comes_back_as_measured_precision(site: Site, capsys: Any) -> None:
    assert imported(site) == 0
    drawn = read_ledger(site.home, REVIEW_SAMPLES)
    labels = read_ledger(site.home, LABELS)
    assert labels.num_rows == len(sample(site)) - 1
    assert report(site)["reviewed"] == drawn.num_rows - 1
    assert report(site)["agreement"]["share"] == 1
    rows = [row for row in site.rows("calibration") if row["measure"] == "precision"]
    assert any(row["scope"] == "signature" and row["networks"] for row in rows)
    assert all(0 <= row["low"] <= row["high"] <= 1 for row in rows)
    out = capsys.readouterr().out
    assert "Account precision of signatures" in out
    assert "How well the likelihood orders reviewed networks" in out


def test_the_order_of_networks_is_told_for_every_market_and_stratum(site: Site) -> None:
    """Of a place with few reviewed networks the reason stands where the figure would."""
    assert imported(site) == 0
    told = {(row["market"], row["stratum"]): row for row in report(site)["ranking"]}
    assert {(row["market"], row["stratum"]) for row in site.rows("calibration")} <= told.keys()
    overall = told.pop(("*", "*"))
    assert overall["precision_at"]["10"]["figure"]["value"] is not None
    few = [row for row in told.values() if row["abusive"]["clusters"] < 17]
    assert few and all("needed: 17" in row["average_precision"]["reason"] for row in few)


def test_an_empty_file_of_labels_has_none(site: Site, tmp_path: Path, capsys: Any) -> None:
    """As for `run`, which does not read labels at all, it is nothing to stop for."""
    empty = tmp_path / "labels.jsonl"
    empty.touch()
    assert run_calibrate(site, "--set", f"inputs.labels={{path: {empty}, format: jsonl}}") == 0
    assert f"{empty} has no label that anybody filled in" in capsys.readouterr().err


def test_running_again_appends_nothing_and_draws_the_same(site: Site, capsys: Any) -> None:
    assert imported(site) == 0
    before = (
        read_ledger(site.home, LABELS).num_rows,
        read_ledger(site.home, REVIEW_SAMPLES).num_rows,
    )
    text = sample(site)
    rows = site.rows("calibration")
    assert imported(site, "--draw", "40") == 0
    after = read_ledger(site.home, LABELS).num_rows, read_ledger(site.home, REVIEW_SAMPLES).num_rows
    assert (after, sample(site), site.rows("calibration")) == (before, text, rows)
    drawn = read_ledger(site.home, REVIEW_SAMPLES).column("subject_type").to_pylist()
    networks, accounts = drawn.count("network"), drawn.count("account")
    said = f"{networks} networks, all there are, and {accounts} accounts to review: fill in "
    assert said in capsys.readouterr().out


def test_labels_given_after_the_day_are_told_of_and_do_not_count(site: Site, capsys: Any) -> None:
    assert imported(site, "--ds", str(DAY - timedelta(days=1)), "--dry-run") == 0
    labels = len(sample(site)) - 1
    told = capsys.readouterr().err
    assert f"{labels} of {labels} labels were given after 2026-11-21 and are not measured" in told
    assert "calibrate with --ds 2026-11-22 or later" in told
    assert imported(site, "--dry-run") == 0
    assert "are not measured" not in capsys.readouterr().err


def test_a_rewritten_verdict_stops_the_run(site: Site, capsys: Any) -> None:
    assert imported(site) == 0
    lines = [
        json.loads(line)
        for path in sorted((site.folder / "filled").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    try:
        write(site, [{**lines[0], "label": "unsure"}])
        assert imported(site) == 4
        write(site, [{**lines[0], "label_id": "other", "label": "guilty"}])
        assert imported(site) == 4
    finally:
        write(site, lines)


def test_scoring_takes_what_is_fresh_and_nothing_else(site: Site) -> None:
    assert imported(site) == 0
    measured = {
        row["scope_id"]
        for row in site.rows("calibration")
        if (row["scope"], row["level"], row["measure"]) == ("signature", "account", "precision")
        and row["estimate"] is not None
        and row["borrowed_from"] is None
    }
    fresh = scored(site)
    assert {row["signature_id"] for row in fresh if row["calibrated"]} == measured & {
        row["signature_id"] for row in fresh
    }
    assert any(row["calibrated"] for row in fresh)
    assert not any(row["calibrated"] for row in scored(site, "proposals.calibration_fresh=0s"))


def signatures(site: Site, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own: the tests' has an embedded engine open already."""
    settings = ["--config", str(site.folder / "config.yaml"), "--set", f"home={site.home}"]
    call = [sys.executable, "-m", "jobs.check_signatures", *command, *settings]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_signature_is_backtested_and_goes_live_after_seven_days(site: Site) -> None:
    days = ["--from", str(DAY), "--to", str(DAY)]
    done = signatures(site, "backtest", FARM, *days)
    assert (done.returncode, done.stderr) == (0, "")
    out = done.stdout
    assert "Device farm, by day and market" in out
    assert " accounts to review: fill in " in out
    tested = read_ledger(site.home, BACKTESTS).to_pylist()
    named = [row for row in site.rows("scores") if row["title"] == "Device farm"]
    assert named and tested[0]["networks"] >= len(named)
    files = map(Path, out.split("to review: fill in ")[1].strip().split(" and "))
    blank = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    assert blank and all(row["label"] is None for row in blank)

    promote = ("promote", tested[0]["signature_id"], "--reason", "a week looked at", "--as", "ann")
    stopped = signatures(site, *promote)
    assert stopped.returncode == 6
    assert "on 1 days in a row" in stopped.stderr
    more = [row | {"ds": DAY - timedelta(days=age)} for age in range(1, 7) for row in tested]
    append_to_ledger(
        site.home, BACKTESTS, pa.Table.from_pylist(more, schema=BACKTESTS.schema), "six-days"
    )
    assert signatures(site, *promote).returncode == 0
    told = [json.loads(line) for _, line in read_lines(audit_folder(site.home))]
    assert [(line["action"], line["actor"]) for line in told] == [("promote signature", "ann")]
    assert verify_log(audit_folder(site.home)) == []
    assert score_networks.main(arguments(site, "--set", "signatures.live=[]"), site.engine) == 0
    live = {row["title"] for row in site.rows("findings") if row["mode"] == "live"}
    assert live == {"Device farm"}

    demote = ("demote", *promote[1:3], "a newsroom was named", *promote[4:])
    assert signatures(site, *demote).returncode == 0
    again = signatures(site, *demote)
    assert again.returncode == 2 and "is in shadow already" in again.stderr
    assert score_networks.main(arguments(site, "--set", "signatures.live=[all]"), site.engine) == 0
    modes = {row["title"]: row["mode"] for row in site.rows("findings") if not row["benign"]}
    assert modes.pop("Device farm") == "shadow"
    assert set(modes.values()) == {"live"}
    stopped = signatures(site, *promote)
    assert stopped.returncode == 6 and "on 0 days in a row" in stopped.stderr


def test_a_shipped_signature_hits_no_simulated_innocents(site: Site) -> None:
    command = [sys.executable, "-m", "jobs.check_signatures", "baseline", FARM, "--accounts", "600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "finds no innocent network that is not explained" in done.stdout


def test_a_backtest_needs_days_that_were_scored(site: Site) -> None:
    days = ["--from", str(DAY), "--to", str(DAY + timedelta(days=1))]
    missing = signatures(site, "backtest", FARM, *days)
    assert missing.returncode == 3
    assert "has no day" in missing.stderr


def scored(site: Site, *settings: str) -> list[dict[str, Any]]:
    given = [part for setting in settings for part in ("--set", setting)]
    assert score_networks.main(arguments(site, *given), site.engine) == 0
    return site.rows("scores")
