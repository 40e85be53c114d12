"""The same four packages, with conf/ readable, from a checkout, a wheel and the zip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.wheels import PACKAGES, ROOT, build_wheel

PROBE = """
import exporters, graph, jobs, signatures
from graph.conf_files import conf_file
from jobs.configuration import config_sha256, load
from graph.jvm_artifacts import graphframes
from signatures.loading import load as load_signatures
print(*(package.__file__ for package in (exporters, graph, jobs, signatures)), sep="|")
print(config_sha256(load()))
print(graphframes().coordinates)
print(*(signature.id for signature in load_signatures()))
print(sorted(file.name for file in conf_file("examples").iterdir()))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of this tree."""
    return build_wheel(tmp_path_factory.mktemp("source"))


def probe(path: Path, elsewhere: Path) -> list[str]:
    """What a Python finds that has `path` first and stands in an empty folder."""
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    files, *rest = done.stdout.splitlines()
    assert all(file.startswith(f"{path}/") for file in files.split("|"))
    return rest


def test_packages_and_conf_are_the_same_from_checkout_wheel_and_zip(
    wheel: Path, tmp_path: Path
) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    archived = tmp_path / "actorgraph.zip"
    shutil.copy(wheel, archived)
    found = probe(ROOT, tmp_path / "a")
    assert found == probe(tmp_path / "installed", tmp_path / "b")
    assert found == probe(archived, tmp_path / "c")
    assert "coortweet" in found[-1]


def test_the_wheel_holds_every_file_and_only_our_packages(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0].split("-")[0] for name in names} == {*PACKAGES, "actorgraph"}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            assert str(file.relative_to(ROOT)) in names
    for file in (ROOT / "signatures").rglob("*"):
        ours = file.suffix in {".yml", ".json"}
        assert not ours or str(file.relative_to(ROOT)) in names
    for file in (ROOT / "conf").rglob("*"):
        assert file.is_dir() or f"graph/{file.relative_to(ROOT)}" in names


def test_no_job_file_shadows_another_module() -> None:
    """spark-submit puts the folder of the job first on the path of imports."""
    ours = {path.stem for path in (ROOT / "jobs").glob("*.py")} - {"__init__"}
    ours |= {path.name for path in (ROOT / "jobs").iterdir() if path.is_dir()}
    assert not ours & {*sys.stdlib_module_names, *packages_distributions()}
