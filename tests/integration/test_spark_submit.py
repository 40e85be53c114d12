"""Under spark-submit: what it was given wins, and its exit code is the job's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest

from tests.wheels import ROOT

pytestmark = pytest.mark.spark

SUBMIT = Path(pyspark.__file__).parent / "bin" / "spark-submit"

JOB = """
import sys
from jobs.errors import GuardStop
from jobs.runtime import Job, main

def compute(run):
    asked = ("spark.sql.ansi.enabled", "spark.sql.shuffle.partitions", "spark.sql.session.timeZone",
             "spark.driver.memory", "spark.sql.adaptive.enabled")
    context = run.engine.session.sparkContext.getConf()
    run.manifest.figures["conf"] = {
        key: run.engine.session.conf.get(key, context.get(key)) for key in asked
    }
    raise GuardStop("cap reached")

sys.exit(main(Job("show_conf", "Show Spark's properties.", compute)))
"""


def test_what_spark_submit_was_given_wins_and_its_exit_code_is_the_jobs(tmp_path: Path) -> None:
    script = tmp_path / "show_conf.py"
    script.write_text(JOB)
    (tmp_path / "site.yaml").write_text(
        f"home: {tmp_path}/home\n"
        "spark: {spark.sql.shuffle.partitions: 7, spark.sql.adaptive.enabled: false}\n"
    )
    given = {"spark.sql.ansi.enabled": "false", "spark.sql.shuffle.partitions": "3"}
    options = [part for key, value in given.items() for part in ("--conf", f"{key}={value}")]
    submit = [str(SUBMIT), *options, "--master", "local[1]", "--driver-memory", "700m"]
    done = subprocess.run(
        [*submit, str(script), "--ds", "2026-11-22", "--config", str(tmp_path / "site.yaml")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 6, done.stdout
    manifest = tmp_path / "home" / "warehouse" / "runs" / "ds=2026-11-22" / "show_conf.json"
    assert json.loads(manifest.read_text())["figures"]["conf"] == {
        "spark.sql.ansi.enabled": "false",  # given, and not the program's true
        "spark.sql.shuffle.partitions": "3",  # given, and not the config's 7
        "spark.sql.session.timeZone": "UTC",  # the program's
        "spark.driver.memory": "700m",  # given, and not what would fit the machine
        "spark.sql.adaptive.enabled": "false",  # the config's, and not the program's true
    }
