"""What happens around a job: exit codes, manifests, publishing, logs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.engines.base import Engine, InputError
from jobs import show_status
from jobs.runtime import Job, Run, main, run_jobs
from jobs.warehouse import Warehouse
from tests.jobs import sample_job
from tests.jobs.sample_job import COUNTS, JOB

DAY = date(2026, 11, 22)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with three events and a config file."""
    pq.write_table(pa.table({"account_id": ["a", "a", "b"]}), tmp_path / "events.parquet")
    (tmp_path / "site.yaml").write_text(
        f"home: {tmp_path}/home\nevents: {{path: {tmp_path}/events.parquet}}\n"
        "spark: {spark.hadoop.my.secret: hunter2}\n"
    )
    return tmp_path


@pytest.fixture
def run(site: Path, engine: Engine) -> Callable[..., int]:
    """Runs the sample job in this process and session."""

    def run(*arguments: str, job: Job = JOB) -> int:
        given = ["--ds", "2026-11-22", "--config", str(site / "site.yaml"), *arguments]
        return main(job, given, engine)

    return run


def manifest(site: Path, job: str = "count_events") -> dict[str, Any]:
    path = site / "home" / "warehouse" / "runs" / "ds=2026-11-22" / f"{job}.json"
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def published(site: Path, engine: Engine) -> list[dict[str, Any]]:
    frame = Warehouse(site / "home" / "warehouse").read(engine, COUNTS, DAY)
    return engine.to_arrow(frame.orderBy("account_id")).to_pylist()


def test_a_run_publishes_its_tables_and_says_what_it_did(
    run: Callable[..., int], site: Path, engine: Engine
) -> None:
    assert run("--run-id", "first") == 0
    counts = [{"account_id": "a", "events": 2}, {"account_id": "b", "events": 1}]
    assert published(site, engine) == counts
    content = manifest(site)
    assert content["status"] == "done"
    assert content["reason"] is None
    assert content["run_id"] == content["published_run_id"] == "first"
    assert content["rows_in"] == {"events": 3}
    assert content["rows_out"] == {"counts": 2}
    assert [step["name"] for step in content["steps"]] == ["read", "write counts"]
    assert content["checks"][0]["passed"] is True
    assert content["inputs"] == {"events": f"{site}/events.parquet"}
    assert len(content["config_sha256"]) == 64
    assert content["code_version"].startswith("0.1.0")
    assert "hunter2" not in json.dumps(content)


@pytest.mark.parametrize(
    ("how", "code", "reason"),
    [
        ("input", 3, "no day: try later"),
        ("guard", 6, "cap of 3 reached"),
        ("unexpected", 1, "unexpected ZeroDivisionError: by zero"),
    ],
)
def test_a_failed_run_publishes_nothing_and_says_why(
    run: Callable[..., int],
    site: Path,
    engine: Engine,
    capsys: pytest.CaptureFixture[str],
    how: str,
    code: int,
    reason: str,
) -> None:
    assert run("--run-id", "first") == 0
    before = published(site, engine)
    pq.write_table(pa.table({"account_id": ["c"]}), site / "events.parquet")
    assert run("--run-id", "second", "--fail", how) == code
    assert published(site, engine) == before
    content = manifest(site)
    assert (content["status"], content["exit_code"], content["reason"]) == ("failed", code, reason)
    assert (content["run_id"], content["published_run_id"]) == ("second", "first")
    printed = capsys.readouterr().err
    assert reason in printed
    assert ("Traceback" in printed) == (code == 1)
    assert run() == 0
    assert [row["account_id"] for row in published(site, engine)] == ["c"]


def test_a_failed_check_is_a_data_stop(run: Callable[..., int], site: Path) -> None:
    pq.write_table(pa.table({"account_id": pa.array([], pa.string())}), site / "events.parquet")
    assert run() == 4
    assert manifest(site)["reason"].startswith("events: 0 rows in ")


