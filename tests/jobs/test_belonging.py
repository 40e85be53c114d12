"""A home and its place on a store name each other, so that no day is looked for where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.filesystems import remove_file
from jobs.belonging import STORE_NAMES
from jobs.configuration import load
from jobs.errors import ConfigError
from jobs.warehouse import Warehouse
from tests.object_store import ObjectStore


def warehouse(home: Path, url: str = "none") -> Warehouse:
    """The warehouse of a config that has these two settings."""
    return Warehouse.of(load(overrides=[f"home={home}", f"warehouse={url}"]))


def write(home: Path, url: str = "none") -> None:
    with warehouse(home, url).writing("test"):
        pass


def test_a_home_stays_with_its_place(tmp_path: Path, store: ObjectStore) -> None:
    write(tmp_path, store.url)
    write(tmp_path, f"{store.url}/")
    for other in ("none", "s3a://elsewhere"):
        with pytest.raises(ConfigError, match=rf"the tables of {tmp_path} are in {store.url}: set"):
            warehouse(tmp_path, other)


def test_a_place_is_of_one_home(tmp_path: Path, store: ObjectStore) -> None:
    write(tmp_path / "one", store.url)
    with pytest.raises(ConfigError, match=f"{store.url} has the tables of another home"):
        write(tmp_path / "two", store.url)
    remove_file(f"{store.url}/{STORE_NAMES}")
    with pytest.raises(ConfigError, match=f"is gone, so the tables of {tmp_path}/one may be, too"):
        write(tmp_path / "one", store.url)
    write(tmp_path / "two", store.url)


def test_a_home_that_has_tables_does_not_leave_them(tmp_path: Path, store: ObjectStore) -> None:
    write(tmp_path)
    day = tmp_path / "warehouse" / "edges" / "ds=2026-11-22"
    day.mkdir(parents=True)
    (day / "_table.json").write_text("{}")
    with pytest.raises(ConfigError, match="has tables already, which nobody would see"):
        write(tmp_path, store.url)


@pytest.mark.parametrize("url", ["hdfs://host/tables", "s3a://", "s3a://key:secret@bucket", "/mnt"])
def test_other_places_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is no `s3a://bucket/prefix`"):
        load(overrides=[f"warehouse={url}"])
