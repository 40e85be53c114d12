"""Tables on an object store, which has no rename: a small object says which files count.

A run writes a table's day to a folder of its own, `<table>/ds=D/run=<run_id>/`; publishing replaces
`<table>/ds=D/current.json`, which holds the description and lists the files. So readers see one run
whole, whatever else was written beside it by tasks that failed or runs that were killed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from graph.engines.base import InputError
from graph.filesystems import exists, names_in, read_bytes, remove_all
from graph.published import Draft, TableDay, day_folder

CURRENT = "current.json"
"""The object that says which run of a table's day is published."""

AT_ONCE = 16
"""Requests that are under way at a time; each mostly waits."""


class RemoteTables:
    """Tables under a URL; see graph.published.Tables."""

    def __init__(self, url: str) -> None:
        self.place = url

    def names(self) -> list[str]:
        """See Tables.names."""
        found = [name for name in names_in(self.place) if not name.startswith("_")]
        return [name for name in found if self.days(name)]

    def days(self, table: str) -> list[date]:
        """See Tables.days; a day that only has runs that were never published is none."""
        days = []
        for name in names_in(f"{self.place}/{table}"):
            with suppress(ValueError):
                days.append(date.fromisoformat(name.removeprefix("ds=")))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            published = pool.map(lambda ds: exists(f"{self._day(table, ds)}/{CURRENT}"), days)
            return [ds for ds, there in zip(days, published, strict=True) if there]

    def day(self, table: str, ds: date) -> TableDay:
        """See Tables.day."""
        place = self._day(table, ds)
        try:
            return _day(place, json.loads(read_bytes(f"{place}/{CURRENT}")))
        except FileNotFoundError:
            return TableDay(place, {}, (), ())
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{place}/{CURRENT} is damaged: run the job that makes {table} again"
            ) from None

    def draft(self, claim: Callable[[str], Path], table: str, ds: date, run_id: str) -> Draft:
        """See Tables.draft; what is prepared names the new folder, for whoever must remove it."""
        place = self._day(table, ds)
        description = claim(f"{place}/{CURRENT}")
        known = names_in(place)  # the same run id may come again
        tries = (f"run={run_id}" + (f".{number}" if number > 1 else "") for number in count(1))
        folder = next(name for name in tries if name not in known)
        beside = description.with_name(".draft.json")  # whoever finds a draft finds it whole
        beside.write_text(json.dumps({"folder": folder}), encoding="utf-8")
        beside.replace(description)
        return Draft(f"{place}/{folder}", description)

    def listed(self, draft: Draft) -> dict[str, Any]:
        """See Tables.listed."""
        files = [name for name in names_in(draft.place) if name.endswith(".parquet")]
        return {"folder": draft.place.rpartition("/")[2], "files": files}

    def drafted(self, draft: Draft) -> TableDay:
        """See Tables.drafted."""
        content = json.loads(draft.description.read_text(encoding="utf-8"))
        return _day(draft.place.rpartition("/")[0], content)

    def remove(self, table: str, ds: date) -> None:
        """See Tables.remove; the object goes last, so that whoever died meanwhile can go on."""
        place = self._day(table, ds)
        remove_other_runs(f"{place}/{CURRENT}", None)
        remove_all(place)

    def _day(self, table: str, ds: date) -> str:
        return f"{self.place}/{table}/{day_folder(ds)}"


def _day(place: str, content: dict[str, Any]) -> TableDay:
    files = tuple(f"{place}/{content['folder']}/{name}" for name in content["files"])
    return TableDay(place, content, files, paths=files)


def remove_other_runs(current: str, content: bytes | None) -> None:
    """Delete the runs of a day beside the one that its object `current` names, or all of them."""
    place = current.rpartition("/")[0]
    kept = {CURRENT, json.loads(content)["folder"] if content else None}
    for name in names_in(place):
        if name not in kept:
            remove_all(f"{place}/{name}")


def remove_draft(current: str, content: bytes) -> None:
    """Delete the run that was to be published as `current`, unless it was published after all."""
    folder = json.loads(content)["folder"]
    with suppress(FileNotFoundError):
        if json.loads(read_bytes(current))["folder"] == folder:
            return
    remove_all(f"{current.rpartition('/')[0]}/{folder}")