@pytest.mark.embedded
def test_a_dry_run_checks_and_publishes_nothing(run: Callable[..., int], site: Path) -> None:
    assert run("--dry-run") == 0
    assert run("--dry-run", "--fail", "guard") == 6
    assert [path.name for path in (site / "home" / "warehouse").iterdir()] == ["_lock.json"]


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ds", "2026-02-30"], "'2026-02-30' is not a day: write it as 2026-11-22"),
        (["--ds", "20261122"], "'20261122' is not a day"),
        (["--ds", "1960-01-01"], "out of range"),
        (["--run-id", "../x"], "'../x' is not a run id"),
        (["--engine", "postgres"], "invalid choice: 'postgres'"),
        (["--unknown"], "unrecognized arguments: --unknown"),
        (["--set", "networks.min_sise=3"], "unknown setting; did you mean min_size?"),
        (["--config", "absent.yaml"], "cannot read the config file absent.yaml"),
    ],
)
def test_bad_arguments_and_settings_end_with_2_and_one_clear_line(
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert run(*arguments) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed


def test_unreadable_inputs_end_with_3(run: Callable[..., int], site: Path) -> None:
    (site / "events.parquet").write_bytes(b"this is not parquet at all")
    assert run() == 3
    assert "events.parquet" in manifest(site)["reason"]
    (site / "events.parquet").unlink()
    assert run() == 3


def test_a_file_that_turns_out_damaged_in_the_middle_ends_with_3_too(
    run: Callable[..., int], site: Path
) -> None:
    folder = site / "many"
    folder.mkdir()
    table = pa.table({"account_id": [f"u{i}" for i in range(100_000)]})
    for name in "ab":
        pq.write_table(table, folder / f"{name}.parquet")
    broken = bytearray((folder / "b.parquet").read_bytes())
    broken[1000:200_000] = bytes(199_000)
    (folder / "b.parquet").write_bytes(broken)
    assert run("--set", f"events.path={folder}") == 3
    assert "b.parquet is damaged" in manifest(site)["reason"]


def test_several_jobs_publish_together_or_not_at_all(site: Path, engine: Engine) -> None:
    def check(run: Run) -> None:
        assert run.read(COUNTS).count() == 2, "a later job reads what an earlier one staged"
        run.log.info("read")
        sample_job.fail(run.arguments.fail)

    jobs = [JOB, Job("check_counts", "Check the counts.", check)]
    given = ["--ds", "2026-11-22", "--config", str(site / "site.yaml")]
    assert run_jobs("both", "Both.", jobs, [*given, "--set", "max_burst=none"], engine) == 0
    assert published(site, engine)
    assert manifest(site, "check_counts")["status"] == "done"


@pytest.mark.embedded
def test_logs_are_json_lines_for_machines(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--log-format", "json", "--run-id", "first", "--fail", "unexpected") == 1
    records = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {record["run_id"] for record in records} == {"first"}
    assert {record["ds"] for record in records} == {"2026-11-22"}
    assert {record["job"] for record in records} == {"count_events"}
    by_event = {record["event"]: record for record in records}
    assert by_event["read"]["rows"] == 3
    assert by_event["read"]["seconds"] >= 0
    assert records[-1]["exit_code"] == 1
    assert records[-1]["exception"][0]["exc_type"] == "ZeroDivisionError"


def own_process(site: Path, engine: str, *arguments: str, **keywords: Any) -> subprocess.Popen[str]:
    """The sample job in a process and session of its own, in an empty folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    given = ["--ds", "2026-11-22", "--config", str(site / "site.yaml"), "--log-format", "json"]
    given.append(f"--engine={engine}")
    (site / "empty").mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "jobs" / "sample_job.py"), *given, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        cwd=site / "empty",
        env=environment,
        **keywords,
    )


def wait_until_hanging(process: subprocess.Popen[str]) -> None:
    """Wait until Python waits for Spark, and Spark for a task."""
    assert process.stderr is not None
    assert any('"hanging"' in line for line in process.stderr)
    time.sleep(2)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("engine", "how"),
    [("duckdb", "endless query"), pytest.param("spark", "hang", marks=pytest.mark.spark)],
)
def test_an_interrupted_run_ends_with_130_and_one_line_and_leaves_nothing_behind(
    site: Path, signum: int, engine: str, how: str
) -> None:
    with own_process(site, engine, "--fail", how, start_new_session=True) as process:
        wait_until_hanging(process)
        os.killpg(process.pid, signum)  # as a terminal does
        assert process.stderr is not None
        printed = [json.loads(line) for line in process.stderr]
        assert process.wait() == 130
    assert [record["event"] for record in printed] == ["interrupted"]
    assert manifest(site)["status"] == "interrupted"
    assert [path.name for path in (site / "home").iterdir()] == ["warehouse"]
    assert not (site / "home" / "warehouse" / "_staging").exists()
    assert not list((site / "empty").iterdir())


@pytest.mark.spark
def test_a_java_process_that_is_killed_ends_the_run_with_5(site: Path) -> None:
    with own_process(site, "spark", "--fail", "hang") as process:
        wait_until_hanging(process)
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        assert process.wait() == 5
    assert manifest(site)["reason"].startswith("Spark's Java process has ended")


@pytest.mark.embedded
def test_after_a_run_that_was_killed_the_next_one_succeeds(
    run: Callable[..., int], site: Path, engine: Engine
) -> None:
    assert run("--run-id", "first") == 0
    before = published(site, engine)
    pq.write_table(pa.table({"account_id": ["c"]}), site / "events.parquet")
    with own_process(site, "duckdb", "--fail", "endless query") as process:
        wait_until_hanging(process)
        process.kill()
    assert published(site, engine) == before
    assert manifest(site)["run_id"] == "first"
    assert run() == 0
    assert [row["account_id"] for row in published(site, engine)] == ["c"]
    assert not (site / "home" / "warehouse" / "_staging").exists()


@pytest.mark.spark
def test_without_java_a_run_ends_with_5_and_says_what_to_install(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(site / "no-java"))
    with own_process(site, "spark") as process:
        _, printed = process.communicate()
    assert process.returncode == 5
    assert "no Java found: install Java 17" in printed
    assert "Traceback" not in printed
    assert manifest(site)["exit_code"] == 5


AS_IF_LARGE = """
import sys
import jobs.sessions
from tests.jobs.test_runtime import JOB, main
jobs.sessions.DUCKDB_TIMES_INPUT = {"parquet": 1e12}
sys.exit(main(JOB, sys.argv[1:]))
"""


def test_a_log_too_large_for_the_embedded_engine_is_told_with_the_line_for_spark(
    site: Path,
) -> None:
    given = ["--ds", "2026-11-22", "--config", str(site / "site.yaml"), "--set", "spark.x=a b"]
    command = [sys.executable, "-c", AS_IF_LARGE, *given, "--engine", "duckdb", "--dry-run"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    line = f"spark-submit jobs/count_events.py --ds 2026-11-22 --config {site}/site.yaml"
    assert f"use {line} --set 'spark.x=a b' --dry-run" in run.stderr


@pytest.mark.embedded
@pytest.mark.parametrize("damage", ["", "{", "[]", "{}"])
def test_a_damaged_manifest_of_an_earlier_run_hides_nothing(
    run: Callable[..., int], site: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    path = site / "home" / "warehouse" / "runs" / "ds=2026-11-22" / "count_events.json"
    path.write_text(damage)
    assert show_status.main(["--config", str(site / "site.yaml")]) == 0
    assert "count_events.json cannot be read" in capsys.readouterr().out
    assert run("--fail", "guard") == 6
    assert manifest(site)["reason"] == "cap of 3 reached"
    assert manifest(site)["published_run_id"] is None
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.embedded
def test_a_damaged_description_of_a_table_is_an_input_to_make_again(
    run: Callable[..., int], site: Path, engine: Engine
) -> None:
    assert run() == 0
    description = site / "home" / "warehouse" / "counts" / "ds=2026-11-22" / "_table.json"
    description.write_text("{")
    with pytest.raises(InputError, match=r"_table.json is damaged: run the job that makes counts"):
        published(site, engine)
