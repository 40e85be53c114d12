"""The `actorgraph` command: quick help, and each subcommand is its job."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.command_line import COMMANDS, app

COMMAND = str(Path(sys.executable).with_name("actorgraph"))


def seconds(*command: str) -> float:
    """The least of several runs: the least disturbed by what else the machine does."""
    durations = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        durations.append(time.perf_counter() - start)
    return min(durations)


def test_help_takes_at_most_ten_times_as_long_as_python_itself() -> None:
    ratios = [seconds(COMMAND, "--help") / seconds(sys.executable, "-c", "pass") for _ in range(3)]
    assert statistics.median(ratios) <= 10


def test_help_names_every_command_and_version_the_version() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f"  {command.name} " in result.output
        assert command.help in result.output
    assert CliRunner().invoke(app, ["--version"]).output.startswith("actorgraph 0.1.0")


def test_every_command_has_its_job() -> None:
    for command in COMMANDS:
        assert find_spec(command.module), f"{command.name}: no {command.module}"


@pytest.mark.parametrize("name", ["status", "doctor", "build-graph", "simulate"])
def test_help_of_a_command_is_that_of_its_job(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert f"usage: actorgraph {name}" in result.output


def test_exit_codes_are_those_of_the_job() -> None:
    done = subprocess.run(
        [COMMAND, "build-graph", "--ds", "2026-02-30"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "actorgraph build-graph: error: argument --ds: '2026-02-30' is not a day" in done.stderr


@pytest.mark.parametrize("shown", ["list", "features"])
def test_a_reader_that_has_enough_ends_a_command_quietly(shown: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing) as pipe:
        done = subprocess.run(
            [COMMAND, "signatures", shown], stdout=pipe, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (141, "")


def test_an_unknown_command_ends_with_2_and_a_suggestion() -> None:
    result = CliRunner().invoke(app, ["bild-graph"])
    assert result.exit_code == 2
    assert "Did you mean 'build-graph'?" in result.output


def test_ctrl_c_while_a_command_is_still_being_loaded_ends_with_130_and_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jobs.command_line.import_module", interrupted)
    result = CliRunner().invoke(app, ["build-graph", "--ds", "2026-11-22"])
    assert (result.exit_code, result.output) == (130, "actorgraph build-graph: interrupted\n")
