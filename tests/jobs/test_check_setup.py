"""The doctor: what it finds, what it says to do, and with which exit code it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.jvm_artifacts import cache_folder, graphframes
from jobs import check_setup
from jobs.check_setup import main
from tests.object_store import ObjectStore


@pytest.fixture
def home(tmp_path: Path) -> str:
    return f"home={tmp_path}/home"


def test_a_machine_on_which_the_tests_run_has_all_that_is_needed(
    home: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--set", home]) == 0
    printed = capsys.readouterr().out
    for thing in ("Python", "Python packages", "Java", "spark-submit", "memory", "home"):
        assert f"\nok     {thing}" in printed


def test_a_missing_java_is_named_with_what_to_install(
    home: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert main(["--set", home]) == 0, "the embedded engine needs none"
    assert "warning  Java" in capsys.readouterr().out
    assert main(["--set", home, "--set", "spark.master=local[2]"]) == 5
    printed = capsys.readouterr().out
    assert "missing  Java" in printed
    assert "Java: no Java found: install Java 17" in printed


def test_a_home_that_cannot_be_written_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--set", f"home={tmp_path}/file/home"]) == 5
    assert "cannot be written" in capsys.readouterr().out


def test_a_home_that_others_can_read_is_a_warning(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    assert main(["--set", f"home={tmp_path}"]) == 0
    assert f"chmod 700 {tmp_path}" in capsys.readouterr().out


def test_a_wrong_package_version_is_named_with_the_right_one(
    home: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = ["pyspark>=4.0.1,<4.1", "pyarrow>=999", "not-there>=1", "dev-only; extra == 'dev'"]
    monkeypatch.setattr(check_setup, "requires", lambda _: declared)
    assert main(["--set", home]) == 5
    printed = capsys.readouterr().out
    assert "pyarrow: pip install 'pyarrow>=999'" in printed
    assert "not-there: pip install 'not-there>=1'" in printed
    assert "dev-only" not in printed
    assert "pyspark" not in printed.replace("pip install pyspark", "")


def test_a_damaged_jar_is_deleted_and_only_a_warning(
    home: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["--set", home]) == 0
    assert "not fetched" in capsys.readouterr().out
    jar = graphframes().path(cache_folder())
    jar.parent.mkdir(parents=True)
    with jar.open("wb") as file:
        file.truncate(graphframes().bytes)
    assert main(["--set", home]) == 0
    printed = capsys.readouterr().out
    assert "has SHA-256 " in printed
    assert not jar.exists()


def test_a_wrong_setting_is_an_error_and_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "hom=x"]) == 2
    assert "did you mean home?" in capsys.readouterr().err


def test_a_store_is_tried_and_the_packages_for_spark_are_named(
    home: str, capsys: pytest.CaptureFixture[str], store: ObjectStore
) -> None:
    assert main(["--set", home, "--set", f"warehouse={store.url}"]) == 0
    printed = capsys.readouterr().out
    assert f"ok     warehouse {store.url}" in printed
    assert "spark-submit --packages org.apache.spark:spark-hadoop-cloud_2.13:4." in printed
    assert main(["--set", home, "--set", "warehouse=s3a://no-such-bucket"]) == 5
    assert "there is no such bucket" in capsys.readouterr().out
