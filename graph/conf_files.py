"""The data files under conf/, readable from a checkout, an installed wheel and the zip."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def conf_file(name: str) -> Traversable:
    """A file or folder under conf/, e.g. `default.yaml`.

    setup.py puts conf/ into the package `graph`; in a checkout it stands beside it.
    """
    packaged = files("graph") / "conf"
    folder = packaged if packaged.is_dir() else Path(__file__).parents[1] / "conf"
    return folder.joinpath(*name.split("/"))
