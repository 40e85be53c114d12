"""Building the distribution from a copy of this tree, as `make zip` does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ["exporters", "graph", "jobs", "signatures"]
ARCHIVED = [*PACKAGES, "conf", "setup.py", "pyproject.toml", "README.md", "LICENSE"]


def build_wheel(folder: Path) -> Path:
    """A wheel, built in an empty folder."""
    for name in ARCHIVED:
        path = ROOT / name
        (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / name)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    build = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", "dist", "."]
    subprocess.run(build, cwd=folder, check=True)
    return next((folder / "dist").glob("*.whl"))
