"""Files by their names: a path on this machine, or `s3a://bucket/key` on an object store.

Small objects and single files go through pyarrow, which finds credentials where all of the store's
tools do: in the environment, the user's profile or the machine's role. Nothing here takes any.
"""

from __future__ import annotations

import os
from functools import lru_cache

from pyarrow import fs

SCHEME = "s3a://"
"""How Spark calls an S3 store; the only scheme that this program takes."""


def is_remote(place: str) -> bool:
    """Whether a place is on an object store."""
    return place.startswith(SCHEME)


def store_endpoint() -> str | None:
    """The URL of a store that is not the cloud's own, by the names that its tools know it by."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def store_region() -> str | None:
    """The region of the store, where the environment names one."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def filesystem(place: str) -> tuple[fs.FileSystem, str]:
    """The filesystem of a place, and the place's path within it."""
    if is_remote(place):
        return _store(store_endpoint(), store_region()), place.removeprefix(SCHEME)
    return fs.LocalFileSystem(), place


@lru_cache
def _store(endpoint: str | None, region: str | None) -> fs.FileSystem:
    # A small file is sent at once when it is closed: readers see all of it or nothing.
    return fs.S3FileSystem(endpoint_override=endpoint, region=region, allow_delayed_open=True)


def read_bytes(place: str) -> bytes:
    """The content of a file; raises FileNotFoundError where there is none."""
    store, path = filesystem(place)
    with store.open_input_file(path) as file:
        content: bytes = file.read()
    return content


def put(place: str, content: bytes) -> None:
    """Replace an object as a whole; who reads it sees the old content or the new one."""
    store, path = filesystem(place)
    with store.open_output_stream(path) as file:
        file.write(content)


def exists(place: str) -> bool:
    """Whether there is a file of that name."""
    store, path = filesystem(place)
    return bool(store.get_file_info(path).type == fs.FileType.File)


def has_bucket(place: str) -> bool:
    """Whether the bucket of a place on a store is there; raises OSError where nobody may look."""
    store, path = filesystem(place)
    return bool(store.get_file_info(path.split("/")[0]).type != fs.FileType.NotFound)


def names_in(folder: str) -> list[str]:
    """The names of the files and folders right below a folder, sorted; none where there is none."""
    store, path = filesystem(folder)
    found = store.get_file_info(fs.FileSelector(path, allow_not_found=True))
    return sorted(info.base_name for info in found)


def make_folder(folder: str) -> None:
    """Make a folder and those above it; on a store, folders are nothing but names."""
    if not is_remote(folder):
        os.makedirs(folder, exist_ok=True)


def remove_all(folder: str) -> None:
    """Delete a folder and all below it; one that does not exist is fine."""
    store, path = filesystem(folder)
    if store.get_file_info(path).type != fs.FileType.NotFound:
        store.delete_dir(path)


def remove_file(place: str) -> None:
    """Delete a file; one that does not exist is fine."""
    if exists(place):
        store, path = filesystem(place)
        store.delete_file(path)


def copy(source: str, target: str) -> None:
    """Copy one file, from any place to any other, as a stream."""
    from_store, from_path = filesystem(source)
    to_store, to_path = filesystem(target)
    make_folder(os.path.dirname(target))
    fs.copy_files(from_path, to_path, source_filesystem=from_store, destination_filesystem=to_store)
