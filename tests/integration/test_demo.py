"""The demo as a newcomer runs it: one command, in an empty folder, without a database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("actorgraph"))


def test_the_demo_without_neo4j_simulates_finds_and_tells_its_story(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if "ACTORGRAPH" not in name}
    done = subprocess.run(
        [COMMAND, "demo", "--no-neo4j", "--engine", "duckdb", "--accounts", "1000"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[0].endswith("events of 1,000 accounts over 7 days")
    assert any(line.startswith("Networks on ") for line in told)
    assert "From a network to actions on accounts, and back:" in told
    assert "Traceback" not in done.stderr
    demo = tmp_path / ".actorgraph" / "demo"
    assert [path.name for path in tmp_path.iterdir()] == [".actorgraph"]
    assert list((demo / "warehouse" / "networks").glob("ds=*/*.parquet"))
    assert list((demo / "batches").iterdir()), "a batch to look at"
