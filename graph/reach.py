"""What an engine cannot reach is carried: files from one kind of place to the other.

The machines of an engine read and write where its scratch folder is. So the embedded engine works
on copies of a store's files, and a cluster that shares nothing but a store on copies of ledgers.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import PurePosixPath

from graph.engines.base import Engine
from graph.filesystems import copy, exists, filesystem, is_remote, names_in, remove_all
from graph.frames import DataFrame


def read_files(engine: Engine, paths: Sequence[str], merge_columns: bool = False) -> DataFrame:
    """Read parquet files, wherever they are; see Engine.read."""
    if all(_reaches(engine, path) for path in paths):
        return engine.read(paths, "parquet", merge_columns)
    files = [file for path in paths for file in _files(path)]
    return engine.read([_carried(engine, file) for file in files], "parquet", merge_columns)


def write_files(engine: Engine, frame: DataFrame, folder: str, files: int | None = None) -> None:
    """Write a frame as a new folder of parquet files, wherever that is; see Engine.write."""
    if _reaches(engine, folder):
        engine.write(frame, folder, files)
        return
    beside = f"{engine.scratch}/written-{secrets.token_hex(8)}"
    engine.write(frame, beside, files)
    for file in _files(beside):
        copy(file, f"{folder}/{PurePosixPath(file).name}")
    remove_all(beside)


def _reaches(engine: Engine, place: str) -> bool:
    return is_remote(engine.scratch) == is_remote(place)


def _files(path: str) -> list[str]:
    """The parquet files in a folder, or the file of that name."""
    if path.endswith(".parquet"):
        return [path]
    return [f"{path}/{name}" for name in names_in(path) if name.endswith(".parquet")]


def _carried(engine: Engine, file: str) -> str:
    """A file's copy in the engine's scratch folder; one that is there already is not made anew."""
    store, path = filesystem(file)
    info = store.get_file_info(path)
    version = hashlib.sha256(f"{file} {info.size} {info.mtime_ns}".encode()).hexdigest()[:16]
    target = f"{engine.scratch}/carried/{version}/{PurePosixPath(file).name}"
    if not exists(target):
        copy(file, target)
    return target
