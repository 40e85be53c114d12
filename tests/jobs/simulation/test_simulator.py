from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from jobs.errors import ConfigError
from jobs.simulate_events import main
from jobs.simulation.settings import Settings
from jobs.simulation.simulator import plan_world, simulate
from jobs.simulation.tables import EVENTS_SCHEMA
from tests.jobs.simulation.conftest import ACCOUNTS, DAYS, Log

FEW = Settings(accounts=600, days=3, seed=5)


def _digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*.parquet"))
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_the_same_settings_give_the_same_bytes(tmp_path: Path) -> None:
    simulate(FEW, tmp_path / "one")
    simulate(FEW, tmp_path / "two")
    assert _digest(tmp_path / "one") == _digest(tmp_path / "two")


def test_another_seed_gives_other_people(tmp_path: Path) -> None:
    simulate(FEW, tmp_path / "one")
    simulate(Settings(accounts=600, days=3, seed=6), tmp_path / "two")
    ids = [
        set(
            pq.read_table(tmp_path / name / "accounts", columns=["account_id"])[
                "account_id"
            ].to_pylist()
        )
        for name in ("one", "two")
    ]
    assert not ids[0] & ids[1]


def test_a_kind_can_be_planted_more_often_than_usual() -> None:
    def planted(settings: Settings) -> Counter[str]:
        world = plan_world(settings)
        truth = world.truth(np.ones(settings.accounts, dtype=bool)).to_pylist()
        return Counter(row["kind"] for row in truth if row["planted"])

    usual = planted(Settings(accounts=4000))
    many = planted(Settings(accounts=4000, planted={"device_farm": 10}))
    assert many.pop("device_farm") == 10 * usual.pop("device_farm")
    assert many == usual
    asked = planted(Settings(accounts=4000, planted={"ban_evasion": 1}))
    assert asked.pop("ban_evasion") == 10
    usual = planted(Settings(accounts=4000))
    assert asked == usual
    with pytest.raises(ConfigError, match="no planted kind 'device_form'; there are device_farm"):
        plan_world(Settings(planted={"device_form": 2}))
    with pytest.raises(ConfigError, match="use more than 0"):
        Settings(planted={"device_farm": 0})


def test_events_have_the_columns_and_days_of_the_design(plain: Log) -> None:
    files = sorted((plain.folder / "events").rglob("*.parquet"))
    assert [file.parent.name for file in files] == [
        f"ds=2026-11-{day}" for day in range(22 - DAYS + 1, 23)
    ]
    for file in files:
        assert pq.read_schema(file).equals(EVENTS_SCHEMA)
    outside = "select count(*) from events where event_time::date != ds"
    assert plain.value(outside) == 0
    assert plain.value("select count(*) - count(distinct event_id) from events") == 0
    assert plain.value("select count(*) from events where account_id is null or ip is null") == 0


def test_optional_inputs_and_truth_have_their_columns(plain: Log) -> None:
    def columns(name: str) -> list[str]:
        return pq.read_schema(plain.folder / name / f"{name}.parquet").names

    assert columns("accounts") == [
        "account_id", "created_at", "market", "time_zone", "verified", "followers",
    ]  # fmt: skip
    assert columns("ip_networks") == [
        "cidr", "asn", "kind", "country", "valid_from", "valid_to",
    ]  # fmt: skip
    assert columns("truth") == ["account_id", "network", "kind", "role", "planted", "note"]
    assert plain.value("select count(distinct account_id) from accounts") == ACCOUNTS


def test_truth_is_about_accounts_that_are_seen(plain: Log) -> None:
    unseen = """
        select count(*) from truth anti join events using (account_id)
        where not (planted and kind = 'sleeper_network')"""
    assert plain.value(unseen) == 0
    assert plain.value("select count(*) from truth anti join accounts using (account_id)") == 0
    doubled = "select count(*) - count(distinct (network, account_id)) from truth"
    assert plain.value(doubled) == 0
    in_two = "select count(*) - count(distinct account_id) from planted"
    assert plain.value(in_two) == 0


def test_nobody_acts_before_signing_up(plain: Log) -> None:
    early = """
        select count(*) from events join accounts using (account_id)
        where event_time < created_at"""
    assert plain.value(early) == 0
    sign_ups = """
        select count(*), bool_and(event_time = created_at)
        from events join accounts using (account_id) where event_type = 'signup'"""
    count, all_equal = plain.rows(sign_ups)[0]
    assert count > 0 and all_equal


def test_the_config_points_at_the_files(plain: Log) -> None:
    config = yaml.safe_load((plain.folder / "config.yaml").read_text())
    for source in (config["events"], *config["inputs"].values()):
        assert list(Path(source["path"]).rglob("*.parquet"))


def test_files_have_row_groups_of_about_a_million(tmp_path: Path) -> None:
    simulate(Settings(accounts=5000, days=1, events_per_account_day=300, clean=True), tmp_path)
    sizes = []
    for file in sorted((tmp_path / "events").rglob("*.parquet")):
        metadata = pq.read_metadata(file)
        sizes += [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert sum(sizes) > 1_200_000
    assert max(sizes) <= 1 << 20
    assert len(sizes) == 2


def _peak_megabytes(folder: Path, days: int) -> float:
    script = (
        "import resource, sys; from jobs.simulate_events import main;"
        "code = main(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024); sys.exit(code)"
    )
    arguments = ["--accounts", "5000", "--days", str(days), "--out", str(folder)]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def test_memory_does_not_grow_with_events(tmp_path: Path) -> None:
    few = _peak_megabytes(tmp_path / "few", 4)
    many = _peak_megabytes(tmp_path / "many", 40)
    rows = [
        sum(pq.read_metadata(file).num_rows for file in (tmp_path / name).rglob("part-*.parquet"))
        for name in ("few", "many")
    ]
    assert rows[1] > 9 * rows[0] > 1_500_000
    assert many < 1.15 * few + 10


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    simulate(FEW, tmp_path)
    simulate(Settings(accounts=600, days=1, seed=5), tmp_path)
    assert [folder.name for folder in (tmp_path / "events").iterdir()] == ["ds=2026-11-22"]


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(ConfigError, match="not empty and no simulation"):
        simulate(FEW, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_the_command_line_says_what_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--accounts", "600", "--days", "2", "--out", str(tmp_path / "log")]
    assert main([*arguments, "--evasion", "0.5", "--knob", "jitter_s=5", "--clean"]) == 0
    told = capsys.readouterr().err
    assert "2026-11-21: " in told and "events with their truth are in" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--accounts", "10"], "500 is the least"),
        (["--days", "0"], "between 1 and 1000"),
        (["--evasion", "-1"], "between 0 and 1"),
        (["--knob", "jitter_s"], "name=number"),
        (["--events-per-account-day", "0"], "more than 0"),
    ],
)
def test_impossible_arguments_end_with_code_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path / "log"), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_smallest_platform_has_every_kind(tmp_path: Path) -> None:
    simulate(Settings(accounts=500, days=2), tmp_path)
    truth = pq.read_table(tmp_path / "truth")
    kinds = truth.group_by("kind").aggregate([("account_id", "count")])
    assert kinds.num_rows == 25
    assert pa.compute.min(kinds["account_id_count"]).as_py() >= 2
